const { Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, addAbortSignal } = require('stream');
const promises = require('stream/promises');
const consumers = require('stream/consumers');
const { StringDecoder } = require('string_decoder');

const all = async (stream) => { const out = []; for await (const chunk of stream) out.push(chunk); return out; };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const log = (stream, names, out = []) => { for (const name of names) stream.on(name, (...args) => out.push(args.length && name !== 'pipe' ? [name, ...args] : name)); return out; };

module.exports = [
  () => all(Readable.from(['a', 'b'])), () => all(Readable.from((async function* () { yield 1; yield 2; })())), () => all(Readable.from('abc')),
  () => all(Readable.from([1, 2, 3, 4]).map((x) => x * 2).filter((x) => x > 2)), () => Readable.from([1, 2, 3]).toArray(), () => Readable.from([1, 2, 3]).reduce((a, b) => a + b),
  () => all(Readable.from([1, 2, 3]).take(2)), () => all(Readable.from([1, 2, 3]).drop(1)), () => Readable.from([1, 2]).some((x) => x === 2), () => Readable.from(5),
  async () => { const r = new Readable({ read() { this.push('x'); this.push(null); } }); const out = log(r, ['data', 'end', 'close', 'readable']); await sleep(5); return out; },
  async () => { const r = new Readable({ read() {} }); r.push('ab'); r.push('cd'); r.push(null); const out = log(r, ['end', 'close']); r.on('readable', () => { let c; while ((c = r.read(3)) !== null) out.push(c.toString()); }); await sleep(5); return out; },
  async () => { const r = new Readable({ encoding: 'utf8', read() {} }); r.push(Buffer.from([0xe2, 0x82])); r.push(Buffer.from([0xac])); r.push(null); return all(r); },
  async () => { const r = new Readable({ read() {} }); const out = log(r, ['error', 'close']); r.push(null); r.push('x'); await sleep(2); return out; },
  async () => { const r = new Readable({ read() { throw new Error('read'); } }); const out = log(r, ['error', 'close']); r.resume(); await sleep(2); return [out, r.destroyed, r.errored]; },
  async () => { const r = new Readable({ read() {} }); r.destroy(new Error('d')); const out = log(r, ['error', 'close', 'end']); await sleep(2); return out; },
  async () => { const r = new Readable(); const out = log(r, ['error']); r.read(); await sleep(2); return out; },
  async () => { const r = Readable.from([1, 2, 3]); for await (const x of r) { if (x === 2) break; } await sleep(1); return r.destroyed; },
  async () => { const r = new Readable({ objectMode: true, read() {} }); r.push(1); r.destroy(new Error('mid')); return all(r).catch((e) => e.message); },
  () => { const r = new Readable({ highWaterMark: 3, read() {} }); return [r.push('ab'), r.push('cd'), r.readableLength, r.readableHighWaterMark, r.readableFlowing]; },
  async () => { const r = new Readable({ read() {} }); r.push('abc'); const a = r.read(2).toString(); r.unshift('Z'); r.push(null); return [a, Buffer.concat(await all(r)).toString()]; },
  async () => { const r = Readable.from(['a', 'b', 'c']); const out = log(r, ['pause', 'resume']); r.on('data', (d) => { out.push(d); if (d === 'a') { r.pause(); setTimeout(() => r.resume(), 1); } }); await sleep(10); return out; },
  async () => { const w = new Writable({ write(c, e, cb) { out.push(c.toString(), e); cb(); }, final(cb) { out.push('final'); cb(); } }); const out = log(w, ['finish', 'close', 'drain', 'prefinish']); w.write('a', () => out.push('cb')); w.end('b', () => out.push('endcb')); out.push('sync'); await sleep(3); return out; },
  async () => { const w = new Writable({ highWaterMark: 2, write(c, e, cb) { setTimeout(cb, 1); } }); const out = log(w, ['drain', 'finish']); out.push(w.write('a'), w.write('bc'), w.writableNeedDrain, w.writableLength); await sleep(8); w.end(); await sleep(3); return out; },
  async () => { const w = new Writable({ write(c, e, cb) { cb(new Error('bad')); } }); const out = log(w, ['error', 'close', 'finish']); w.write('x', (e) => out.push(`cb ${e.message}`)); await sleep(3); return [out, w.destroyed]; },
  async () => { const w = new Writable({ write(c, e, cb) { cb(); } }); const out = log(w, ['error', 'close']); w.end(); w.write('x'); await sleep(3); return out; },
  async () => { const w = new Writable({ write(c, e, cb) { cb(); } }); const out = log(w, ['error']); w.destroy(); w.write('x', (e) => out.push(e.code)); await sleep(3); return out; },
  () => new Writable({ write() {} }).write(5), () => new Writable({ write() {} }).write(null), () => new Writable({ objectMode: true, write(c, e, cb) { cb(); } }).write({}),
  async () => { const out = []; const w = new Writable({ writev(list, cb) { out.push(list.map((x) => x.chunk.toString())); cb(); } }); w.cork(); w.write('a'); w.write('b'); w.uncork(); w.end(); await sleep(3); return out; },
  async () => { const out = []; const w = new Writable({ decodeStrings: false, write(c, e, cb) { out.push(c, e); cb(); } }); w.write('61', 'hex'); w.setDefaultEncoding('latin1'); w.write('b'); await sleep(2); return out; },
  async () => { const w = new Writable({ construct(cb) { setTimeout(cb, 1); }, write(c, e, cb) { out.push(c.toString()); cb(); } }); const out = log(w, ['finish']); w.write('a'); w.end('b'); out.push('early'); await sleep(8); return out; },
  async () => { const t = new Transform({ transform(c, e, cb) { cb(null, c.toString().toUpperCase()); }, flush(cb) { this.push('!'); cb(); } }); t.write('ab'); t.end('c'); return Buffer.concat(await all(t)).toString(); },
  async () => { const t = new Transform({ objectMode: true, transform(c, e, cb) { cb(new Error('t')); } }); const out = log(t, ['error', 'close', 'end', 'finish']); t.write(1); await sleep(3); return out; },
  async () => { const d = new Duplex({ read() { this.push('r'); this.push(null); }, write(c, e, cb) { out.push(c.toString()); cb(); } }); const out = log(d, ['end', 'finish', 'close', 'data']); d.end('w'); await sleep(3); return out; },
  async () => { const d = new Duplex({ allowHalfOpen: false, read() { this.push(null); }, write(c, e, cb) { cb(); } }); const out = log(d, ['end', 'finish', 'close']); d.resume(); await sleep(3); return out; },
  async () => { const p = new PassThrough(); const out = []; Readable.from([Buffer.from('a'), Buffer.from('b')]).pipe(p); p.on('data', (c) => out.push(c.toString())); p.on('end', () => out.push('end')); await sleep(5); return out; },
  async () => { const w = new Writable({ highWaterMark: 1, write(c, e, cb) { out.push(c.toString()); setTimeout(cb, 1); } }); const out = log(w, ['pipe', 'unpipe', 'finish']); Readable.from(['x', 'y', 'z'].map((s) => Buffer.from(s))).pipe(w); await sleep(20); return out.map((x) => (Array.isArray(x) ? x[0] : x)); },
  () => new Promise((resolve) => pipeline(Readable.from(['a', 'b']), new PassThrough({ objectMode: true }), async function* (s) { for await (const x of s) yield x + x; }, new Writable({ objectMode: true, write(c, e, cb) { this.got = (this.got ?? '') + c; cb(); } }), (e) => resolve(e ?? 'ok'))),
  () => promises.pipeline(Readable.from(['a', 'b']), async (s) => { let t = ''; for await (const x of s) t += x; return t; }), () => promises.pipeline(['a', 'b'], async function* (s) { for await (const x of s) yield x; }, async (s) => (await all(s)).join('')),
  () => promises.pipeline(Readable.from([1]), new Transform({ objectMode: true, transform(c, e, cb) { cb(new Error('pipe')); } }), new PassThrough({ objectMode: true })).catch((e) => e.message),
  () => promises.pipeline(new Readable({ read() { this.destroy(new Error('src')); } }), new PassThrough()).catch((e) => e.message),
  async () => { const c = new AbortController(); const p = promises.pipeline(new Readable({ read() {} }), new PassThrough(), { signal: c.signal }); setTimeout(() => c.abort(), 1); return p.catch((e) => [e.name, e.code]); },
  () => promises.finished(Readable.from([]).resume()), async () => { const r = new Readable({ read() {} }); setTimeout(() => r.destroy(), 1); return promises.finished(r).catch((e) => e.code); },
  async () => { const w = new Writable({ write(c, e, cb) { cb(); } }); setTimeout(() => w.end(), 1); await promises.finished(w); return w.writableFinished; }, () => new Promise((resolve) => { const r = Readable.from([1]); finished(r, (e) => resolve([e, r.readableEnded])); r.resume(); }),
  () => { try { pipeline(Readable.from([]), () => {}); } catch (e) { return e.code; } return 0; }, async () => { const c = new AbortController(); const r = addAbortSignal(c.signal, new Readable({ read() {} })); const out = log(r, ['error', 'close']); c.abort(); await sleep(2); return out.map((x) => (Array.isArray(x) ? x[1].name : x)); },
  () => consumers.text(Readable.from([Buffer.from('h\u00e9')])), () => consumers.json(Readable.from(['{"a"', ':1}'])), () => consumers.buffer(Readable.from([Buffer.from('ab')])),
  async () => all(Readable.fromWeb(new ReadableStream({ start(c) { c.enqueue('a'); c.close(); } }), { objectMode: true })), async () => all(Readable.toWeb(Readable.from(['a', 'b']))),
  async () => { const out = []; const w = Writable.toWeb(new Writable({ objectMode: true, write(c, e, cb) { out.push(c); cb(); } })).getWriter(); await w.write('q'); await w.close(); return out; },
  () => { function Old() { Readable.call(this); } require('util').inherits(Old, Readable); Old.prototype._read = function _read() { this.push('old'); this.push(null); }; return all(new Old()).then((x) => x.toString()); },
  () => [new Duplex() instanceof Writable, new Duplex() instanceof Readable, new Readable() instanceof Writable, new PassThrough() instanceof Transform, require('stream') === require('stream').Stream],
  () => [new Readable().readable, new Writable().writable, new Readable().readableEnded, new Writable().writableEnded, new Duplex({ writable: false }).writable],
  () => new Readable({ highWaterMark: -1 }), () => Object.keys(require('stream')).filter((k) => ['Readable', 'pipeline', 'finished', 'promises', 'compose', 'addAbortSignal'].includes(k)).length,
  async () => { const r = new Readable({ read() {} }); const it = r[Symbol.asyncIterator](); r.push('1'); const a = await it.next(); r.push(null); return [a.value.toString(), (await it.next()).done]; },
  () => { const d = new StringDecoder('utf8'); return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end(Buffer.from([0xc3]))]; }, () => { const d = new StringDecoder('utf16le'); return [d.write(Buffer.from([0x3d, 0xd8, 0])), d.end(Buffer.from([0xde]))]; },
  () => { const d = new StringDecoder('base64'); return [d.write(Buffer.from('ab')), d.write(Buffer.from('cde')), d.end()]; }, () => { const d = new StringDecoder('hex'); return [d.write(Buffer.from([1, 171])), d.end()]; }, () => new StringDecoder('nope'), () => new StringDecoder().encoding, () => new StringDecoder().write(5),
];

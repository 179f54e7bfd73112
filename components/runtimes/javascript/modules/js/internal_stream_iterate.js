// Streams as iterables and from them, and the methods that go through them.
const { Buffer } = require('buffer');
const process = require('process');
const { AbortError, check, invalidArgType, withCode } = require('internal/errors');
const { Readable } = require('internal/stream_readable');
const { Duplex } = require('internal/stream_duplex');
const { finished } = require('internal/stream_finished');

async function* iterate(stream, { destroyOnReturn = true } = {}) {
  let wake = () => {};
  let error;
  let over = false;
  const next = () => {
    wake();
    wake = () => {};
  };
  stream.on('readable', next);
  const clean = finished(stream, { writable: false }, (failure) => {
    error = failure ? failure : null;
    over = true;
    next();
  });
  try {
    for (;;) {
      const chunk = stream.destroyed ? null : stream.read();
      if (chunk !== null) yield chunk;
      else if (error) throw error;
      else if (over) return;
      else await new Promise((resolve) => { wake = resolve; });
    }
  } catch (failure) {
    error = failure;
    throw failure;
  } finally {
    if ((error || destroyOnReturn) && (error === undefined || stream._readableState.autoDestroy)) {
      stream.destroy(error ?? null);
    } else {
      stream.removeListener('readable', next);
      clean();
    }
  }
}

Readable.prototype[Symbol.asyncIterator] = function asyncIterator() { return iterate(this); };
Readable.prototype.iterator = function iterator(options = undefined) {
  if (options !== undefined) check.object(options, 'options');
  return iterate(this, options);
};

Readable.from = function from(iterable, options) {
  if (typeof iterable === 'string' || iterable instanceof Buffer) {
    return new Readable({
      objectMode: true,
      ...options,
      read() {
        this.push(iterable);
        this.push(null);
      },
    });
  }
  let iterator;
  if (iterable?.[Symbol.asyncIterator]) iterator = iterable[Symbol.asyncIterator]();
  else if (iterable?.[Symbol.iterator]) iterator = iterable[Symbol.iterator]();
  else throw invalidArgType('iterable', 'an instance of Iterable', iterable);
  const stream = new Readable({ objectMode: true, highWaterMark: 1, ...options });
  let reading = false;
  let ended = false;
  stream._read = () => {
    if (!reading) {
      reading = true;
      next();
    }
  };
  stream._destroy = (error, callback) => {
    const close = async () => {
      if (error && typeof iterator.throw === 'function') {
        const { value, done } = await iterator.throw(error);
        await value;
        if (done) return;
      }
      if (!ended && typeof iterator.return === 'function') {
        const { value } = await iterator.return();
        await value;
      }
    };
    close().then(() => process.nextTick(callback, error), (failure) => process.nextTick(callback, failure || error));
  };
  async function next() {
    for (;;) {
      try {
        let result = iterator.next();
        if (typeof result?.then === 'function') result = await result;
        if (result.done) {
          ended = true;
          stream.push(null);
          return;
        }
        let { value } = result;
        if (typeof value?.then === 'function') value = await value;
        if (value === null) {
          reading = false;
          throw withCode(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
        }
        if (stream.push(value)) continue;
        reading = false;
      } catch (error) {
        stream.destroy(error);
      }
      return;
    }
  }
  return stream;
};

// Methods that answer a stream again.
const through = {
  async* map(source, callback, { signal } = {}) {
    for await (const chunk of source) yield await callback(chunk, { signal });
  },
  async* filter(source, callback, { signal } = {}) {
    for await (const chunk of source) if (await callback(chunk, { signal })) yield chunk;
  },
  async* flatMap(source, callback, { signal } = {}) {
    for await (const chunk of source) yield* await callback(chunk, { signal });
  },
  async* take(source, count) {
    let left = Number(count);
    if (left <= 0) return;
    for await (const chunk of source) {
      yield chunk;
      left -= 1;
      if (left <= 0) return;
    }
  },
  async* drop(source, count) {
    let left = Number(count);
    for await (const chunk of source) {
      if (left > 0) left -= 1;
      else yield chunk;
    }
  },
};
// Methods that answer a promise.
const until = {
  async forEach(source, callback, { signal } = {}) { for await (const chunk of source) await callback(chunk, { signal }); },
  async toArray(source, { signal } = {}) {
    const all = [];
    for await (const chunk of source) {
      if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
      all.push(chunk);
    }
    return all;
  },
  async some(source, callback, { signal } = {}) {
    for await (const chunk of source) if (await callback(chunk, { signal })) return true;
    return false;
  },
  async every(source, callback, { signal } = {}) {
    for await (const chunk of source) if (!await callback(chunk, { signal })) return false;
    return true;
  },
  async find(source, callback, { signal } = {}) {
    for await (const chunk of source) if (await callback(chunk, { signal })) return chunk;
    return undefined;
  },
};
for (const [name, run] of Object.entries(through)) {
  Readable.prototype[name] = { [name](argument, options = undefined) {
    if (name === 'take' || name === 'drop') {
      if (!(Number(argument) >= 0)) throw require('internal/errors').outOfRange('number', '>= 0', argument);
    } else check.function(argument, 'fn');
    return Readable.from(run(this, argument, options));
  } }[name];
}
for (const [name, run] of Object.entries(until)) {
  Readable.prototype[name] = { async [name](...args) {
    if (name !== 'toArray') check.function(args[0], 'fn');
    return run(this, ...args);
  } }[name];
}
Readable.prototype.reduce = async function reduce(callback, ...rest) {
  check.function(callback, 'reducer');
  let has = rest.length > 0;
  let [value] = rest;
  for await (const chunk of this) {
    value = has ? await callback(value, chunk, {}) : chunk;
    has = true;
  }
  if (!has) throw new TypeError('Reduce of an empty stream requires an initial value');
  return value;
};

function duplexFrom(body) {
  if (body instanceof Duplex) return body;
  if (typeof body?.pipe === 'function' && body._readableState && !body._writableState) {
    return pair(body, undefined);
  }
  if (body?.readable && body?.writable && typeof body.readable === 'object') return pair(body.readable, body.writable);
  if (typeof body?.then === 'function') {
    return Object.assign(Readable.from((async function* once() {
      const value = await body;
      if (value != null) yield value;
    }())), {});
  }
  if (typeof body === 'string' || body?.[Symbol.asyncIterator] || body?.[Symbol.iterator]) {
    return pair(Readable.from(body), undefined);
  }
  if (typeof body === 'function') {
    const { PassThrough } = require('internal/stream_duplex');
    const input = new PassThrough({ objectMode: true });
    return pair(Readable.from(body(input)), input);
  }
  if (typeof body?.write === 'function') return pair(undefined, body);
  throw invalidArgType('body', 'an instance of Stream, Iterable, AsyncIterable, Promise or function', body);
}

// One duplex of a readable and a writable.
function pair(readable, writable) {
  const duplex = new Duplex({
    readableObjectMode: readable?.readableObjectMode ?? true,
    writableObjectMode: writable?.writableObjectMode ?? true,
    readable: Boolean(readable),
    writable: Boolean(writable),
    read() { readable?.resume(); },
    write(chunk, encoding, callback) {
      if (writable.write(chunk, encoding)) callback();
      else writable.once('drain', () => callback());
    },
    final(callback) {
      writable.end();
      finished(writable, { readable: false }, callback);
    },
    destroy(error, callback) {
      for (const each of [readable, writable]) if (each && error) each.destroy(error);
      callback(error);
    },
  });
  if (readable) {
    readable.on('data', (chunk) => { if (!duplex.push(chunk)) readable.pause(); });
    readable.on('end', () => duplex.push(null));
    readable.on('error', (error) => duplex.destroy(error));
    readable.pause();
  }
  writable?.on('error', (error) => duplex.destroy(error));
  return duplex;
}

function compose(...streams) {
  const { PassThrough } = require('internal/stream_duplex');
  const head = new PassThrough({ objectMode: true });
  const tail = new PassThrough({ objectMode: true });
  require('internal/stream_finished').runPipeline([head, ...streams, tail], (error) => { if (error) tail.destroy(error); });
  return pair(tail, head);
}

module.exports = { compose, duplexFrom };

// node:zlib: deflate and its wrappings; Brotli fails at use.
const { Buffer } = require('buffer');
const { Transform } = require('stream');
const { check, invalidArgType, notHere, outOfRange } = require('internal/errors');
const types = require('util/types');
const native = natives('zlib');

const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1,
  Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2,
  Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, ZLIB_VERNUM: 4880, DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5,
  INFLATERAW: 6, UNZIP: 7, BROTLI_DECODE: 8, BROTLI_ENCODE: 9, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15,
  Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1,
  Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
  BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_MODE: 0, BROTLI_PARAM_SIZE_HINT: 5, BROTLI_OPERATION_FLUSH: 1,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FINISH: 2, BROTLI_MODE_TEXT: 1, BROTLI_MODE_GENERIC: 0,
};

const MODES = {
  Gzip: 'gzip', Gunzip: 'gunzip', Deflate: 'deflate', Inflate: 'inflate', DeflateRaw: 'deflateRaw', InflateRaw: 'inflateRaw',
  Unzip: 'unzip',
};

function bytesOf(data) {
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  throw invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer', data);
}

function failure(mode, text) {
  const early = /eof|end of|fill whole|corrupt deflate stream$/i.test(text) && !/header/i.test(text);
  const header = /header/i.test(text) || (mode !== 'inflateRaw' && !early);
  const error = new Error(early && !header ? 'unexpected end of file' : 'incorrect header check');
  const code = error.message === 'unexpected end of file' ? 'Z_BUF_ERROR' : 'Z_DATA_ERROR';
  return Object.assign(error, { errno: constants[code], code });
}

function checkOptions(options) {
  if (options?.level !== undefined) {
    check.number(options.level, 'options.level');
    if (!(options.level >= -1 && options.level <= 9)) throw outOfRange('options.level', '>= -1 and <= 9', options.level);
  }
  if (options?.dictionary !== undefined) throw notHere('zlib dictionary');
}

// The coder of a mode; unzip knows which by the first bytes.
function coder(mode, options, first) {
  const real = mode === 'unzip' ? (first[0] === 0x1f && first[1] === 0x8b ? 'gunzip' : 'inflate') : mode;
  return { real, step: native.create(real, options?.level ?? -1) };
}

// What begins with no header of the format is refused before the coder sees it.
function checkHeader(mode, bytes) {
  if (bytes.length < 2) return;
  const bad = (mode === 'gunzip' && (bytes[0] !== 0x1f || bytes[1] !== 0x8b))
    || (mode === 'inflate' && ((bytes[0] & 15) !== 8 || (bytes[0] * 256 + bytes[1]) % 31 !== 0));
  if (bad) throw failure(mode, 'header');
}

function once(mode, data, options) {
  checkOptions(options);
  const bytes = bytesOf(data);
  const { real, step } = coder(mode, options, bytes);
  checkHeader(real, bytes);
  if (bytes.length === 0 && /^(gunzip|inflate)/.test(real)) throw failure(mode, 'eof');
  const out = step(bytes, 2);
  if (typeof out === 'string') throw failure(real, bytes.length < 18 && real === 'gunzip' ? 'eof' : out);
  if (options?.maxOutputLength !== undefined && out.length > options.maxOutputLength) {
    throw outOfRange('maxOutputLength', `<= ${options.maxOutputLength}`, out.length);
  }
  return Object.setPrototypeOf(out, Buffer.prototype);
}

function ZlibBase(mode, options) {
  checkOptions(options);
  let run;
  let written = 0;
  this.bytesWritten = 0;
  this._step = (chunk, then) => {
    if (!run) {
      run = coder(mode, options, chunk);
      checkHeader(run.real, chunk);
    }
    written += chunk.length;
    this.bytesWritten = written;
    const out = run.step(chunk, then);
    if (typeof out === 'string') throw failure(run.real, out);
    if (out.length > 0) this.push(Object.setPrototypeOf(out, Buffer.prototype));
  };
  const attempt = (chunk, then, callback) => {
    try {
      this._step(chunk, then);
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  };
  Transform.call(this, {
    ...options,
    transform(chunk, encoding, callback) {
      const decoding = /^(gunzip|inflate|unzip)/i.test(mode);
      attempt(bytesOf(chunk), decoding || options?.flush === constants.Z_SYNC_FLUSH ? 1 : 0, callback);
    },
    flush(callback) { attempt(new Uint8Array(0), 2, callback); },
  });
}
Object.setPrototypeOf(ZlibBase.prototype, Transform.prototype);
Object.setPrototypeOf(ZlibBase, Transform);
ZlibBase.prototype.flush = function flush(kind, callback) {
  if (typeof kind === 'function') callback = kind;
  const run = () => {
    this._step(new Uint8Array(0), 1);
    callback?.();
  };
  if (this.writableLength === 0) queueMicrotask(run);
  else this.write('', run);
};
ZlibBase.prototype.close = function close(callback) {
  if (callback) this.once('close', callback);
  this.destroy();
};
ZlibBase.prototype.params = function params(level, strategy, callback) { queueMicrotask(() => callback?.()); };
ZlibBase.prototype.reset = function reset() {};

const zlib = { constants, codes: Object.fromEntries(Object.entries(constants).filter(([name]) => /^Z_(OK|STREAM_END|NEED_DICT|.*ERR.*)$/.test(name))) };
for (const [name, mode] of Object.entries(MODES)) {
  const Class = { [name]: function zlibStream(options) {
    if (!(this instanceof Class)) return new Class(options);
    ZlibBase.call(this, mode, options);
  } }[name];
  Object.defineProperty(Class, 'name', { value: name });
  Object.setPrototypeOf(Class.prototype, ZlibBase.prototype);
  Object.setPrototypeOf(Class, ZlibBase);
  zlib[name] = Class;
  zlib[`create${name}`] = (options) => new Class(options);
  const method = name[0].toLowerCase() + name.slice(1);
  zlib[`${method}Sync`] = (data, options) => once(mode, data, options);
  zlib[method] = (data, options, callback) => {
    if (typeof options === 'function') [callback, options] = [options, undefined];
    check.function(callback, 'callback');
    bytesOf(data);
    setImmediate(() => {
      let out;
      try {
        out = once(mode, data, options);
      } catch (error) {
        callback(error);
        return;
      }
      callback(null, out);
    });
  };
}
for (const name of ['brotliCompress', 'brotliDecompress', 'brotliCompressSync', 'brotliDecompressSync',
  'createBrotliCompress', 'createBrotliDecompress']) {
  zlib[name] = { [name]() { throw notHere(`zlib.${name}`); } }[name];
}
zlib.BrotliCompress = class BrotliCompress { constructor() { throw notHere('zlib.BrotliCompress'); } };
zlib.BrotliDecompress = class BrotliDecompress { constructor() { throw notHere('zlib.BrotliDecompress'); } };
zlib.crc32 = (data, start = 0) => native.crc32(bytesOf(data), start);
Object.assign(zlib, Object.fromEntries(Object.entries(constants).filter(([name]) => name.startsWith('Z_'))));
module.exports = zlib;

// node:string_decoder: bytes in pieces to text that is whole.
const { Buffer } = require('buffer');
const { invalidArgType, withCode } = require('internal/errors');
const { unfinished } = require('internal/encoding');

const NAMES = {
  utf8: 'utf8', 'utf-8': 'utf8', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le',
  latin1: 'latin1', binary: 'latin1', base64: 'base64', base64url: 'base64url', hex: 'hex', ascii: 'ascii',
};

// How many bytes at the end must wait for more.
function waiting(encoding, bytes) {
  if (encoding === 'utf8') return unfinished(bytes);
  if (encoding === 'base64' || encoding === 'base64url') return bytes.length % 3;
  if (encoding !== 'utf16le') return 0;
  if (bytes.length % 2 === 1) return 1;
  return bytes.length >= 2 && (bytes[bytes.length - 1] & 0xfc) === 0xd8 ? 2 : 0;
}

function StringDecoder(encoding) {
  const name = NAMES[`${encoding ?? 'utf8'}`.toLowerCase() || 'utf8'];
  if (name === undefined) throw withCode(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
  this.encoding = name;
  Object.defineProperty(this, 'kept', { value: Buffer.alloc(0), writable: true, enumerable: false });
}

StringDecoder.prototype.write = function write(data) {
  if (typeof data === 'string') return data;
  if (!ArrayBuffer.isView(data)) throw invalidArgType('buf', 'an instance of Buffer, TypedArray, or DataView', data);
  let bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (this.kept.length > 0) bytes = Buffer.concat([this.kept, bytes]);
  const rest = waiting(this.encoding, bytes);
  this.kept = rest > 0 ? Buffer.from(bytes.subarray(bytes.length - rest)) : Buffer.alloc(0);
  return bytes.toString(this.encoding, 0, bytes.length - rest);
};

StringDecoder.prototype.end = function end(data) {
  const head = data === undefined ? '' : this.write(data);
  const tail = this.encoding === 'utf16le'
    ? this.kept.toString('utf16le', 0, this.kept.length & ~1) : this.kept.toString(this.encoding);
  this.kept = Buffer.alloc(0);
  return head + tail;
};
StringDecoder.prototype.text = function text(data, offset) {
  this.kept = Buffer.alloc(0);
  return this.write(data.subarray(offset));
};
Object.defineProperties(StringDecoder.prototype, {
  lastNeed: { configurable: true, enumerable: true, get() { return this.kept.length > 0 ? 1 : 0; } },
  lastTotal: { configurable: true, enumerable: true, get() { return this.kept.length > 0 ? this.kept.length + 1 : 0; } },
  lastChar: { configurable: true, enumerable: true, get() { return this.kept; } },
});

module.exports = { StringDecoder };

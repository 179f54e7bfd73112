// Buffer. What its instances can do is in internal/buffer_methods and
// internal/buffer_numbers.
const { check, invalidArgType, withCode } = require('internal/errors');
const { encode, utf16 } = require('internal/encoding');
const { isAnyArrayBuffer } = require('util/types');
const { global } = require('internal/host');
const text = natives('text');

const MAX_LENGTH = 2 ** 31 - 1;
const MAX_STRING_LENGTH = 2 ** 29 - 24;

class FastBuffer extends Uint8Array {}

// The name that an encoding has inside; undefined if there is none of the name.
function normal(encoding) {
  if (encoding === undefined || encoding === null || encoding === '') return 'utf8';
  switch (`${encoding}`.toLowerCase()) {
    case 'utf8': case 'utf-8': return 'utf8';
    case 'ucs2': case 'ucs-2': case 'utf16le': case 'utf-16le': return 'utf16le';
    case 'latin1': case 'binary': return 'latin1';
    case 'base64': return 'base64';
    case 'base64url': return 'base64url';
    case 'hex': return 'hex';
    case 'ascii': return 'ascii';
    default: return undefined;
  }
}

function known(encoding) {
  const name = normal(encoding);
  if (name === undefined) throw withCode(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
  return name;
}

// Bytes of a string, as a Uint8Array of its own.
function bytesOf(string, encoding) {
  switch (encoding) {
    case 'utf8': return encode(string);
    case 'hex': return text.hexDecode(string.isWellFormed() ? string : string.toWellFormed());
    case 'base64': case 'base64url':
      return text.base64Decode(string.isWellFormed() ? string : string.toWellFormed());
    case 'utf16le': {
      const bytes = new Uint8Array(string.length * 2);
      for (let at = 0; at < string.length; at += 1) {
        const unit = string.charCodeAt(at);
        bytes[2 * at] = unit;
        bytes[2 * at + 1] = unit >> 8;
      }
      return bytes;
    }
    default: {
      if (string.isWellFormed()) return text.latin1Encode(string);
      const bytes = new Uint8Array(string.length);
      for (let at = 0; at < string.length; at += 1) bytes[at] = string.charCodeAt(at);
      return bytes;
    }
  }
}

function textOf(bytes, encoding) {
  switch (encoding) {
    case 'utf8': return text.utf8Decode(bytes);
    case 'hex': return text.hexEncode(bytes);
    case 'base64': return text.base64Encode(bytes, false);
    case 'base64url': return text.base64Encode(bytes, true);
    case 'utf16le': return utf16(bytes);
    case 'latin1': return text.latin1Decode(bytes);
    default: return text.latin1Decode(bytes.map((byte) => byte & 0x7f));
  }
}

function wrap(bytes) {
  return Object.setPrototypeOf(bytes, FastBuffer.prototype);
}

function checkSize(size) {
  check.number(size, 'size', 0, MAX_LENGTH);
}

function Buffer(value, encodingOrOffset, length) {
  if (typeof value === 'number') {
    if (typeof encodingOrOffset === 'string') throw invalidArgType('string', 'of type string', value);
    return Buffer.alloc(value);
  }
  return Buffer.from(value, encodingOrOffset, length);
}
Object.defineProperty(Buffer, Symbol.species, { configurable: true, get: () => FastBuffer });
Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = FastBuffer.prototype;
Object.defineProperty(Buffer.prototype, 'constructor', { value: Buffer, writable: true, configurable: true });
Buffer.poolSize = 8192;

function fromArrayBuffer(value, offset, length) {
  let start = offset === undefined ? 0 : +offset;
  if (Number.isNaN(start)) start = 0;
  const rest = value.byteLength - start;
  if (rest < 0) throw withCode(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  let size = rest;
  if (length !== undefined) {
    size = +length;
    if (!(size > 0)) size = 0;
    if (size > rest) throw withCode(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
  }
  return new FastBuffer(value, start, size);
}

function fromArrayLike(value) {
  if (ArrayBuffer.isView(value)) return wrap(new Uint8Array(value));
  const length = value.length > 0 ? Math.floor(value.length) : 0;
  const bytes = new FastBuffer(length);
  for (let at = 0; at < length; at += 1) bytes[at] = value[at];
  return bytes;
}

function fromObject(value) {
  if (value.length !== undefined || isAnyArrayBuffer(value.buffer)) {
    return typeof value.length === 'number' ? fromArrayLike(value) : new FastBuffer(0);
  }
  if (value.type === 'Buffer' && Array.isArray(value.data)) return fromArrayLike(value.data);
  return undefined;
}

Buffer.from = function from(value, encodingOrOffset, length) {
  if (typeof value === 'string') return wrap(bytesOf(value, known(encodingOrOffset)));
  if (typeof value === 'object' && value !== null) {
    if (isAnyArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
    const primitive = value.valueOf && value.valueOf();
    if (primitive != null && primitive !== value
      && (typeof primitive === 'string' || typeof primitive === 'object')) {
      return from(primitive, encodingOrOffset, length);
    }
    const made = fromObject(value);
    if (made) return made;
    if (typeof value[Symbol.toPrimitive] === 'function') {
      const plain = value[Symbol.toPrimitive]('string');
      if (typeof plain === 'string') return wrap(bytesOf(plain, known(encodingOrOffset)));
    }
  }
  throw invalidArgType('first argument',
    'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object', value);
};

Buffer.copyBytesFrom = function copyBytesFrom(view, offset, length) {
  if (!ArrayBuffer.isView(view) || view instanceof DataView) {
    throw invalidArgType('view', 'an instance of TypedArray', view);
  }
  if (offset !== undefined) check.integer(offset, 'offset', 0);
  if (length !== undefined) check.integer(length, 'length', 0);
  const part = view.slice(offset ?? 0, length === undefined ? undefined : (offset ?? 0) + length);
  return new FastBuffer(part.buffer, part.byteOffset, part.byteLength);
};

Buffer.of = function of(...items) { return fromArrayLike(items); };

Buffer.alloc = function alloc(size, fill, encoding) {
  checkSize(size);
  const bytes = new FastBuffer(size);
  if (fill !== undefined && fill !== 0 && size > 0) bytes.fill(fill, encoding);
  return bytes;
};
Buffer.allocUnsafe = function allocUnsafe(size) {
  checkSize(size);
  return new FastBuffer(size);
};
Buffer.allocUnsafeSlow = function allocUnsafeSlow(size) {
  checkSize(size);
  return new FastBuffer(size);
};

Buffer.isBuffer = function isBuffer(value) { return value instanceof Buffer; };
Buffer.isEncoding = function isEncoding(encoding) {
  return typeof encoding === 'string' && encoding.length > 0 && normal(encoding) !== undefined;
};

Buffer.byteLength = function byteLength(value, encoding) {
  if (typeof value !== 'string') {
    if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return value.byteLength;
    throw invalidArgType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
  }
  switch (normal(encoding) ?? 'utf8') {
    case 'latin1': case 'ascii': return value.length;
    case 'utf16le': return value.length * 2;
    case 'hex': return value.length >>> 1;
    case 'base64': case 'base64url': {
      let length = value.length;
      if (value.charCodeAt(length - 1) === 0x3d) length -= 1;
      if (length > 1 && value.charCodeAt(length - 1) === 0x3d) length -= 1;
      return (length * 3) >>> 2;
    }
    default: return text.utf8Length(value.isWellFormed() ? value : value.toWellFormed());
  }
};

Buffer.compare = function compare(left, right) {
  for (const [name, value] of [['buf1', left], ['buf2', right]]) {
    if (!(value instanceof Uint8Array)) throw invalidArgType(name, 'an instance of Buffer or Uint8Array', value);
  }
  return text.compare(left, right);
};

Buffer.concat = function concat(list, length) {
  if (!Array.isArray(list)) throw invalidArgType('list', 'an instance of Array', list);
  if (list.length === 0) return new FastBuffer(0);
  if (length === undefined) length = list.reduce((sum, part) => sum + (part.length || 0), 0);
  else check.integer(length, 'length', 0);
  const result = new FastBuffer(length);
  let at = 0;
  for (let index = 0; index < list.length; index += 1) {
    const part = list[index];
    if (!(part instanceof Uint8Array)) {
      throw invalidArgType(`list[${index}]`, 'an instance of Buffer or Uint8Array', part);
    }
    if (at + part.length > length) {
      if (at < length) result.set(part.subarray(0, length - at), at);
      at = length;
      break;
    }
    result.set(part, at);
    at += part.length;
  }
  return result;
};

require('internal/buffer_numbers')(Buffer.prototype);
require('internal/buffer_methods')(Buffer.prototype, { FastBuffer, known, normal, bytesOf, textOf });

function SlowBuffer(size) {
  checkSize(size);
  return Buffer.allocUnsafeSlow(size);
}

function viewOf(input) {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (isAnyArrayBuffer(input)) return new Uint8Array(input);
  throw invalidArgType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input);
}

function transcode(source, from, to) {
  return Buffer.from(textOf(viewOf(source), known(from)), to);
}

const lazy = (name, from) => ({
  enumerable: true, configurable: true, get: () => require(from)[name],
});

module.exports = {
  Buffer,
  SlowBuffer,
  transcode,
  isUtf8: (input) => text.utf8DecodeFatal(viewOf(input)) != null,
  isAscii: (input) => viewOf(input).every((byte) => byte < 0x80),
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_STRING_LENGTH,
  btoa: global.btoa,
  atob: global.atob,
  constants: { MAX_LENGTH, MAX_STRING_LENGTH },
  INSPECT_MAX_BYTES: 50,
  resolveObjectURL: () => undefined,
};
Object.defineProperties(module.exports, {
  Blob: lazy('Blob', 'internal/blob'),
  File: lazy('File', 'internal/blob'),
});

// What a Buffer has beside its numbers.
const { check, invalidArgType, invalidArgValue, outOfRange, withCode } = require('internal/errors');
const text = natives('text');

const MAX_LENGTH = 2 ** 31 - 1;

function toInteger(value, fallback) {
  const number = +value;
  return Number.isNaN(number) ? fallback : Math.trunc(number);
}

function clamp(value, length, fallback) {
  let at = value === undefined ? fallback : toInteger(value, 0);
  if (at < 0) at = Math.max(at + length, 0);
  return Math.min(at, length);
}

module.exports = (prototype, { FastBuffer, known, normal, bytesOf, textOf }) => {
  const hex = (byte) => byte.toString(16).padStart(2, '0');

  function write(target, string, offset, length, encoding) {
    let bytes = bytesOf(string, encoding);
    if (bytes.length > length) {
      let end = length;
      if (encoding === 'utf8') while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
      else if (encoding === 'utf16le') end &= ~1;
      bytes = bytes.subarray(0, end);
    }
    target.set(bytes, offset);
    return bytes.length;
  }

  function index(buffer, value, offset, encoding, forward) {
    if (typeof offset === 'string') {
      encoding = offset;
      offset = undefined;
    }
    let at = +offset;
    if (offset === undefined || Number.isNaN(at)) at = forward ? 0 : buffer.length;
    at = Math.trunc(at);
    if (at < 0) at += buffer.length;
    if (at < 0) {
      if (!forward) return -1;
      at = 0;
    }
    let needle;
    let step = 1;
    if (typeof value === 'number') needle = Uint8Array.of(value & 255);
    else if (typeof value === 'string') {
      const name = known(encoding);
      needle = bytesOf(value, name);
      if (name === 'utf16le') step = 2;
    } else if (value instanceof Uint8Array) {
      needle = value;
      if (normal(encoding) === 'utf16le') step = 2;
    } else {
      throw invalidArgType('value', 'one of type number or string or an instance of Buffer or Uint8Array', value);
    }
    if (needle.length === 0) return Math.min(at, buffer.length);
    if (forward) return at >= buffer.length ? -1 : text.find(buffer, needle, at, step);
    return text.findLast(buffer, needle, Math.min(at, buffer.length));
  }

  const methods = {
    toString(encoding, start, end) {
      if (arguments.length === 0) return text.utf8Decode(this);
      const { length } = this;
      const from = start === undefined || start <= 0 ? 0 : toInteger(start, 0);
      const to = end === undefined || end > length ? length : toInteger(end, 0);
      if (from >= length || to <= from) return '';
      return textOf(from === 0 && to === length ? this : this.subarray(from, to), known(encoding));
    },

    write(string, offset, length, encoding) {
      if (typeof string !== 'string') throw withCode(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
      if (offset === undefined) return write(this, string, 0, this.length, 'utf8');
      if (typeof offset === 'string') {
        return write(this, string, 0, this.length, known(offset));
      }
      check.integer(offset, 'offset', 0, this.length);
      const rest = this.length - offset;
      if (length === undefined) length = rest;
      else if (typeof length === 'string') {
        encoding = length;
        length = rest;
      } else {
        check.integer(length, 'length', 0, this.length);
        length = Math.min(length, rest);
      }
      return write(this, string, offset, length, known(encoding));
    },

    slice(start, end) {
      const from = clamp(start, this.length, 0);
      const to = clamp(end, this.length, this.length);
      return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(to - from, 0));
    },

    copy(target, targetStart, start, end) {
      if (!(target instanceof Uint8Array)) {
        throw invalidArgType('target', 'an instance of Buffer or Uint8Array', target);
      }
      const at = targetStart === undefined ? 0 : toInteger(targetStart, 0);
      if (at < 0) throw outOfRange('targetStart', '>= 0', at);
      const from = start === undefined ? 0 : toInteger(start, 0);
      if (from < 0 || from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from);
      const to = end === undefined ? this.length : toInteger(end, 0);
      if (to < 0) throw outOfRange('sourceEnd', '>= 0', to);
      if (at >= target.length || from >= to) return 0;
      const length = Math.min(to - from, target.length - at, this.length - from);
      target.set(Uint8Array.prototype.subarray.call(this, from, from + length), at);
      return length;
    },

    fill(value, offset, end, encoding) {
      if (typeof offset === 'string') {
        encoding = offset;
        offset = undefined;
        end = undefined;
      } else if (typeof end === 'string') {
        encoding = end;
        end = undefined;
      }
      if (offset === undefined) offset = 0;
      else check.number(offset, 'offset', 0, MAX_LENGTH);
      if (end === undefined) end = this.length;
      else check.number(end, 'end', 0, this.length);
      if (typeof value === 'string' || value instanceof Uint8Array) {
        let pattern = value;
        if (typeof value === 'string') {
          if (encoding !== undefined && typeof encoding !== 'string') {
            throw invalidArgType('encoding', 'of type string', encoding);
          }
          const name = known(encoding);
          pattern = value.length === 0 ? Uint8Array.of(0) : bytesOf(value, name);
        }
        if (pattern.length === 0) throw invalidArgValue('value', value);
        for (let at = offset; at < end; at += 1) this[at] = pattern[(at - offset) % pattern.length];
        return this;
      }
      if (offset >= end) return this;
      const byte = typeof value === 'boolean' ? +value : value & 255;
      Uint8Array.prototype.fill.call(this, byte, offset, end);
      return this;
    },

    equals(other) {
      if (!(other instanceof Uint8Array)) {
        throw invalidArgType('otherBuffer', 'an instance of Buffer or Uint8Array', other);
      }
      return this === other || (this.length === other.length && text.compare(this, other) === 0);
    },

    compare(target, targetStart = 0, targetEnd = undefined, sourceStart = 0, sourceEnd = undefined) {
      if (!(target instanceof Uint8Array)) {
        throw invalidArgType('target', 'an instance of Buffer or Uint8Array', target);
      }
      check.integer(targetStart, 'targetStart', 0);
      if (targetEnd === undefined) targetEnd = target.length;
      else check.integer(targetEnd, 'targetEnd', 0, target.length);
      check.integer(sourceStart, 'sourceStart', 0);
      if (sourceEnd === undefined) sourceEnd = this.length;
      else check.integer(sourceEnd, 'sourceEnd', 0, this.length);
      if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
      if (targetStart >= targetEnd) return 1;
      return text.compare(this.slice(sourceStart, sourceEnd),
        Uint8Array.prototype.subarray.call(target, targetStart, targetEnd));
    },

    indexOf(value, offset, encoding) { return index(this, value, offset, encoding, true); },
    lastIndexOf(value, offset, encoding) { return index(this, value, offset, encoding, false); },
    includes(value, offset, encoding) { return this.indexOf(value, offset, encoding) !== -1; },

    toJSON() { return { type: 'Buffer', data: Array.from(this) }; },

    toLocaleString(...args) { return this.toString(...args); },

    [Symbol.for('nodejs.util.inspect.custom')](depth, options) {
      const max = require('buffer').INSPECT_MAX_BYTES;
      let string = Array.prototype.map.call(this.slice(0, max), hex).join(' ');
      if (this.length > max) {
        const more = this.length - max;
        string += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
      }
      const extras = Object.keys(this).filter((key) => !/^\d+$/.test(key));
      if (options && extras.length > 0) {
        const { inspect } = require('util');
        for (const key of extras) {
          string += `${string ? ', ' : ''}${key}: ${inspect(this[key], { ...options, breakLength: Infinity })}`;
        }
      }
      return `<${this.constructor.name}${string ? ` ${string}` : ''}>`;
    },
  };
  methods.subarray = methods.slice;

  for (const [name, size] of [['swap16', 2], ['swap32', 4], ['swap64', 8]]) {
    methods[name] = {
      [name]() {
        if (this.length % size !== 0) {
          throw withCode(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
        }
        for (let at = 0; at < this.length; at += size) {
          Uint8Array.prototype.subarray.call(this, at, at + size).reverse();
        }
        return this;
      },
    }[name];
  }

  for (const encoding of ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8']) {
    methods[`${encoding}Slice`] = function slice(start, end) { return this.toString(encoding, start, end); };
    methods[`${encoding}Write`] = function writeIn(string, offset = 0, length = this.length - offset) {
      return write(this, string, offset, Math.min(length, this.length - offset), known(encoding));
    };
  }

  for (const key of Reflect.ownKeys(methods)) {
    Object.defineProperty(prototype, key, {
      value: methods[key], writable: true, configurable: true, enumerable: typeof key === 'string',
    });
  }
  for (const [name, of] of [['parent', 'buffer'], ['offset', 'byteOffset']]) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      configurable: true,
      get() { return this instanceof FastBuffer ? this[of] : undefined; },
    });
  }
};

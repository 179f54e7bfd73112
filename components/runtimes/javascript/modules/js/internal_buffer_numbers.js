// The numbers that a Buffer reads and writes.
const { check, invalidArgType, outOfRange, withCode } = require('internal/errors');

function place(buffer, offset, size) {
  if (typeof offset !== 'number') throw invalidArgType('offset', 'of type number', offset);
  if (!(offset >= 0 && offset + size <= buffer.length && Number.isInteger(offset))) {
    if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
    if (buffer.length - size < 0) {
      throw withCode(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
    }
    throw outOfRange('offset', `>= 0 and <= ${buffer.length - size}`, offset);
  }
  return offset;
}

function checkValue(value, min, max, size) {
  if (value > max || value < min) {
    const n = typeof min === 'bigint' ? 'n' : '';
    let range;
    if (size > 4 || n) {
      const bits = size * 8;
      if (min === 0 || min === 0n) range = `>= 0${n} and < 2${n} ** ${bits}${n}`;
      else range = `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}`;
    } else range = `>= ${min}${n} and <= ${max}${n}`;
    throw outOfRange('value', range, value);
  }
}

module.exports = (prototype) => {
  const methods = {};
  const names = (name) => (name.includes('UInt') ? [name, name.replace('UInt', 'Uint')] : [name]);
  const add = (name, method) => {
    for (const each of names(name)) methods[each] = method;
  };

  for (const little of [true, false]) {
    const end = little ? 'LE' : 'BE';
    // Where the byte of weight `index` is, of `size` bytes from `offset`.
    const at = (offset, size, index) => (little ? offset + index : offset + size - 1 - index);

    const readUnsigned = (buffer, offset, size) => {
      place(buffer, offset, size);
      let value = 0;
      for (let index = size - 1; index >= 0; index -= 1) value = value * 256 + buffer[at(offset, size, index)];
      return value;
    };
    const readSigned = (buffer, offset, size) => {
      const value = readUnsigned(buffer, offset, size);
      return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
    };
    const writeInteger = (buffer, value, offset, size, min, max) => {
      value = +value;
      checkValue(value, min, max, size);
      place(buffer, offset, size);
      let rest = Math.trunc(value) || 0;
      if (rest < 0) rest += 2 ** (8 * size);
      for (let index = 0; index < size; index += 1) {
        buffer[at(offset, size, index)] = rest % 256;
        rest = Math.floor(rest / 256);
      }
      return offset + size;
    };

    for (const size of [1, 2, 4]) {
      if (size === 1 && !little) continue;
      const bits = size * 8;
      const suffix = size === 1 ? '8' : `${bits}${end}`;
      add(`readUInt${suffix}`, function readUInt(offset = 0) { return readUnsigned(this, offset, size); });
      add(`readInt${suffix}`, function readInt(offset = 0) { return readSigned(this, offset, size); });
      add(`writeUInt${suffix}`, function writeUInt(value, offset = 0) {
        return writeInteger(this, value, offset, size, 0, 2 ** bits - 1);
      });
      add(`writeInt${suffix}`, function writeInt(value, offset = 0) {
        return writeInteger(this, value, offset, size, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
      });
    }

    const size = (byteLength) => {
      if (byteLength === undefined) throw invalidArgType('byteLength', 'of type number', byteLength);
      check.integer(byteLength, 'byteLength');
      if (byteLength < 1 || byteLength > 6) throw outOfRange('byteLength', '>= 1 and <= 6', byteLength);
      return byteLength;
    };
    const offsetOf = (offset) => {
      if (offset === undefined) throw invalidArgType('offset', 'of type number', offset);
      return offset;
    };
    add(`readUInt${end}`, function readUInt(offset, byteLength) {
      return readUnsigned(this, offsetOf(offset), size(byteLength));
    });
    add(`readInt${end}`, function readInt(offset, byteLength) {
      return readSigned(this, offsetOf(offset), size(byteLength));
    });
    add(`writeUInt${end}`, function writeUInt(value, offset, byteLength) {
      return writeInteger(this, value, offset, size(byteLength), 0, 2 ** (8 * byteLength) - 1);
    });
    add(`writeInt${end}`, function writeInt(value, offset, byteLength) {
      const half = 2 ** (8 * size(byteLength) - 1);
      return writeInteger(this, value, offset, byteLength, -half, half - 1);
    });

    const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    for (const [name, kind, bytes] of [['Float', 'Float32', 4], ['Double', 'Float64', 8]]) {
      methods[`read${name}${end}`] = function readFloat(offset = 0) {
        return view(this)[`get${kind}`](place(this, offset, bytes), little);
      };
      methods[`write${name}${end}`] = function writeFloat(value, offset = 0) {
        view(this)[`set${kind}`](place(this, offset, bytes), +value, little);
        return offset + bytes;
      };
    }
    const big = (name, method, min, max) => {
      add(`read${name}${end}`, function readBig(offset = 0) {
        return view(this)[`get${method}`](place(this, offset, 8), little);
      });
      add(`write${name}${end}`, function writeBig(value, offset = 0) {
        if (typeof value !== 'bigint') throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
        checkValue(value, min, max, 8);
        view(this)[`set${method}`](place(this, offset, 8), value, little);
        return offset + 8;
      });
    };
    big('BigUInt64', 'BigUint64', 0n, 2n ** 64n - 1n);
    big('BigInt64', 'BigInt64', -(2n ** 63n), 2n ** 63n - 1n);
  }

  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(method, 'name', { value: name });
    Object.defineProperty(prototype, name, {
      value: method, writable: true, configurable: true, enumerable: true,
    });
  }
};

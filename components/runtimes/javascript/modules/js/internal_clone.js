// structuredClone (https://html.spec.whatwg.org, structured data).
const { withCode } = require('internal/errors');
const types = require('util/types');

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const TYPED = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array];

function describe(value) {
  if (typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return Function.prototype.toString.call(value);
  return Object.prototype.toString.call(value).replace(/^\[object (.*)\]$/, '#<$1>');
}

function refuse(value) {
  return new DOMException(`${describe(value)} could not be cloned.`, 'DataCloneError');
}

function cloneBuffer(buffer, transfer, memory) {
  const known = memory.get(buffer);
  if (known !== undefined) return known;
  const copy = transfer.has(buffer) ? buffer.transfer() : buffer.slice(0);
  memory.set(buffer, copy);
  return copy;
}

function clone(value, transfer, memory) {
  if (typeof value === 'symbol' || typeof value === 'function') throw refuse(value);
  if (typeof value !== 'object' || value === null) return value;
  if (memory.has(value)) return memory.get(value);
  const keep = (copy) => {
    memory.set(value, copy);
    return copy;
  };
  if (types.isBoxedPrimitive(value)) {
    const plain = value.valueOf();
    if (typeof plain === 'symbol') throw refuse(value);
    return keep(Object(plain));
  }
  if (types.isDate(value)) return keep(new Date(Date.prototype.getTime.call(value)));
  if (types.isRegExp(value)) return keep(new RegExp(value.source, value.flags));
  if (types.isAnyArrayBuffer(value)) return cloneBuffer(value, transfer, memory);
  if (ArrayBuffer.isView(value)) {
    const { byteOffset } = value;
    const length = types.isDataView(value) ? value.byteLength : value.length;
    const Class = types.isDataView(value) ? DataView : TYPED.find((each) => value instanceof each);
    return keep(new Class(cloneBuffer(value.buffer, transfer, memory), byteOffset, length));
  }
  if (types.isMap(value)) {
    const copy = keep(new Map());
    for (const [key, entry] of [...Map.prototype.entries.call(value)]) {
      copy.set(clone(key, transfer, memory), clone(entry, transfer, memory));
    }
    return copy;
  }
  if (types.isSet(value)) {
    const copy = keep(new Set());
    for (const entry of [...Set.prototype.values.call(value)]) copy.add(clone(entry, transfer, memory));
    return copy;
  }
  if (types.isNativeError(value)) return cloneError(value, transfer, memory, keep);
  if (value instanceof DOMException) return keep(new DOMException(value.message, value.name));
  const own = value[Symbol.for('lamina.clone')];
  if (typeof own === 'function') return keep(own.call(value));
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || types.isGeneratorObject(value)
    || value instanceof WeakRef || types.isMapIterator(value) || types.isSetIterator(value)) throw refuse(value);
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, {
      value: clone(value[key], transfer, memory), writable: true, enumerable: true, configurable: true,
    });
  }
  return copy;
}

function cloneError(error, transfer, memory, keep) {
  const Class = ERRORS[error.name] ?? Error;
  const made = keep(new Class(error.message));
  const stack = Object.getOwnPropertyDescriptor(error, 'stack')?.value;
  if (typeof stack === 'string') Object.defineProperty(made, 'stack', { value: stack, writable: true, configurable: true });
  if (Object.hasOwn(error, 'cause')) {
    Object.defineProperty(made, 'cause', { value: clone(error.cause, transfer, memory), writable: true, configurable: true });
  }
  return made;
}

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The value argument must be specified');
  const transfer = new Set(options?.transfer ?? []);
  for (const each of transfer) {
    if (!types.isArrayBuffer(each)) throw new DOMException('Value not transferable', 'DataCloneError');
  }
  const memory = new Map();
  const copy = clone(value, transfer, memory);
  for (const buffer of transfer) if (!memory.has(buffer)) buffer.transfer();
  return copy;
}

module.exports = { structuredClone };

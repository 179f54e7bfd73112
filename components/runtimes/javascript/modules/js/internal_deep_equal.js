// Deep equality, for util.isDeepStrictEqual and assert.
const types = require('util/types');

const hasOwn = (value, key) => Object.prototype.hasOwnProperty.call(value, key);
const isEnumerable = (value, key) => Object.prototype.propertyIsEnumerable.call(value, key);
const isObject = (value) => typeof value === 'object' && value !== null;

const symbolsOf = (value) => Object.getOwnPropertySymbols(value).filter((key) => isEnumerable(value, key));

const KINDS = ['isArgumentsObject', 'isDate', 'isRegExp', 'isNativeError', 'isTypedArray', 'isAnyArrayBuffer',
  'isDataView', 'isSet', 'isMap', 'isBoxedPrimitive', 'isPromise', 'isWeakMap', 'isWeakSet'];
function kindOf(value) {
  if (Array.isArray(value)) return 'array';
  return KINDS.find((kind) => types[kind](value)) ?? 'object';
}

function sameBytes(left, right) {
  const bytes = (value) => ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  const a = bytes(left);
  const b = bytes(right);
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function sameTyped(left, right, strict) {
  if (left.length !== right.length) return false;
  if (strict) return left.every((value, at) => Object.is(value, right[at]));
  return left.every((value, at) => value === right[at]);
}

function sameInner(kind, left, right, strict, seen) {
  switch (kind) {
    case 'array': case 'isArgumentsObject': return left.length === right.length;
    case 'isDate': {
      const a = Date.prototype.getTime.call(left);
      const b = Date.prototype.getTime.call(right);
      return a === b || (Number.isNaN(a) && Number.isNaN(b));
    }
    case 'isRegExp':
      return left.source === right.source && left.flags === right.flags && left.lastIndex === right.lastIndex;
    case 'isNativeError':
      if (left.message !== right.message || left.name !== right.name) return false;
      for (const key of ['cause', 'errors']) {
        if (hasOwn(left, key) !== hasOwn(right, key)) return false;
        if (hasOwn(left, key) && !equal(left[key], right[key], strict, seen)) return false;
      }
      return true;
    case 'isTypedArray': return sameTyped(left, right, strict);
    case 'isAnyArrayBuffer': case 'isDataView': return sameBytes(left, right);
    case 'isBoxedPrimitive': return Object.is(left.valueOf(), right.valueOf()) && typeof left.valueOf() === typeof right.valueOf();
    case 'isSet': return left.size === right.size && sameSet(left, right, strict, seen);
    case 'isMap': return left.size === right.size && sameMap(left, right, strict, seen);
    case 'isPromise': case 'isWeakMap': case 'isWeakSet': return false;
    default: return true;
  }
}

function sameSet(left, right, strict, seen) {
  const rest = new Set();
  for (const value of right) if (!left.has(value)) rest.add(value);
  for (const value of left) {
    if (right.has(value)) continue;
    if (strict && !isObject(value)) return false;
    let found = false;
    for (const other of rest) {
      if (equal(value, other, strict, seen)) {
        rest.delete(other);
        found = true;
        break;
      }
    }
    if (!found) return false;
  }
  return true;
}

function sameMap(left, right, strict, seen) {
  const rest = new Set(right.keys());
  for (const [key, value] of left) {
    if (right.has(key) && equal(value, right.get(key), strict, seen)) {
      rest.delete(key);
      continue;
    }
    if (right.has(key) && !isObject(key)) return false;
    if (strict && !isObject(key)) return false;
    let found = false;
    for (const other of rest) {
      if (equal(key, other, strict, seen) && equal(value, right.get(other), strict, seen)) {
        rest.delete(other);
        found = true;
        break;
      }
    }
    if (!found) return false;
  }
  return true;
}

function sameProperties(kind, left, right, strict, seen) {
  let keys = Object.keys(left);
  let others = Object.keys(right);
  if (kind === 'isTypedArray') {
    const named = (key) => !/^\d+$/.test(key);
    keys = keys.filter(named);
    others = others.filter(named);
  }
  if (keys.length !== others.length) return false;
  if (!keys.every((key) => isEnumerable(right, key))) return false;
  if (strict) {
    const symbols = symbolsOf(left);
    if (symbols.length !== symbolsOf(right).length || !symbols.every((key) => isEnumerable(right, key))) return false;
    keys = [...keys, ...symbols];
  }
  return keys.every((key) => equal(left[key], right[key], strict, seen));
}

function equal(left, right, strict, seen = new Map()) {
  if (left === right) return left !== 0 || !strict || Object.is(left, right);
  if (strict) {
    if (!isObject(left) || !isObject(right)) return Number.isNaN(left) && Number.isNaN(right);
    if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  } else {
    if (!isObject(left)) {
      // eslint-disable-next-line eqeqeq
      return !isObject(right) && (left == right || (Number.isNaN(left) && Number.isNaN(right)));
    }
    if (!isObject(right)) return false;
  }
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  if (Object.prototype.toString.call(left) !== Object.prototype.toString.call(right)) return false;
  // Two that lead back to themselves are equal as far as all else is.
  if (seen.get(left) === right) return true;
  const before = seen.get(left);
  seen.set(left, right);
  const result = sameInner(kind, left, right, strict, seen) && sameProperties(kind, left, right, strict, seen);
  if (before === undefined) seen.delete(left);
  else seen.set(left, before);
  return result;
}

module.exports = {
  isDeepEqual: (left, right) => equal(left, right, false),
  isDeepStrictEqual: (left, right) => equal(left, right, true),
};

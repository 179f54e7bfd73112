// util.types: what a value is, whatever its prototype says.
const { promise, proxy } = natives('inspect');

const isObject = (value) => typeof value === 'object' && value !== null;

// A getter or method that throws unless `this` has the inner part.
function branded(probe) {
  return (value) => {
    if (!isObject(value)) return false;
    try {
      probe(value);
      return true;
    } catch {
      return false;
    }
  };
}
const getter = (Class, name) => {
  const { get } = Object.getOwnPropertyDescriptor(Class.prototype, name);
  return branded((value) => get.call(value));
};

const typedArrayTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag).get;
const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
const AsyncFunction = (async () => {}).constructor;
const GeneratorFunction = (function* () {}).constructor;
const AsyncGeneratorFunction = (async function* () {}).constructor;
// By the prototype's chain: the engine has no other mark, and nobody changes those.
const isKind = (Class) => (value) => typeof value === 'function' && Class.prototype.isPrototypeOf(value);

const mapIterator = Object.getPrototypeOf(new Map()[Symbol.iterator]());
const setIterator = Object.getPrototypeOf(new Set()[Symbol.iterator]());
const generator = Object.getPrototypeOf((function* () {}).prototype);
const asyncGenerator = Object.getPrototypeOf((async function* () {}).prototype);
const descends = (prototype) => (value) => isObject(value) && value !== prototype
  && Object.prototype.isPrototypeOf.call(prototype, value);

const regexpFlags = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get;
const probeKey = {};
const types = {
  isAnyArrayBuffer: (value) => types.isArrayBuffer(value) || types.isSharedArrayBuffer(value),
  isArrayBuffer: getter(ArrayBuffer, 'byteLength'),
  isSharedArrayBuffer: typeof SharedArrayBuffer === 'function' ? getter(SharedArrayBuffer, 'byteLength') : () => false,
  isArrayBufferView: ArrayBuffer.isView,
  isArgumentsObject: (value) => isObject(value) && !(Symbol.toStringTag in value) && tagOf(value) === 'Arguments',
  isAsyncFunction: (value) => isKind(AsyncFunction)(value) || isKind(AsyncGeneratorFunction)(value),
  isGeneratorFunction: (value) => isKind(GeneratorFunction)(value) || isKind(AsyncGeneratorFunction)(value),
  isGeneratorObject: (value) => descends(generator)(value) || descends(asyncGenerator)(value),
  isBigIntObject: branded((value) => BigInt.prototype.valueOf.call(value)),
  isBooleanObject: branded((value) => Boolean.prototype.valueOf.call(value)),
  isNumberObject: branded((value) => Number.prototype.valueOf.call(value)),
  isStringObject: branded((value) => String.prototype.valueOf.call(value)),
  isSymbolObject: branded((value) => Symbol.prototype.valueOf.call(value)),
  isBoxedPrimitive: (value) => types.isNumberObject(value) || types.isStringObject(value)
    || types.isBooleanObject(value) || types.isBigIntObject(value) || types.isSymbolObject(value),
  isDataView: getter(DataView, 'byteLength'),
  isDate: branded((value) => Date.prototype.getTime.call(value)),
  isExternal: () => false,
  isMap: getter(Map, 'size'),
  isMapIterator: descends(mapIterator),
  isModuleNamespaceObject: (value) => isObject(value) && Object.getPrototypeOf(value) === null
    && value[Symbol.toStringTag] === 'Module' && !Object.isExtensible(value),
  isNativeError: Error.isError ?? ((value) => value instanceof Error),
  isPromise: (value) => isObject(value) && promise(value) != null,
  isProxy: (value) => (isObject(value) || typeof value === 'function') && proxy(value) != null,
  isRegExp: (value) => isObject(value) && value !== RegExp.prototype && branded((v) => regexpFlags.call(v))(value),
  isSet: getter(Set, 'size'),
  isSetIterator: descends(setIterator),
  isTypedArray: (value) => ArrayBuffer.isView(value) && typedArrayTag.call(value) !== undefined,
  isWeakMap: branded((value) => WeakMap.prototype.has.call(value, probeKey)),
  isWeakSet: branded((value) => WeakSet.prototype.has.call(value, probeKey)),
  isCryptoKey: (value) => isObject(value) && value[Symbol.toStringTag] === 'CryptoKey',
  isKeyObject: (value) => isObject(value) && value instanceof require('crypto').KeyObject,
};
for (const name of ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array',
  'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
  types[`is${name}`] = (value) => ArrayBuffer.isView(value) && typedArrayTag.call(value) === name;
}
module.exports = types;

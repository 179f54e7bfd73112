// crypto: digests, HMAC and randomness (https://w3c.github.io/webcrypto). All else is
// refused with NotSupportedError, by name.
const { withCode, invalidArgType } = require('internal/errors');
const types = require('util/types');
const native = natives('hash');

const DIGESTS = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
const BLOCKS = { 'SHA-1': 64, 'SHA-256': 64, 'SHA-384': 128, 'SHA-512': 128 };
const MAKE = Symbol('make');
const secrets = new WeakMap();

const dom = (message, name) => new DOMException(message, name);
const unsupported = (what) => dom(`this runtime has no ${what}`, 'NotSupportedError');

function nameOf(algorithm) {
  const name = typeof algorithm === 'string' ? algorithm : algorithm?.name;
  if (typeof name !== 'string') throw new TypeError('the algorithm has no name');
  return name.toUpperCase();
}
function digestName(algorithm) {
  const name = nameOf(algorithm);
  if (DIGESTS[name] === undefined) throw unsupported(`crypto.subtle digest ${name}`);
  return name;
}

function bytes(data, name = 'data') {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  throw invalidArgType(name, 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', data);
}

class CryptoKey {
  constructor(key, parts) {
    if (key !== MAKE) throw withCode(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    secrets.set(this, parts);
  }
  get type() { return 'secret'; }
  get extractable() { return secrets.get(this).extractable; }
  get algorithm() { return secrets.get(this).algorithm; }
  get usages() { return [...secrets.get(this).usages]; }
}
Object.defineProperty(CryptoKey.prototype, Symbol.toStringTag, { value: 'CryptoKey', configurable: true });

function makeKey(secret, hash, extractable, usages, generated) {
  const wanted = [...new Set(usages)];
  for (const usage of wanted) {
    if (usage !== 'sign' && usage !== 'verify') throw dom('Unsupported key usage for an HMAC key', 'SyntaxError');
  }
  if (wanted.length === 0) throw dom('Usages cannot be empty when importing a secret key.', 'SyntaxError');
  const length = secret.length * 8;
  const algorithm = generated ? { name: 'HMAC', length, hash: { name: hash } } : { name: 'HMAC', hash: { name: hash }, length };
  return new CryptoKey(MAKE, { secret, hash, extractable: Boolean(extractable), usages: wanted, algorithm });
}

function mac(key, data) {
  const { secret, hash } = secrets.get(key);
  const step = native.createHmac(DIGESTS[hash], secret);
  step(bytes(data));
  return step(undefined);
}

function usable(algorithm, key, usage) {
  const name = nameOf(algorithm);
  if (name !== 'HMAC') throw unsupported(`crypto.subtle.${usage} with ${name}`);
  if (!(key instanceof CryptoKey)) throw invalidArgType('key', 'an instance of CryptoKey', key);
  if (!key.usages.includes(usage)) throw dom(`Unable to use this key to ${usage}`, 'InvalidAccessError');
}

class SubtleCrypto {
  constructor(key) {
    if (key !== MAKE) throw withCode(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
  }

  async digest(algorithm, data) {
    const name = digestName(algorithm);
    return native.hash(DIGESTS[name], bytes(data)).buffer;
  }

  async importKey(format, data, algorithm, extractable, usages) {
    const name = nameOf(algorithm);
    if (name !== 'HMAC') throw unsupported(`crypto.subtle.importKey with ${name}`);
    const hash = digestName(algorithm.hash);
    if (format === 'raw') {
      const secret = bytes(data, 'keyData').slice();
      if (secret.length === 0) throw dom('Zero-length key is not supported', 'DataError');
      return makeKey(secret, hash, extractable, usages);
    }
    if (format === 'jwk') {
      if (data?.kty !== 'oct' || typeof data.k !== 'string') throw dom('Invalid keyData', 'DataError');
      return makeKey(natives('text').base64Decode(data.k), hash, extractable, usages);
    }
    throw unsupported(`crypto.subtle.importKey in the format ${format}`);
  }

  async generateKey(algorithm, extractable, usages) {
    const name = nameOf(algorithm);
    if (name !== 'HMAC') throw unsupported(`crypto.subtle.generateKey with ${name}`);
    const hash = digestName(algorithm.hash);
    const length = algorithm.length === undefined ? BLOCKS[hash] : algorithm.length >> 3;
    if (!(length > 0)) throw dom('Zero-length key is not supported', 'OperationError');
    const secret = new Uint8Array(length);
    native.random(secret);
    return makeKey(secret, hash, extractable, usages, true);
  }

  async exportKey(format, key) {
    if (!(key instanceof CryptoKey)) throw invalidArgType('key', 'an instance of CryptoKey', key);
    if (!key.extractable) throw dom('key is not extractable', 'InvalidAccessError');
    const { secret, hash, usages } = secrets.get(key);
    if (format === 'raw') return secret.slice().buffer;
    if (format === 'jwk') {
      return {
        key_ops: [...usages], ext: true, kty: 'oct', k: natives('text').base64Encode(secret, true), alg: `HS${hash.replace('SHA-', '')}`,
      };
    }
    throw unsupported(`crypto.subtle.exportKey in the format ${format}`);
  }

  async sign(algorithm, key, data) {
    usable(algorithm, key, 'sign');
    return mac(key, data).buffer;
  }

  async verify(algorithm, key, signature, data) {
    usable(algorithm, key, 'verify');
    return native.equal(mac(key, data), bytes(signature, 'signature'));
  }
}
for (const name of ['encrypt', 'decrypt', 'deriveBits', 'deriveKey', 'wrapKey', 'unwrapKey']) {
  Object.defineProperty(SubtleCrypto.prototype, name, {
    value: { async [name](...args) {
      const algorithm = args.find((arg) => typeof arg?.name === 'string' && !(arg instanceof CryptoKey));
      throw unsupported(`crypto.subtle.${name}${algorithm ? ` with ${algorithm.name}` : ''}`);
    } }[name],
    writable: true,
    configurable: true,
  });
}
Object.defineProperty(SubtleCrypto.prototype, Symbol.toStringTag, { value: 'SubtleCrypto', configurable: true });

const subtle = new SubtleCrypto(MAKE);

class Crypto {
  constructor(key) {
    if (key !== MAKE) throw withCode(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
  }
  get subtle() { return subtle; }
  getRandomValues(array) {
    if (!types.isTypedArray(array) || array instanceof Float32Array || array instanceof Float64Array) {
      throw dom('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    }
    if (array.byteLength > 65536) {
      throw dom(`The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
    }
    native.random(bytes(array));
    return array;
  }
  randomUUID(options = undefined) { return require('crypto').randomUUID(options); }
  get CryptoKey() { return CryptoKey; }
}
Object.defineProperty(Crypto.prototype, Symbol.toStringTag, { value: 'Crypto', configurable: true });

module.exports = { Crypto, CryptoKey, SubtleCrypto, crypto: new Crypto(MAKE) };

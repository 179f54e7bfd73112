// node:crypto: hashes, HMAC, key derivation, randomness. Ciphers, signatures and key
// pairs fail at use, by name.
const { Buffer } = require('buffer');
const { check, invalidArgType, notHere, outOfRange, withCode } = require('internal/errors');
const { Hash, Hmac, KeyObject, bytesOf, nameOf, pbkdf2Sync, scryptSync, hkdfSync } = require('internal/hashes');
const native = natives('hash');

const later = (callback, work) => {
  check.function(callback, 'callback');
  setImmediate(() => {
    let result;
    try {
      result = work();
    } catch (error) {
      callback(error);
      return;
    }
    callback(null, result);
  });
};

function randomFillSync(target, offset = 0, size = undefined) {
  if (!ArrayBuffer.isView(target) && !(target instanceof ArrayBuffer)) {
    throw invalidArgType('buf', 'an instance of ArrayBuffer or ArrayBufferView', target);
  }
  const unit = target.BYTES_PER_ELEMENT ?? 1;
  const bytes = bytesOf(target);
  check.number(offset, 'offset', 0, bytes.length);
  const start = offset * unit;
  const length = size === undefined ? bytes.length - start : size * unit;
  if (start + length > bytes.length) throw outOfRange('size + offset', `<= ${bytes.length}`, start + length);
  native.random(bytes.subarray(start, start + length));
  return target;
}

function randomFill(target, offset, size, callback) {
  if (typeof offset === 'function') [callback, offset, size] = [offset, 0, undefined];
  else if (typeof size === 'function') [callback, size] = [size, undefined];
  later(callback, () => randomFillSync(target, offset, size));
}

function randomBytes(size, callback = undefined) {
  check.number(size, 'size', 0, 2 ** 31 - 1);
  if (callback !== undefined) {
    later(callback, () => randomFillSync(Buffer.alloc(size)));
    return undefined;
  }
  return randomFillSync(Buffer.alloc(size));
}

function randomInt(min, max, callback) {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  if (!Number.isSafeInteger(min)) throw invalidArgType('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw invalidArgType('max', 'a safe integer', max);
  if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
  const range = max - min;
  if (range > 2 ** 48 - 1) throw outOfRange('max - min', '<= 281474976710655', range);
  const limit = 2 ** 48 - (2 ** 48 % range);
  const draw = () => {
    for (;;) {
      const value = randomBytes(6).readUIntBE(0, 6);
      if (value < limit) return (value % range) + min;
    }
  };
  if (callback === undefined) return draw();
  later(callback, draw);
  return undefined;
}

function randomUUID(options = undefined) {
  if (options !== undefined) check.object(options, 'options');
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function timingSafeEqual(left, right) {
  for (const [name, value] of [['buf1', left], ['buf2', right]]) {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) {
      throw withCode(TypeError, 'ERR_INVALID_ARG_TYPE',
        `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
    }
  }
  const [a, b] = [bytesOf(left), bytesOf(right)];
  if (a.length !== b.length) {
    throw withCode(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  return native.equal(a, b);
}

function hash(algorithm, data, encoding = 'hex') {
  check.string(algorithm, 'algorithm');
  const made = new Hash(algorithm).update(data);
  return made.digest(encoding);
}

const HASHES = ['RSA-MD5', 'RSA-SHA1', 'RSA-SHA224', 'RSA-SHA256', 'RSA-SHA384', 'RSA-SHA512', 'md5', 'sha1', 'sha224', 'sha256',
  'sha384', 'sha512', 'sha512-224', 'sha512-256'];

function createSecretKey(key, encoding = undefined) {
  return new KeyObject('secret', Buffer.from(bytesOf(key, 'key', encoding)));
}

module.exports = {
  createHash: (algorithm, options) => new Hash(algorithm, options),
  createHmac: (algorithm, key, options) => new Hmac(algorithm, key, options),
  Hash,
  Hmac,
  KeyObject,
  createSecretKey,
  getHashes: () => [...HASHES],
  getCiphers: () => [],
  getCurves: () => [],
  getFips: () => 0,
  hash,
  randomBytes,
  pseudoRandomBytes: randomBytes,
  prng: randomBytes,
  rng: randomBytes,
  randomFill,
  randomFillSync,
  randomInt,
  randomUUID,
  timingSafeEqual,
  pbkdf2Sync,
  pbkdf2(password, salt, iterations, keylen, digest, callback) {
    if (typeof digest === 'function') throw invalidArgType('digest', 'of type string', undefined);
    check.string(digest, 'digest');
    if (!native.known(nameOf(digest))) throw withCode(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
    later(callback, () => pbkdf2Sync(password, salt, iterations, keylen, digest));
  },
  scryptSync,
  scrypt(password, salt, keylen, options, callback) {
    if (typeof options === 'function') [callback, options] = [options, undefined];
    later(callback, () => scryptSync(password, salt, keylen, options));
  },
  hkdfSync,
  hkdf(digest, key, salt, info, keylen, callback) {
    later(callback, () => hkdfSync(digest, key, salt, info, keylen));
  },
  getRandomValues: (array) => module.exports.webcrypto.getRandomValues(array),
  constants: {},
};
for (const name of ['createCipheriv', 'createDecipheriv', 'createSign', 'createVerify', 'sign', 'verify', 'createDiffieHellman',
  'createDiffieHellmanGroup', 'getDiffieHellman', 'createECDH', 'diffieHellman', 'generateKey', 'generateKeySync',
  'generateKeyPair', 'generateKeyPairSync', 'createPrivateKey', 'createPublicKey', 'publicEncrypt', 'publicDecrypt',
  'privateEncrypt', 'privateDecrypt', 'generatePrime', 'generatePrimeSync', 'checkPrime', 'checkPrimeSync', 'getCipherInfo',
  'setEngine', 'setFips']) {
  module.exports[name] = { [name]() { throw notHere(`crypto.${name}`); } }[name];
}
for (const name of ['Cipheriv', 'Decipheriv', 'Sign', 'Verify', 'DiffieHellman', 'ECDH', 'X509Certificate', 'Certificate']) {
  module.exports[name] = class { constructor() { throw notHere(`crypto.${name}`); } };
  Object.defineProperty(module.exports[name], 'name', { value: name });
}
for (const [name, pick] of [['webcrypto', (web) => web.crypto], ['subtle', (web) => web.crypto.subtle]]) {
  Object.defineProperty(module.exports, name, {
    enumerable: true, configurable: true, get: () => pick(require('internal/webcrypto')),
  });
}

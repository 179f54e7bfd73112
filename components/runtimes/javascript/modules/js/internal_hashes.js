// Hash, Hmac and key derivation, for node:crypto.
const { Buffer } = require('buffer');
const { check, invalidArgType, withCode } = require('internal/errors');
const { Transform } = require('stream');
const types = require('util/types');
const native = natives('hash');

const ALIASES = { 'rsa-md5': 'md5', 'rsa-sha1': 'sha1', 'rsa-sha224': 'sha224', 'rsa-sha256': 'sha256', 'rsa-sha384': 'sha384',
  'rsa-sha512': 'sha512', 'sha-1': 'sha1', 'sha-224': 'sha224', 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512',
  'sha512/256': 'sha512-256', 'sha512/224': 'sha512-224' };

function nameOf(algorithm) {
  const lower = algorithm.toLowerCase();
  return ALIASES[lower] ?? lower;
}

// Bytes of what may be text, a view or a buffer.
function bytesOf(value, name, encoding) {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value);
  throw invalidArgType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
}

function keyBytes(key, encoding) {
  if (key instanceof KeyObject) return key.bytes;
  if (typeof key === 'string' || ArrayBuffer.isView(key) || types.isAnyArrayBuffer(key)) return bytesOf(key, 'key', encoding);
  throw invalidArgType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey',
    key);
}

class KeyObject {
  constructor(type, bytes) {
    if (type !== 'secret') throw require('internal/errors').notHere(`crypto.KeyObject of type ${type}`);
    this.type = type;
    Object.defineProperty(this, 'bytes', { value: bytes, enumerable: false });
  }
  get symmetricKeySize() { return this.bytes.length; }
  export(options = undefined) {
    if (options?.format === 'jwk') return { kty: 'oct', k: Buffer.from(this.bytes).toString('base64url') };
    return Buffer.from(this.bytes);
  }
  equals(other) { return other instanceof KeyObject && native.equal(this.bytes, other.bytes); }
}

const inner = new WeakMap();

function digestOf(self, encoding) {
  const own = inner.get(self);
  if (own.done) throw withCode(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  own.done = true;
  const bytes = Object.setPrototypeOf(own.step(undefined), Buffer.prototype);
  return encoding && encoding !== 'buffer' ? bytes.toString(encoding) : bytes;
}

function update(data, encoding) {
  const own = inner.get(this);
  if (own.done) throw withCode(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  own.step(bytesOf(data, 'data', encoding));
  return this;
}

// Both are streams too: what is written is hashed, and read at the end.
function begin(self, step, options) {
  Transform.call(self, {
    ...options,
    transform(chunk, encoding, callback) {
      step(bytesOf(chunk, 'data', encoding));
      callback();
    },
    flush(callback) {
      const own = inner.get(self);
      own.done = true;
      self.push(Object.setPrototypeOf(step(undefined), Buffer.prototype));
      callback();
    },
  });
  inner.set(self, { step, done: false });
}

function Hash(algorithm, options) {
  if (!new.target) return new Hash(algorithm, options);
  check.string(algorithm, 'algorithm');
  const name = nameOf(algorithm);
  if (!native.known(name)) {
    throw new Error('Digest method not supported');
  }
  begin(this, native.create(name), options);
}
function Hmac(algorithm, key, options) {
  if (!new.target) return new Hmac(algorithm, key, options);
  check.string(algorithm, 'hmac');
  const bytes = keyBytes(key, options?.encoding);
  const name = nameOf(algorithm);
  if (!native.known(name)) throw withCode(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
  begin(this, native.createHmac(name, bytes), options);
}
for (const Class of [Hash, Hmac]) {
  Object.setPrototypeOf(Class.prototype, Transform.prototype);
  Object.setPrototypeOf(Class, Transform);
  Class.prototype.update = update;
  Class.prototype.digest = function digest(encoding = undefined) { return digestOf(this, encoding); };
}
Hash.prototype.copy = function copy(options = undefined) {
  const own = inner.get(this);
  if (own.done) throw withCode(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  const made = Object.create(Hash.prototype);
  begin(made, own.step(null), options);
  return made;
};
// A second digest of an HMAC is empty, as Node has it.
Hmac.prototype.digest = function digest(encoding = undefined) {
  if (inner.get(this).done) return encoding && encoding !== 'buffer' ? '' : Buffer.alloc(0);
  return digestOf(this, encoding);
};

function pbkdf2Sync(password, salt, iterations, keylen, digest) {
  check.string(digest, 'digest');
  const secret = bytesOf(password, 'password');
  const grain = bytesOf(salt, 'salt');
  check.integer(iterations, 'iterations', 1, 2 ** 31 - 1);
  check.integer(keylen, 'keylen', 0, 2 ** 31 - 1);
  const name = nameOf(digest);
  if (!native.known(name)) throw withCode(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
  return Object.setPrototypeOf(native.pbkdf2(name, secret, grain, iterations, keylen), Buffer.prototype);
}

function scryptSync(password, salt, keylen, options = {}) {
  const secret = bytesOf(password, 'password');
  const grain = bytesOf(salt, 'salt');
  check.integer(keylen, 'keylen', 0, 2 ** 31 - 1);
  const N = options.N ?? options.cost ?? 16384;
  const r = options.r ?? options.blockSize ?? 8;
  const p = options.p ?? options.parallelization ?? 1;
  const maxmem = options.maxmem ?? 32 * 1024 * 1024;
  const log = Math.log2(N);
  if (!Number.isInteger(log) || log < 1 || 128 * N * r > maxmem) {
    throw withCode(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'Invalid scrypt params: memory limit exceeded');
  }
  return Object.setPrototypeOf(native.scrypt(secret, grain, keylen, log, r, p), Buffer.prototype);
}

function hkdfSync(digest, key, salt, info, keylen) {
  check.string(digest, 'digest');
  const name = nameOf(digest);
  if (!native.known(name)) throw withCode(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
  const hmac = (secret, ...parts) => {
    const step = native.createHmac(name, secret);
    for (const part of parts) step(part);
    return step(undefined);
  };
  const size = native.hash(name, new Uint8Array(0)).length;
  check.integer(keylen, 'length', 0, 2 ** 31 - 1);
  if (keylen > 255 * size) throw withCode(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
  const grain = bytesOf(salt, 'salt');
  const middle = hmac(grain.length > 0 ? grain : new Uint8Array(size), keyBytes(key));
  const extra = bytesOf(info, 'info');
  const blocks = [];
  let block = new Uint8Array(0);
  for (let count = 1; blocks.length * size < keylen; count += 1) {
    block = hmac(middle, block, extra, Uint8Array.of(count));
    blocks.push(block);
  }
  const all = Buffer.concat(blocks).subarray(0, keylen);
  return all.buffer.slice(all.byteOffset, all.byteOffset + keylen);
}

module.exports = { Hash, Hmac, KeyObject, bytesOf, nameOf, pbkdf2Sync, scryptSync, hkdfSync };

// TextEncoder and TextDecoder (https://encoding.spec.whatwg.org).
const { withCode, invalidArgType } = require('internal/errors');
const text = natives('text');

const LABELS = new Map();
for (const [name, labels] of Object.entries({
  'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8',
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
  'windows-1252': 'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 '
    + 'iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252',
})) for (const label of labels.split(' ')) LABELS.set(label, name);

// What windows-1252 has at 0x80 to 0x9f.
const HIGH = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
  0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
  0x153, 0x9d, 0x17e, 0x178,
];

function encode(string) {
  return text.utf8Encode(string.isWellFormed() ? string : string.toWellFormed());
}

class TextEncoder {
  get encoding() { return 'utf-8'; }

  encode(input = '') { return encode(`${input}`); }

  encodeInto(source, target) {
    if (typeof source !== 'string') throw invalidArgType('src', 'of type string', source);
    if (!(target instanceof Uint8Array)) throw invalidArgType('dest', 'an instance of Uint8Array', target);
    const bytes = encode(source);
    let written = Math.min(bytes.length, target.length);
    // A character that does not fit whole is left out.
    while (written < bytes.length && written > 0 && (bytes[written] & 0xc0) === 0x80) written -= 1;
    target.set(bytes.subarray(0, written));
    let read = 0;
    for (let at = 0; at < written; at += 1) {
      if ((bytes[at] & 0xc0) !== 0x80) read += bytes[at] >= 0xf0 ? 2 : 1;
    }
    return { read, written };
  }
}
Object.defineProperty(TextEncoder.prototype, Symbol.toStringTag, { value: 'TextEncoder', configurable: true });

function view(input) {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const { types } = require('util');
  if (types.isAnyArrayBuffer(input)) return new Uint8Array(input);
  throw withCode(TypeError, 'ERR_INVALID_ARG_TYPE',
    'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.');
}

function concat(left, right) {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

// How many bytes at the end begin a character that is not whole yet.
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length <= back) return 0;
      // What can never become a character is not kept.
      const next = bytes[bytes.length - back + 1];
      if (byte > 0xf4 || byte < 0xc2) return 0;
      if (back > 1 && ((byte === 0xe0 && next < 0xa0) || (byte === 0xed && next > 0x9f)
        || (byte === 0xf0 && next < 0x90) || (byte === 0xf4 && next > 0x8f))) return 0;
      return back;
    }
    if (byte < 0x80) return 0;
  }
  return 0;
}

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #kept = new Uint8Array(0);
  #begun = false;

  constructor(label = 'utf-8', options = {}) {
    const encoding = LABELS.get(`${label}`.trim().toLowerCase());
    if (encoding === undefined) {
      throw withCode(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
    }
    if (options === null || typeof options !== 'object') {
      throw invalidArgType('options', 'of type object', options);
    }
    this.#encoding = encoding;
    this.#fatal = Boolean(options.fatal);
    this.#ignoreBOM = Boolean(options.ignoreBOM);
  }

  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input = undefined, options = {}) {
    const stream = Boolean(options?.stream);
    let bytes = view(input);
    if (this.#kept.length > 0) bytes = concat(this.#kept, bytes);
    this.#kept = new Uint8Array(0);
    let result;
    try {
      if (this.#encoding === 'utf-8') result = this.#utf8(bytes, stream);
      else if (this.#encoding === 'utf-16le') result = this.#utf16(bytes, stream);
      else result = this.#latin1(bytes);
    } catch (error) {
      this.#begun = false;
      throw error;
    }
    if (!this.#begun && !this.#ignoreBOM && this.#encoding !== 'windows-1252'
      && result.charCodeAt(0) === 0xfeff) result = result.slice(1);
    if (!stream) this.#begun = false;
    else if (bytes.length > this.#kept.length) this.#begun = true;
    return result;
  }

  #invalid() {
    return withCode(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA',
      `The encoded data was not valid for encoding ${this.#encoding}`);
  }

  #utf8(bytes, stream) {
    if (stream) {
      const keep = unfinished(bytes);
      this.#kept = bytes.slice(bytes.length - keep);
      bytes = bytes.subarray(0, bytes.length - keep);
    }
    if (!this.#fatal) return text.utf8Decode(bytes);
    const result = text.utf8DecodeFatal(bytes);
    if (result == null) throw this.#invalid();
    return result;
  }

  #utf16(bytes, stream) {
    let length = bytes.length & ~1;
    if (stream && length >= 2 && (bytes[length - 1] & 0xfc) === 0xd8) length -= 2;
    if (stream) this.#kept = bytes.slice(length);
    const result = utf16(bytes.subarray(0, length));
    const odd = !stream && bytes.length % 2 === 1;
    if (this.#fatal && (odd || !result.isWellFormed())) throw this.#invalid();
    return result.toWellFormed() + (odd ? '\ufffd' : '');
  }

  #latin1(bytes) {
    const result = text.latin1Decode(bytes);
    return result.replace(/[\x80-\x9f]/g, (c) => String.fromCharCode(HIGH[c.charCodeAt(0) - 0x80]));
  }
}
Object.defineProperty(TextDecoder.prototype, Symbol.toStringTag, { value: 'TextDecoder', configurable: true });

// Lone surrogates stay as they are.
function utf16(bytes) {
  let result = '';
  for (let at = 0; at + 1 < bytes.length; at += 8192) {
    const end = Math.min(at + 8192, bytes.length & ~1);
    const units = new Array((end - at) / 2);
    for (let index = at; index < end; index += 2) units[(index - at) / 2] = bytes[index] | bytes[index + 1] << 8;
    result += String.fromCharCode.apply(null, units);
  }
  return result;
}

module.exports = { TextEncoder, TextDecoder, encode, utf16, unfinished };

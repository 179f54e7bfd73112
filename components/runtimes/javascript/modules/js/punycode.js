// node:punycode, the part that libraries use.
const native = natives('url');
const { failing } = require('internal/absent');

const decode = (text) => [...text].map((character) => character.codePointAt(0));
module.exports = {
  version: '2.1.0',
  ucs2: { decode, encode: (points) => String.fromCodePoint(...points) },
  toASCII: (name) => native.toAscii(name),
  toUnicode: (name) => native.toUnicode(name),
  ...failing('punycode', ['encode', 'decode']),
};

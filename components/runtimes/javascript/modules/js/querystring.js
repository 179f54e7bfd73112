// node:querystring.
const PLAIN = /^[A-Za-z0-9!'()*\-._~]*$/;

function escape(text) {
  if (typeof text !== 'string') text = typeof text === 'object' ? String(text) : `${text}`;
  if (PLAIN.test(text)) return text;
  if (!text.isWellFormed()) {
    const error = new URIError('URI malformed');
    error.code = 'ERR_INVALID_URI';
    throw error;
  }
  return encodeURIComponent(text);
}

function unescapeBuffer(text, spaces) {
  const { Buffer } = require('buffer');
  const bytes = Buffer.from(text);
  const out = [];
  for (let at = 0; at < bytes.length; at += 1) {
    if (spaces && bytes[at] === 0x2b) {
      out.push(0x20);
      continue;
    }
    const pair = bytes[at] === 0x25 && at + 2 < bytes.length ? String.fromCharCode(bytes[at + 1], bytes[at + 2]) : '';
    if (/^[0-9a-fA-F]{2}$/.test(pair)) {
      out.push(parseInt(pair, 16));
      at += 2;
    } else out.push(bytes[at]);
  }
  return Buffer.from(out);
}

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return unescapeBuffer(text).toString();
  }
}

function plain(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  if (typeof value === 'bigint' || typeof value === 'boolean') return `${value}`;
  return '';
}

function stringify(object, separator, equals, options) {
  const sep = separator || '&';
  const eq = equals || '=';
  const encode = typeof options?.encodeURIComponent === 'function' ? options.encodeURIComponent : module.exports.escape;
  if (object === null || typeof object !== 'object') return '';
  const fields = [];
  for (const key of Object.keys(object)) {
    const value = object[key];
    const name = encode(plain(key));
    for (const each of Array.isArray(value) ? value : [value]) fields.push(`${name}${eq}${encode(plain(each))}`);
  }
  return fields.join(sep);
}

function parse(text, separator, equals, options) {
  const result = Object.create(null);
  if (typeof text !== 'string' || text.length === 0) return result;
  const sep = separator ? `${separator}` : '&';
  const eq = equals ? `${equals}` : '=';
  const own = options?.decodeURIComponent;
  const decode = typeof own === 'function' ? own : module.exports.unescape;
  const read = (part) => {
    if (typeof own === 'function') {
      try {
        return own(part.replaceAll('+', '%20'));
      } catch {
        return unescape(part.replaceAll('+', '%20'));
      }
    }
    return decode(part.replaceAll('+', ' '));
  };
  let max = typeof options?.maxKeys === 'number' ? options.maxKeys : 1000;
  if (!(max > 0)) max = Infinity;
  for (const part of text.split(sep)) {
    if (part === '') continue;
    if (max <= 0) break;
    max -= 1;
    const at = part.indexOf(eq);
    const name = read(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? '' : read(part.slice(at + eq.length));
    if (!(name in result)) result[name] = value;
    else if (Array.isArray(result[name])) result[name].push(value);
    else result[name] = [result[name], value];
  }
  return result;
}

module.exports = { unescapeBuffer, unescape, escape, stringify, encode: stringify, parse, decode: parse };

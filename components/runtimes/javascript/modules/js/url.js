// node:url: the old interface, and files as URLs.
const { check, invalidArgType, withCode } = require('internal/errors');
const { URL, URLSearchParams } = require('internal/url');
const querystring = require('querystring');
const native = natives('url');

const SLASHED = new Set(['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:']);

function Url() {
  for (const name of ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search', 'query', 'pathname',
    'path', 'href']) this[name] = null;
}

// What the old parser escapes wherever it is.
const ESCAPED = /[\t\n\r "'<>\\^`{|}]/g;

Url.prototype.parse = function parse(text, query, slashesDenoteHost) {
  check.string(text, 'url');
  let rest = text.trim();
  const at = rest.search(/[?#]/);
  const head = (at < 0 ? rest : rest.slice(0, at)).replaceAll('\\', '/');
  rest = head + (at < 0 ? '' : rest.slice(at));

  const scheme = /^[a-z0-9.+-]+:/i.exec(rest)?.[0];
  const protocol = scheme?.toLowerCase();
  if (scheme) {
    this.protocol = protocol;
    rest = rest.slice(scheme.length);
  }
  if ((slashesDenoteHost || scheme || /^\/\/[^@/]+@[^@/]+/.test(rest)) && rest.startsWith('//')
    && protocol !== 'javascript:') {
    rest = rest.slice(2);
    this.slashes = true;
  }
  if (protocol !== 'javascript:' && (this.slashes || (scheme && !SLASHED.has(protocol)))) {
    rest = this.authority(rest);
  }

  if (protocol !== 'javascript:') rest = rest.replace(ESCAPED, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const hash = rest.indexOf('#');
  if (hash >= 0) {
    this.hash = rest.slice(hash);
    rest = rest.slice(0, hash);
  }
  const mark = rest.indexOf('?');
  if (mark >= 0) {
    this.search = rest.slice(mark);
    this.query = query ? querystring.parse(rest.slice(mark + 1)) : rest.slice(mark + 1);
    rest = rest.slice(0, mark);
  } else if (query) {
    this.search = null;
    this.query = Object.create(null);
  }
  if (rest) this.pathname = rest;
  if (SLASHED.has(protocol) && this.hostname && !this.pathname) this.pathname = '/';
  if (this.pathname || this.search) this.path = (this.pathname || '') + (this.search || '');
  this.href = this.format();
  return this;
};

Url.prototype.authority = function authority(rest) {
  const end = rest.search(/[/?#]/);
  let host = end < 0 ? rest : rest.slice(0, end);
  let tail = end < 0 ? '' : rest.slice(end);
  const sign = host.lastIndexOf('@');
  if (sign >= 0) {
    this.auth = decodeURIComponent(host.slice(0, sign));
    host = host.slice(sign + 1);
  }
  const port = /:([0-9]*)$/.exec(host);
  if (port && !host.endsWith(']')) {
    if (port[1] !== '') [, this.port] = port;
    host = host.slice(0, -port[0].length);
  }
  const six = host.startsWith('[') && host.endsWith(']');
  if (!six) {
    const bad = host.search(/[^a-z0-9.\-+_\u0080-\uffff]/i);
    if (bad >= 0) {
      if (host[bad] === ':') throw invalidUrl(rest);
      tail = `/${host.slice(bad)}${tail}`;
      host = host.slice(0, bad);
    }
    host = host.toLowerCase();
    if (/[^\0-\x7f]/.test(host)) host = native.toAscii(host);
  }
  this.hostname = host.length > 255 ? '' : host.toLowerCase();
  this.host = this.hostname + (this.port ? `:${this.port}` : '');
  if (six) this.hostname = this.hostname.slice(1, -1);
  return tail;
};

function invalidUrl(input) {
  const error = withCode(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
  error.input = input;
  return error;
}

Url.prototype.format = function formatUrl() {
  let auth = this.auth || '';
  if (auth) auth = `${encodeURIComponent(auth).replace(/%3A/gi, ':').replace(/%20/g, '%20')}@`;
  let protocol = this.protocol || '';
  let pathname = this.pathname || '';
  let hash = this.hash || '';
  let host = '';
  let query = '';
  if (this.host) host = auth + this.host;
  else if (this.hostname) {
    host = auth + (this.hostname.includes(':') && !this.hostname.startsWith('[') ? `[${this.hostname}]` : this.hostname);
    if (this.port) host += `:${this.port}`;
  }
  if (this.query !== null && typeof this.query === 'object') query = querystring.stringify(this.query);
  let search = this.search || (query && `?${query}`) || '';
  if (protocol && !protocol.endsWith(':')) protocol += ':';
  pathname = pathname.replace(/[?#]/g, (c) => encodeURIComponent(c));
  if (this.slashes || SLASHED.has(protocol)) {
    if (this.slashes || host) {
      if (pathname && !pathname.startsWith('/')) pathname = `/${pathname}`;
      host = `//${host}`;
    } else if (protocol === 'file:') host = '//';
  }
  search = search.replaceAll('#', '%23');
  if (hash && !hash.startsWith('#')) hash = `#${hash}`;
  if (search && !search.startsWith('?')) search = `?${search}`;
  return protocol + host + pathname + search + hash;
};

function parse(text, query, slashes) {
  if (text instanceof Url) return text;
  return new Url().parse(text, query, slashes);
}

function formatAny(value, options) {
  if (typeof value === 'string') return parse(value).format();
  if (typeof value !== 'object' || value === null) {
    throw invalidArgType('urlObject', "one of type object or string", value);
  }
  if (!(value instanceof URL)) return Url.prototype.format.call(value);
  if (options !== undefined) check.object(options, 'options');
  const { auth = true, fragment = true, search = true, unicode = false } = options ?? {};
  let text = value.protocol;
  if (value.host !== '' || value.protocol === 'file:') {
    text += '//';
    if (auth && (value.username || value.password)) {
      text += value.username + (value.password ? `:${value.password}` : '');
      text += '@';
    }
    text += unicode ? native.toUnicode(value.hostname) : value.hostname;
    if (value.port) text += `:${value.port}`;
  }
  text += value.pathname;
  if (search) text += value.search;
  if (fragment) text += value.hash;
  return text;
}

function dots(segments, keepAbove) {
  const out = [];
  let up = 0;
  for (let at = segments.length - 1; at >= 0; at -= 1) {
    const last = segments[at];
    if (last === '.') continue;
    else if (last === '..') up += 1;
    else if (up > 0) up -= 1;
    else out.unshift(last);
  }
  if (keepAbove) while (up > 0) { out.unshift('..'); up -= 1; }
  return out;
}

Url.prototype.resolve = function resolveText(relative) { return this.resolveObject(parse(relative, false, true)).format(); };

Url.prototype.resolveObject = function resolveObject(relative) {
  if (typeof relative === 'string') relative = parse(relative, false, true);
  const result = Object.assign(new Url(), this);
  result.hash = relative.hash;
  if (relative.href === '') {
    result.href = result.format();
    return result;
  }
  const finish = () => {
    if (result.pathname || result.search) result.path = (result.pathname || '') + (result.search || '');
    else result.path = null;
    result.href = result.format();
    return result;
  };
  if (relative.slashes && !relative.protocol) {
    const { protocol } = result;
    Object.assign(result, relative, { protocol });
    if (SLASHED.has(protocol) && result.hostname && !result.pathname) result.pathname = '/';
    return finish();
  }
  if (relative.protocol && relative.protocol !== result.protocol) return Object.assign(result, relative) && finish();
  if (relative.protocol && relative.slashes) return Object.assign(result, relative) && finish();

  const absoluteBase = Boolean(result.pathname?.startsWith('/'));
  const absolute = Boolean(relative.host || relative.pathname?.startsWith('/'));
  const mustBeAbsolute = absolute || absoluteBase || Boolean(result.host && relative.pathname);
  let segments = result.pathname?.split('/') ?? [];
  const given = relative.pathname?.split('/') ?? [];
  if (absolute) {
    if (relative.host) {
      if (result.host !== relative.host) result.auth = null;
      Object.assign(result, { host: relative.host, hostname: relative.hostname, port: relative.port });
    }
    result.search = relative.search;
    result.query = relative.query;
    segments = given;
  } else if (given.length > 0) {
    segments = [...segments.slice(0, -1), ...given];
    result.search = relative.search;
    result.query = relative.query;
  } else if (relative.search != null) {
    result.search = relative.search;
    result.query = relative.query;
    return finish();
  }
  if (segments.length === 0) {
    result.pathname = null;
    return finish();
  }
  const last = segments.at(-1);
  const trailing = ((result.host || relative.host || segments.length > 1) && (last === '.' || last === '..')) || last === '';
  segments = dots(segments, !mustBeAbsolute);
  if (mustBeAbsolute && segments[0] !== '' && !segments[0]?.startsWith('/')) segments.unshift('');
  if (trailing && !segments.join('/').endsWith('/')) segments.push('');
  result.pathname = segments.length > 0 ? segments.join('/') : null;
  return finish();
};

function fileURLToPath(path) {
  if (typeof path === 'string') path = new URL(path);
  else if (!(path?.href && path.protocol)) throw invalidArgType('path', 'of type string or an instance of URL', path);
  if (path.protocol !== 'file:') throw withCode(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (path.hostname !== '') {
    throw withCode(TypeError, 'ERR_INVALID_FILE_URL_HOST', `File URL host must be "localhost" or empty on ${require('process').platform}`);
  }
  if (/%2f/i.test(path.pathname)) {
    throw withCode(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  }
  return decodeURIComponent(path.pathname);
}

function pathToFileURL(path) {
  check.string(path, 'path');
  const { resolve } = require('path');
  let full = resolve(path);
  if (path.endsWith('/') && !full.endsWith('/')) full += '/';
  const escaped = full.replace(/[%\\\n\r\t?#]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  return new URL(`file://${escaped}`);
}

function urlToHttpOptions(url) {
  const { hostname, pathname, port, username, password, search } = url;
  const options = {
    __proto__: null,
    ...url,
    protocol: url.protocol,
    hostname: hostname?.startsWith('[') ? hostname.slice(1, -1) : hostname,
    hash: url.hash,
    search,
    pathname,
    path: `${pathname || ''}${search || ''}`,
    href: url.href,
  };
  if (port !== '') options.port = Number(port);
  if (username || password) options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return options;
}

module.exports = {
  Url,
  parse,
  resolve: (from, to) => parse(from, false, true).resolve(to),
  resolveObject: (from, to) => (from ? parse(from, false, true).resolveObject(to) : to),
  format: formatAny,
  URL,
  URLSearchParams,
  domainToASCII: (name) => native.toAscii(`${name}`),
  domainToUnicode: (name) => native.toUnicode(`${name}`),
  pathToFileURL,
  fileURLToPath,
  urlToHttpOptions,
};

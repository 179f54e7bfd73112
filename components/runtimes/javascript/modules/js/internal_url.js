// URL and URLSearchParams (https://url.spec.whatwg.org). Parsing is Rust's.
const { invalidArgType, withCode } = require('internal/errors');
const native = natives('url');

const PARTS = ['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'origin'];
const custom = Symbol.for('nodejs.util.inspect.custom');

const wellFormed = (value) => {
  const text = `${value}`;
  return text.isWellFormed() ? text : text.toWellFormed();
};

function decode(text) {
  text = text.replaceAll('+', ' ');
  if (!text.includes('%')) return text;
  const bytes = require('buffer').Buffer.from(text);
  const out = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const pair = bytes[at] === 0x25 ? String.fromCharCode(bytes[at + 1], bytes[at + 2]) : '';
    if (/^[0-9a-fA-F]{2}$/.test(pair)) {
      out.push(parseInt(pair, 16));
      at += 2;
    } else out.push(bytes[at]);
  }
  return natives('text').utf8Decode(new Uint8Array(out));
}

function encode(text) {
  return encodeURIComponent(wellFormed(text)).replace(/[!'()~]|%20/g, (found) => (found === '%20' ? '+'
    : `%${found.charCodeAt(0).toString(16).toUpperCase()}`));
}

function parsePairs(text) {
  const pairs = [];
  for (const part of text.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    pairs.push(at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
  }
  return pairs;
}

// What a URL and its search parameters tell each other.
const attach = Symbol('attach');
const reload = Symbol('reload');

function need(count, ...names) {
  if (count < names.length) {
    const list = names.map((name) => `"${name}"`);
    const text = list.length === 1 ? `${list[0]} argument` : `${list.slice(0, -1).join(', ')} and ${list.at(-1)} arguments`;
    throw withCode(TypeError, 'ERR_MISSING_ARGS', `The ${text} must be specified`);
  }
}

const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
class ParamsIterator {
  #params;
  #pick;
  #at = 0;
  constructor(params, pick) {
    this.#params = params;
    this.#pick = pick;
  }
  next() {
    const pairs = this.#params();
    if (this.#at >= pairs.length) return { value: undefined, done: true };
    const value = this.#pick(pairs[this.#at]);
    this.#at += 1;
    return { value, done: false };
  }
  [custom](depth, options, inspect) {
    const rest = this.#params().slice(this.#at).map(this.#pick);
    return `URLSearchParams Iterator ${inspect(rest, options).replace(/^\[/, '{').replace(/\]$/, '}')}`;
  }
}
Object.setPrototypeOf(ParamsIterator.prototype, iteratorPrototype);
Object.defineProperty(ParamsIterator.prototype, Symbol.toStringTag, { value: 'URLSearchParams Iterator', configurable: true });

class URLSearchParams {
  #pairs = [];
  #url = null;

  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init === 'object' || typeof init === 'function') {
      const method = init[Symbol.iterator];
      if (method === this[Symbol.iterator] && #pairs in init) {
        this.#pairs = init.#pairs.map((pair) => [...pair]);
      } else if (method != null) {
        if (typeof method !== 'function') throw withCode(TypeError, 'ERR_ARG_NOT_ITERABLE', 'Query pairs must be iterable');
        for (const pair of init) {
          const tuple = pair != null && typeof pair !== 'string' && typeof pair[Symbol.iterator] === 'function' ? [...pair] : null;
          if (tuple?.length !== 2) {
            throw withCode(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          }
          this.#pairs.push(tuple.map(wellFormed));
        }
      } else {
        for (const key of Reflect.ownKeys(init)) {
          if (!Object.prototype.propertyIsEnumerable.call(init, key)) continue;
          const name = wellFormed(key);
          const found = this.#pairs.find((pair) => pair[0] === name);
          if (found) found[1] = wellFormed(init[key]);
          else this.#pairs.push([name, wellFormed(init[key])]);
        }
      }
    } else {
      const text = wellFormed(init);
      this.#pairs = parsePairs(text.startsWith('?') ? text.slice(1) : text);
    }
  }

  [attach](url) { this.#url = url; }
  [reload](search) { this.#pairs = parsePairs(search.startsWith('?') ? search.slice(1) : search); }
  #changed() { this.#url?.(this.toString()); }

  get size() { return this.#pairs.length; }
  append(name, value) {
    need(arguments.length, 'name', 'value');
    this.#pairs.push([wellFormed(name), wellFormed(value)]);
    this.#changed();
  }
  delete(name, value = undefined) {
    need(arguments.length, 'name');
    name = wellFormed(name);
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== wellFormed(value)));
    this.#changed();
  }
  get(name) {
    need(arguments.length, 'name');
    name = wellFormed(name);
    return this.#pairs.find((pair) => pair[0] === name)?.[1] ?? null;
  }
  getAll(name) {
    need(arguments.length, 'name');
    name = wellFormed(name);
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }
  has(name, value = undefined) {
    need(arguments.length, 'name');
    name = wellFormed(name);
    return this.#pairs.some((pair) => pair[0] === name && (value === undefined || pair[1] === wellFormed(value)));
  }
  set(name, value) {
    need(arguments.length, 'name', 'value');
    name = wellFormed(name);
    value = wellFormed(value);
    const first = this.#pairs.find((pair) => pair[0] === name);
    if (first) {
      first[1] = value;
      this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== name);
    } else this.#pairs.push([name, value]);
    this.#changed();
  }
  sort() {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#changed();
  }
  forEach(callback, self = undefined) {
    if (typeof callback !== 'function') throw invalidArgType('callback', 'of type function', callback);
    for (let at = 0; at < this.#pairs.length; at += 1) {
      const [name, value] = this.#pairs[at];
      callback.call(self, value, name, this);
    }
  }
  entries() { return new ParamsIterator(() => this.#pairs, (pair) => [...pair]); }
  keys() { return new ParamsIterator(() => this.#pairs, (pair) => pair[0]); }
  values() { return new ParamsIterator(() => this.#pairs, (pair) => pair[1]); }
  toString() { return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&'); }

  [custom](depth, options, inspect) {
    if (depth < 0) return '[Object]';
    const pairs = this.#pairs.map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`);
    return pairs.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${pairs.join(', ')} }`;
  }
}
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  value: URLSearchParams.prototype.entries, writable: true, configurable: true,
});

function invalid(input, base) {
  const error = withCode(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
  error.input = input;
  if (base !== undefined) error.base = base;
  return error;
}

class URL {
  #parts;
  #params;

  constructor(input, base = undefined) {
    if (arguments.length === 0) throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
    const text = wellFormed(input);
    const from = base === undefined ? undefined : wellFormed(base);
    const parts = native.parse(text, from);
    if (parts == null) throw invalid(text, from);
    this.#parts = parts;
  }

  static canParse(input, base = undefined) {
    if (arguments.length === 0) throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
    return native.parse(wellFormed(input), base === undefined ? undefined : wellFormed(base)) != null;
  }
  static createObjectURL() { throw require('internal/errors').notHere('URL.createObjectURL'); }
  static revokeObjectURL() {}

  static {
    PARTS.forEach((name, at) => {
      const descriptor = { enumerable: true, configurable: true, get() { return this.#parts[at]; } };
      if (name === 'href') {
        descriptor.set = function set(value) {
          const text = wellFormed(value);
          const parts = native.parse(text, undefined);
          if (parts == null) throw invalid(text);
          this.#parts = parts;
          this.#params?.[reload](parts[8]);
        };
      } else if (name !== 'origin') {
        descriptor.set = function set(value) { this.#set(name, wellFormed(value)); };
      }
      Object.defineProperty(URL.prototype, name, descriptor);
    });
  }

  #set(name, value) {
    this.#parts = native.set(this.#parts[0], name, value) ?? this.#parts;
    if (name === 'search') this.#params?.[reload](this.#parts[8]);
  }

  get searchParams() {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.#parts[8]);
      this.#params[attach]((search) => this.#set_(search));
    }
    return this.#params;
  }
  #set_(search) { this.#parts = native.set(this.#parts[0], 'search', search) ?? this.#parts; }

  toString() { return this.#parts[0]; }
  toJSON() { return this.#parts[0]; }

  [custom](depth, options, inspect) {
    if (typeof depth === 'number' && depth < 0) return this;
    const shown = { __proto__: { constructor: this.constructor === URL ? URL : this.constructor } };
    for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname',
      'search', 'searchParams', 'hash']) shown[name] = this[name];
    return `${this.constructor.name} ${inspect(shown, options).replace(/^[^{]*/, '')}`;
  }
}

for (const Class of [URL, URLSearchParams]) {
  for (const name of Object.getOwnPropertyNames(Class.prototype)) {
    if (name !== 'constructor') Object.defineProperty(Class.prototype, name, { enumerable: true });
  }
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}

module.exports = { URL, URLSearchParams };

// Headers, Request, Response, FormData (https://fetch.spec.whatwg.org). fetch itself
// rejects: functions have no network.
const { Buffer } = require('buffer');
const { noNetwork } = require('internal/errors');
const types = require('util/types');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const custom = Symbol.for('nodejs.util.inspect.custom');

function nameOf(name) {
  if (!TOKEN.test(`${name}`)) throw new TypeError(`Headers: ${name} is an invalid header name.`);
  return `${name}`.toLowerCase();
}
function valueOf(value) {
  const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\n\r]/.test(text)) throw new TypeError(`Headers: ${JSON.stringify(text)} is an invalid header value.`);
  return text;
}

class Headers {
  #map = new Map();
  constructor(init = undefined) {
    if (init === undefined) return;
    if (init === null || typeof init !== 'object') {
      throw new TypeError("Headers constructor: init given is not a sequence or record");
    }
    if (typeof init[Symbol.iterator] === 'function') {
      for (const pair of init) {
        const list = [...pair];
        if (list.length !== 2) throw new TypeError('Headers constructor: expected name/value pair to be length 2, found ' + list.length + '.');
        this.append(list[0], list[1]);
      }
    } else for (const key of Reflect.ownKeys(init)) this.append(key, init[key]);
  }
  append(name, value) {
    const key = nameOf(name);
    const list = this.#map.get(key) ?? [];
    list.push(valueOf(value));
    this.#map.set(key, list);
  }
  delete(name) { this.#map.delete(nameOf(name)); }
  get(name) { return this.#map.get(nameOf(name))?.join(', ') ?? null; }
  getSetCookie() { return [...(this.#map.get('set-cookie') ?? [])]; }
  has(name) { return this.#map.has(nameOf(name)); }
  set(name, value) { this.#map.set(nameOf(name), [valueOf(value)]); }
  forEach(callback, self = undefined) { for (const [name, value] of this) callback.call(self, value, name, this); }
  * entries() {
    for (const key of [...this.#map.keys()].sort()) {
      if (key === 'set-cookie') for (const value of this.#map.get(key)) yield [key, value];
      else yield [key, this.get(key)];
    }
  }
  * keys() { for (const [key] of this.entries()) yield key; }
  * values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  [custom](depth, options, inspect) { return `Headers ${inspect(Object.fromEntries(this), options)}`; }
}

class FormData {
  #entries = [];
  #value(value, name) {
    if (!(value instanceof Blob)) return `${value}`.toWellFormed();
    return value instanceof File && name === undefined ? value : new File([value], name ?? value.name ?? 'blob', { type: value.type });
  }
  append(name, value, file = undefined) { this.#entries.push([`${name}`, this.#value(value, file)]); }
  set(name, value, file = undefined) {
    const at = this.#entries.findIndex((entry) => entry[0] === `${name}`);
    this.#entries = this.#entries.filter((entry, index) => entry[0] !== `${name}` || index === at);
    if (at < 0) this.append(name, value, file);
    else this.#entries[this.#entries.findIndex((entry) => entry[0] === `${name}`)][1] = this.#value(value, file);
  }
  delete(name) { this.#entries = this.#entries.filter((entry) => entry[0] !== `${name}`); }
  get(name) { return this.#entries.find((entry) => entry[0] === `${name}`)?.[1] ?? null; }
  getAll(name) { return this.#entries.filter((entry) => entry[0] === `${name}`).map((entry) => entry[1]); }
  has(name) { return this.#entries.some((entry) => entry[0] === `${name}`); }
  forEach(callback, self = undefined) { for (const [name, value] of this) callback.call(self, value, name, this); }
  * entries() { for (const [name, value] of this.#entries) yield [name, value]; }
  * keys() { for (const [name] of this.#entries) yield name; }
  * values() { for (const [, value] of this.#entries) yield value; }
  [Symbol.iterator]() { return this.entries(); }
}

// A body's stream or bytes, and the type that it implies.
function extract(body) {
  if (body == null) return { source: null, type: null };
  if (typeof body === 'string') return { source: Buffer.from(body.toWellFormed()), type: 'text/plain;charset=UTF-8' };
  if (body instanceof URLSearchParams) return { source: Buffer.from(`${body}`), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  if (types.isAnyArrayBuffer(body)) return { source: Buffer.from(body.slice(0)), type: null };
  if (ArrayBuffer.isView(body)) return { source: Buffer.from(Buffer.from(body.buffer, body.byteOffset, body.byteLength)), type: null };
  if (body instanceof Blob) return { stream: body.stream(), type: body.type || null };
  if (body instanceof ReadableStream) {
    if (body.locked || require('internal/webstreams').isDisturbed(body)) throw new TypeError('Response body object should not be disturbed or locked');
    return { stream: body, type: null };
  }
  if (body instanceof FormData) return multipart(body);
  if (typeof body[Symbol.asyncIterator] === 'function') return { stream: ReadableStream.from(body), type: null };
  return { source: Buffer.from(`${body}`), type: 'text/plain;charset=UTF-8' };
}
function multipart(form) {
  const boundary = `----formdata-lamina-${crypto.randomUUID()}`;
  const quote = (text) => text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');
  const parts = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"`;
    if (typeof value === 'string') parts.push(`${head}\r\n\r\n${value}\r\n`);
    else parts.push(`${head}; filename="${quote(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`, value, '\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  return { stream: new Blob(parts).stream(), type: `multipart/form-data; boundary=${boundary}` };
}

class Body {
  #stream = null;
  #used = false;
  #source;
  _set({ source, stream }) {
    this.#source = source ?? undefined;
    if (source != null) {
      this.#stream = new ReadableStream({
        start(controller) {
          if (source.length > 0) controller.enqueue(new Uint8Array(source));
          controller.close();
        },
      });
    } else this.#stream = stream ?? null;
  }
  get body() { return this.#stream; }
  get bodyUsed() { return this.#used || (this.#stream !== null && require('internal/webstreams').isDisturbed(this.#stream)); }
  async #all() {
    if (this.bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
    if (this.#stream?.locked) throw new TypeError('Body is unusable: Body has already been read');
    this.#used = true;
    if (this.#stream === null) return Buffer.alloc(0);
    const parts = [];
    for await (const chunk of this.#stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('Received non-Uint8Array chunk');
      parts.push(chunk);
    }
    return Buffer.concat(parts);
  }
  async arrayBuffer() { return new Uint8Array(await this.#all()).buffer; }
  async bytes() { return new Uint8Array(await this.#all()); }
  async text() { return new TextDecoder().decode(await this.#all()); }
  async json() { return JSON.parse(await this.text()); }
  async blob() { return new Blob([await this.#all()], { type: this.headers.get('content-type') ?? '' }); }
  async formData() {
    const type = this.headers.get('content-type') ?? '';
    if (!/^application\/x-www-form-urlencoded/i.test(type)) throw new TypeError(`this runtime has no formData() of ${type || 'a body without type'}`);
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(await this.text())) form.append(name, value);
    return form;
  }
  _fork() {
    if (this.bodyUsed || this.#stream?.locked) throw new TypeError('Response.clone: Body has already been consumed.');
    if (this.#stream === null) return {};
    const [left, right] = this.#stream.tee();
    this.#stream = left;
    return { stream: right };
  }
}

const NO_BODY = new Set([101, 103, 204, 205, 304]);
class Response extends Body {
  #state;
  constructor(body = null, init = {}) {
    super();
    const status = init?.status === undefined ? 200 : Number(init.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    }
    const made = extract(body);
    if (body != null && NO_BODY.has(status)) throw new TypeError(`Response constructor: Invalid response status code ${status}`);
    const headers = new Headers(init?.headers);
    if (made.type && !headers.has('content-type')) headers.set('content-type', made.type);
    this.#state = { status, statusText: `${init?.statusText ?? ''}`, headers, type: 'default', url: '' };
    this._set(made);
  }
  get status() { return this.#state.status; }
  get statusText() { return this.#state.statusText; }
  get headers() { return this.#state.headers; }
  get type() { return this.#state.type; }
  get url() { return this.#state.url; }
  get ok() { return this.status >= 200 && this.status <= 299; }
  get redirected() { return false; }
  clone() {
    const copy = new Response(null, { status: this.status, statusText: this.statusText, headers: this.headers });
    copy._set(this._fork());
    return copy;
  }
  static error() {
    const made = new Response();
    Object.assign(made.#state, { type: 'error', status: 0 });
    return made;
  }
  static json(data, init = {}) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(text, { ...init, headers });
  }
  static redirect(url, status = 302) {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }
}

class Request extends Body {
  #state;
  constructor(input, init = {}) {
    super();
    const from = input instanceof Request ? input : undefined;
    const url = from ? from.url : new URL(`${input}`).href;
    const given = `${init.method ?? from?.method ?? 'GET'}`;
    if (!TOKEN.test(given)) throw new TypeError(`'${given}' is not a valid HTTP method.`);
    const upper = given.toUpperCase();
    const method = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH'].includes(upper) ? upper : given;
    const made = init.body != null ? extract(init.body) : from ? from._fork() : {};
    if (init.body != null && (method === 'GET' || method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
    const headers = new Headers(init.headers ?? from?.headers);
    if (made.type && !headers.has('content-type')) headers.set('content-type', made.type);
    this.#state = {
      url, method, headers, signal: init.signal ?? from?.signal ?? new AbortController().signal,
      redirect: init.redirect ?? 'follow', credentials: init.credentials ?? 'same-origin', mode: init.mode ?? 'cors',
      cache: init.cache ?? 'default', referrer: 'about:client', referrerPolicy: '', integrity: init.integrity ?? '',
      keepalive: Boolean(init.keepalive), duplex: 'half', destination: '',
    };
    this._set(made);
  }
  static {
    for (const name of ['url', 'method', 'headers', 'signal', 'redirect', 'credentials', 'mode', 'cache', 'referrer',
      'referrerPolicy', 'integrity', 'keepalive', 'duplex', 'destination']) {
      Object.defineProperty(Request.prototype, name, { enumerable: true, configurable: true, get() { return this.#state[name]; } });
    }
  }
  clone() { return new Request(this); }
}
for (const Class of [Headers, FormData, Response, Request]) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}

async function fetch(input, init = undefined) {
  const request = new Request(input, init);
  if (request.signal.aborted) throw request.signal.reason;
  const cause = noNetwork(`fetch of ${new URL(request.url).origin}`);
  // An error that nobody catches is told without its cause.
  throw new TypeError(`fetch failed: ${cause.message}`, { cause });
}

module.exports = { FormData, Headers, Request, Response, fetch };

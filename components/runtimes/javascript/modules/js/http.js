// node:http: what libraries read of it is there; requests and servers fail.
const { Readable, Writable } = require('stream');
const { classes, failing, noNetwork } = require('internal/absent');
const EventEmitter = require('events');

const STATUS_CODES = {
  100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created',
  202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content',
  207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently',
  302: 'Found', 303: 'See Other', 304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect',
  308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden',
  404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required',
  408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed',
  413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable',
  417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked',
  424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required',
  429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable',
  504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage',
  508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required',
};
const METHODS = ['ACL', 'BIND', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE',
  'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT',
  'QUERY', 'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'];

// Libraries make agents while they are imported.
class Agent extends EventEmitter {
  constructor(options = {}) {
    super();
    Object.assign(this, {
      options: { ...options }, requests: {}, sockets: {}, freeSockets: {}, keepAlive: options.keepAlive ?? false,
      keepAliveMsecs: options.keepAliveMsecs ?? 1000, maxSockets: options.maxSockets ?? Infinity,
      maxFreeSockets: options.maxFreeSockets ?? 256, maxTotalSockets: options.maxTotalSockets ?? Infinity,
      scheduling: options.scheduling ?? 'lifo', defaultPort: 80, protocol: 'http:',
    });
  }
  getName({ host = 'localhost', port = '', localAddress = '' } = {}) { return `${host}:${port}:${localAddress}`; }
  createConnection() { throw noNetwork('http.Agent.createConnection'); }
  addRequest() { throw noNetwork('http.Agent.addRequest'); }
  destroy() {}
}

class IncomingMessage extends Readable {
  constructor(socket) {
    super({ read() {} });
    Object.assign(this, { socket, connection: socket, headers: {}, rawHeaders: [], trailers: {}, complete: false, url: '',
      method: null, statusCode: null, statusMessage: null, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 });
  }
  setTimeout() { return this; }
}

// Headers as messages have them: enough for libraries that build answers without a server.
class OutgoingMessage extends Writable {
  #headers = new Map();
  headersSent = false;
  sendDate = true;
  _write(chunk, encoding, callback) { callback(noNetwork(`http.${this.constructor.name}.write`)); }
  setHeader(name, value) {
    this.#headers.set(`${name}`.toLowerCase(), [name, value]);
    return this;
  }
  appendHeader(name, value) {
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [].concat(before, value));
  }
  getHeader(name) { return this.#headers.get(`${name}`.toLowerCase())?.[1]; }
  getHeaderNames() { return [...this.#headers.keys()]; }
  getHeaders() { return Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([key, [, value]]) => [key, value]))); }
  hasHeader(name) { return this.#headers.has(`${name}`.toLowerCase()); }
  removeHeader(name) { this.#headers.delete(`${name}`.toLowerCase()); }
  flushHeaders() {}
  setTimeout() { return this; }
}
class ServerResponse extends OutgoingMessage {
  statusCode = 200;
  statusMessage = undefined;
  constructor(request) {
    super();
    this.req = request;
  }
  writeHead(status, message, headers) {
    this.statusCode = status;
    if (typeof message === 'object') headers = message;
    for (const [name, value] of Object.entries(headers ?? {})) this.setHeader(name, value);
    return this;
  }
  writeContinue() {}
}

const TOKEN = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
module.exports = {
  METHODS,
  STATUS_CODES,
  Agent,
  IncomingMessage,
  OutgoingMessage,
  ServerResponse,
  globalAgent: new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
  maxHeaderSize: 16384,
  validateHeaderName(name) {
    if (typeof name !== 'string' || !TOKEN.test(name)) {
      throw require('internal/errors').withCode(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Header name must be a valid HTTP token ["${name}"]`);
    }
  },
  validateHeaderValue(name, value) {
    if (value === undefined) {
      throw require('internal/errors').withCode(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "${value}" for header "${name}"`);
    }
  },
  setMaxIdleHTTPParsers() {},
  ...classes('http', ['ClientRequest'], noNetwork, OutgoingMessage),
  ...classes('http', ['Server'], noNetwork),
  ...failing('http', ['request', 'get', 'createServer'], noNetwork),
};

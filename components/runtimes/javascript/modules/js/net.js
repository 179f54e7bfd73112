// node:net: addresses are read; connections fail.
const { Duplex } = require('stream');
const { classes, failing, noNetwork } = require('internal/absent');

const FOUR = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
function isIPv4(text) { return FOUR.test(`${text}`); }
function isIPv6(text) {
  let rest = `${text}`.replace(/%[0-9a-zA-Z\-.:]+$/, '');
  const tail = rest.slice(rest.lastIndexOf(':') + 1);
  if (tail.includes('.')) {
    if (!isIPv4(tail)) return false;
    rest = `${rest.slice(0, -tail.length)}0:0`;
  }
  if (!/^[0-9a-fA-F:]+$/.test(rest) || rest.includes(':::')) return false;
  const halves = rest.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

class Socket extends Duplex {
  constructor(options = undefined) {
    super(options);
    this.connecting = false;
  }
  _read() {}
  _write(chunk, encoding, callback) { callback(noNetwork('net.Socket.write')); }
  connect() { throw noNetwork('net.Socket.connect'); }
  setKeepAlive() { return this; }
  setNoDelay() { return this; }
  setTimeout() { return this; }
  ref() { return this; }
  unref() { return this; }
  address() { return {}; }
}

module.exports = {
  isIP: (text) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0),
  isIPv4,
  isIPv6,
  Socket,
  Stream: Socket,
  getDefaultAutoSelectFamily: () => true,
  setDefaultAutoSelectFamily() {},
  getDefaultAutoSelectFamilyAttemptTimeout: () => 250,
  setDefaultAutoSelectFamilyAttemptTimeout() {},
  ...classes('net', ['Server', 'BlockList', 'SocketAddress'], noNetwork),
  ...failing('net', ['connect', 'createConnection', 'createServer'], noNetwork),
};

// node:tls: importable; fails at use.
const { classes, failing, noNetwork } = require('internal/absent');
const { Socket } = require('net');

module.exports = {
  CLIENT_RENEG_LIMIT: 3,
  CLIENT_RENEG_WINDOW: 600,
  DEFAULT_CIPHERS: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
  DEFAULT_ECDH_CURVE: 'auto',
  DEFAULT_MIN_VERSION: 'TLSv1.2',
  DEFAULT_MAX_VERSION: 'TLSv1.3',
  rootCertificates: Object.freeze([]),
  getCiphers: () => [],
  ...classes('tls', ['TLSSocket'], noNetwork, Socket),
  ...classes('tls', ['Server', 'SecureContext'], noNetwork),
  ...failing('tls', ['connect', 'createServer', 'createSecureContext', 'checkServerIdentity', 'createSecurePair'], noNetwork),
};

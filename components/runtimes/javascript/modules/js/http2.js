// node:http2: importable; fails at use.
const { classes, failing, noNetwork } = require('internal/absent');

module.exports = {
  constants: {
    HTTP2_HEADER_AUTHORITY: ':authority', HTTP2_HEADER_METHOD: ':method', HTTP2_HEADER_PATH: ':path',
    HTTP2_HEADER_SCHEME: ':scheme', HTTP2_HEADER_STATUS: ':status', HTTP2_HEADER_CONTENT_TYPE: 'content-type',
    HTTP2_HEADER_CONTENT_LENGTH: 'content-length', HTTP2_METHOD_GET: 'GET', HTTP2_METHOD_POST: 'POST', NGHTTP2_CANCEL: 8,
    NGHTTP2_NO_ERROR: 0, NGHTTP2_REFUSED_STREAM: 7,
  },
  sensitiveHeaders: Symbol('sensitiveHeaders'),
  ...classes('http2', ['Http2ServerRequest', 'Http2ServerResponse'], noNetwork),
  ...failing('http2', ['connect', 'createServer', 'createSecureServer', 'getDefaultSettings', 'getPackedSettings',
    'getUnpackedSettings', 'performServerHandshake'], noNetwork),
};

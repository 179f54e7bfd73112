// node:dns: importable; fails at use.
const { classes, failing, noNetwork } = require('internal/absent');
const { names, codes } = require('internal/dns');

module.exports = {
  ...codes,
  ADDRCONFIG: 32,
  ALL: 16,
  V4MAPPED: 8,
  getServers: () => [],
  setServers() {},
  getDefaultResultOrder: () => 'verbatim',
  setDefaultResultOrder() {},
  ...classes('dns', ['Resolver'], noNetwork),
  ...failing('dns', names, noNetwork),
};
Object.defineProperty(module.exports, 'promises', { enumerable: true, configurable: true, get: () => require('dns/promises') });

// node:dns/promises: importable; rejects at use.
const { classes, noNetwork } = require('internal/absent');
const { names, codes } = require('internal/dns');

module.exports = {
  ...codes,
  getServers: () => [],
  setServers() {},
  ...classes('dns.promises', ['Resolver'], noNetwork),
};
for (const name of names) {
  module.exports[name] = { async [name]() { throw noNetwork(`dns.promises.${name}`); } }[name];
}

// node:https: as node:http.
const http = require('http');
const { classes, failing, noNetwork } = require('internal/absent');

class Agent extends http.Agent {
  constructor(options = {}) {
    super(options);
    this.defaultPort = 443;
    this.protocol = 'https:';
  }
}

module.exports = {
  Agent,
  globalAgent: new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
  ...classes('https', ['Server'], noNetwork),
  ...failing('https', ['request', 'get', 'createServer'], noNetwork),
};

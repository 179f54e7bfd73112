// node:timers: the engine's own.
const { global } = require('internal/host');

const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'];
for (const name of names) module.exports[name] = global[name];
Object.defineProperty(module.exports, 'promises', {
  enumerable: true, configurable: true, get: () => require('timers/promises'),
});

// node:console: the engine's own, and a class of the same for other streams.
const { formatWithOptions } = require('util');
const { global } = require('internal/host');

class Console {
  #indent = '';
  #counts = new Map();
  #timers = new Map();
  constructor(stdout, stderr = undefined) {
    const options = stdout?.stdout ? stdout : { stdout, stderr };
    const put = (stream, args) => stream.write(`${this.#indent}${formatWithOptions({}, ...args).replaceAll('\n', `\n${this.#indent}`)}\n`);
    const out = (...args) => put(options.stdout, args);
    const error = (...args) => put(options.stderr ?? options.stdout, args);
    Object.assign(this, { log: out, info: out, debug: out, dirxml: out, error, warn: error });
  }
  dir(value, options = undefined) { this.log(require('util').inspect(value, { customInspect: false, ...options })); }
  trace(...args) { this.error('Trace:', ...args); }
  assert(value, ...args) { if (!value) this.warn('Assertion failed', ...args); }
  count(label = 'default') {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
    this.log(`${label}: ${this.#counts.get(label)}`);
  }
  countReset(label = 'default') { this.#counts.delete(label); }
  group(...args) {
    if (args.length > 0) this.log(...args);
    this.#indent += '  ';
  }
  groupCollapsed(...args) { this.group(...args); }
  groupEnd() { this.#indent = this.#indent.slice(2); }
  time(label = 'default') { this.#timers.set(label, performance.now()); }
  timeLog(label = 'default', ...args) { this.log(`${label}: ${(performance.now() - this.#timers.get(label)).toFixed(3)}ms`, ...args); }
  timeEnd(label = 'default') {
    this.timeLog(label);
    this.#timers.delete(label);
  }
  table(value) { this.log(value); }
}

if (!global.console.Console) {
  Object.defineProperty(global.console, 'Console', { value: Console, writable: true, enumerable: true, configurable: true });
}
module.exports = global.console;

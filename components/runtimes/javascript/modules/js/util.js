// node:util.
const { check, invalidArgType, invalidArgValue, withCode } = require('internal/errors');
const { inspect } = require('internal/inspect');
const { format, formatWithOptions } = require('internal/format');
const { isDeepStrictEqual } = require('internal/deep_equal');
const types = require('util/types');
const { host } = require('internal/host');

const customPromisify = Symbol.for('nodejs.util.promisify.custom');
const customArgs = Symbol.for('nodejs.util.promisify.args');

function promisify(original) {
  check.function(original, 'original');
  if (original[customPromisify]) {
    const own = original[customPromisify];
    check.function(own, 'util.promisify.custom');
    return Object.defineProperty(own, customPromisify, { value: own, configurable: true });
  }
  const names = original[customArgs];
  function promised(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => {
        if (error) return reject(error);
        if (names !== undefined && values.length > 1) {
          return resolve(Object.fromEntries(names.map((name, at) => [name, values[at]])));
        }
        return resolve(values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, customPromisify, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = customPromisify;

function callbackify(original) {
  check.function(original, 'original');
  function callbackified(...args) {
    const callback = args.pop();
    check.function(callback, 'last argument');
    const { nextTick } = require('process');
    Reflect.apply(original, this, args).then(
      (value) => nextTick(callback.bind(this), null, value),
      (reason) => {
        if (!reason) {
          const error = withCode(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
          error.reason = reason;
          reason = error;
        }
        nextTick(callback.bind(this), reason);
      },
    );
  }
  const descriptors = Object.getOwnPropertyDescriptors(original);
  if (typeof descriptors.length?.value === 'number') descriptors.length.value += 1;
  if (typeof descriptors.name?.value === 'string') descriptors.name.value += 'Callbackified';
  return Object.defineProperties(callbackified, descriptors);
}

function inherits(child, parent) {
  if (child == null) throw invalidArgType('ctor', 'of type function', child);
  if (parent == null) throw invalidArgType('superCtor', 'of type function', parent);
  if (parent.prototype === undefined) {
    throw invalidArgType('superCtor.prototype', 'of type object', parent.prototype);
  }
  Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(child.prototype, parent.prototype);
}

const warned = new Set();
function deprecate(original, message, code) {
  let done = false;
  function deprecated(...args) {
    if (!done) {
      done = true;
      if (code === undefined || !warned.has(code)) {
        if (code !== undefined) warned.add(code);
        require('process').emitWarning(message, 'DeprecationWarning', code, deprecated);
      }
    }
    return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
  }
  Object.setPrototypeOf(deprecated, original);
  if (original.prototype) deprecated.prototype = original.prototype;
  return deprecated;
}

function debuglog(set) {
  const wanted = (host.variable?.('NODE_DEBUG') ?? '').toLowerCase().split(',');
  const enabled = wanted.some((name) => name !== ''
    && new RegExp(`^${name.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*')}$`).test(set.toLowerCase()));
  const log = (...args) => {
    if (enabled) require('process').stderr.write(`${set.toUpperCase()} ${require('process').pid}: ${format(...args)}\n`);
  };
  return Object.defineProperty(log, 'enabled', { get: () => enabled });
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u001b\u009b][[\]()#;?]*(?:(?:(?:[a-zA-Z\d]*(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?\u0007)|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]))/g;
function stripVTControlCharacters(text) {
  check.string(text, 'str');
  return text.replace(CONTROL, '');
}

function toUSVString(value) { return `${value}`.toWellFormed(); }

function aborted(signal, resource) {
  if (signal === undefined) return Promise.reject(invalidArgType('signal', 'an instance of AbortSignal', signal));
  check.abortSignal(signal, 'signal');
  check.object(resource, 'resource');
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

// Colors are for terminals, and there are none: only who says so gets them.
function styleText(format_, text, { validateStream = true } = {}) {
  check.string(text, 'text');
  let before = '';
  let after = '';
  for (const name of Array.isArray(format_) ? format_ : [format_]) {
    const color = inspect.colors[name];
    if (color === undefined) {
      throw invalidArgValue('format', name, `must be one of: ${Object.keys(inspect.colors).map((n) => `'${n}'`).join(', ')}`);
    }
    before += `\u001b[${color[0]}m`;
    after = `\u001b[${color[1]}m${after}`;
  }
  return validateStream ? text : before + text + after;
}

function getSystemErrorName(number) {
  const { errno } = require('os').constants;
  return Object.keys(errno).find((name) => errno[name] === -number);
}

const is = {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isBuffer: (value) => require('buffer').Buffer.isBuffer(value),
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value == null,
  isNumber: (value) => typeof value === 'number',
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
  isRegExp: types.isRegExp,
  isObject: (value) => value !== null && typeof value === 'object',
  isDate: types.isDate,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isPrimitive: (value) => value === null || (typeof value !== 'object' && typeof value !== 'function'),
};

module.exports = {
  ...is,
  inspect,
  format,
  formatWithOptions,
  promisify,
  callbackify,
  inherits,
  deprecate,
  debuglog,
  debug: debuglog,
  isDeepStrictEqual,
  stripVTControlCharacters,
  styleText,
  toUSVString,
  aborted,
  types,
  getSystemErrorName,
  log: (...args) => console.log('%s', format(...args)),
  _extend(target, source) {
    if (source === null || typeof source !== 'object') return target;
    return Object.assign(target, source);
  },
};
for (const [name, from] of [['TextEncoder', 'internal/encoding'], ['TextDecoder', 'internal/encoding'],
  ['parseArgs', 'internal/parse_args']]) {
  Object.defineProperty(module.exports, name, {
    enumerable: true, configurable: true, get: () => require(from)[name],
  });
}

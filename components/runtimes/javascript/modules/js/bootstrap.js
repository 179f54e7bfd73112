// Everything goes through this: the table of modules, the lazy globals, the frame of
// AsyncLocalStorage. The body of a function (natives, compileModule, global).

const compiled = new Map();
const cache = new Map();
const groups = new Map();
const host = {};

// The values of all AsyncLocalStorages at this moment: a Map, or undefined. Replaced,
// never changed.
const state = { frame: undefined };

function native(group) {
  let found = groups.get(group);
  if (found === undefined) {
    found = natives(group);
    groups.set(group, found);
  }
  return found;
}

function compile(name) {
  let found = compiled.get(name);
  if (found === undefined) {
    found = compileModule(name);
    compiled.set(name, found);
  }
  return found;
}

function requireBuiltin(name) {
  const known = cache.get(name);
  if (known !== undefined) return known.exports;
  const body = compile(name);
  const module = { exports: {} };
  cache.set(name, module);
  try {
    body.call(module.exports, module, module.exports, requireBuiltin, native);
  } catch (error) {
    cache.delete(name);
    throw error;
  }
  compiled.delete(name);
  return module.exports;
}

function define(name, value) {
  Object.defineProperty(global, name, {
    value, writable: true, configurable: true, enumerable: false,
  });
}

function lazy(name, load) {
  Object.defineProperty(global, name, {
    get() {
      const value = load();
      define(name, value);
      return value;
    },
    set(value) { define(name, value); },
    configurable: true,
    enumerable: false,
  });
}

const globals = {
  'internal/encoding': ['TextEncoder', 'TextDecoder'],
  'internal/url': ['URL', 'URLSearchParams'],
  'internal/event_target': ['Event', 'EventTarget', 'CustomEvent'],
  'internal/abort': ['AbortController', 'AbortSignal'],
  'internal/clone': ['structuredClone'],
  'internal/messaging': ['MessageChannel', 'MessagePort', 'MessageEvent', 'BroadcastChannel'],
  'internal/webcrypto': ['Crypto', 'CryptoKey', 'SubtleCrypto'],
  'internal/blob': ['Blob', 'File'],
  'internal/fetch': ['Headers', 'Request', 'Response', 'FormData', 'fetch'],
  'internal/webstreams': [
    'ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamDefaultController',
    'WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController',
    'TransformStream', 'TransformStreamDefaultController',
    'ByteLengthQueuingStrategy', 'CountQueuingStrategy',
  ],
  'internal/textstreams': [
    'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream',
  ],
  'internal/performance': ['performance', 'Performance', 'PerformanceEntry'],
  buffer: ['Buffer'],
};

for (const [module, names] of Object.entries(globals)) {
  for (const name of names) lazy(name, () => requireBuiltin(module)[name]);
}
lazy('crypto', () => requireBuiltin('internal/webcrypto').crypto);
lazy('process', () => requireBuiltin('process'));
define('global', global);

// Callbacks that run later keep the frame that was current when they were given.
function bind(callback) {
  const frame = state.frame;
  if (frame === undefined || typeof callback !== 'function') return callback;
  return function (...args) {
    const before = state.frame;
    state.frame = frame;
    try {
      return Reflect.apply(callback, this, args);
    } finally {
      state.frame = before;
    }
  };
}

function wrapTimer(name, promised) {
  const timer = global[name];
  if (typeof timer !== 'function') return;
  const wrapper = {
    [name](callback, ...rest) { return timer(bind(callback), ...rest); },
  }[name];
  if (promised) {
    Object.defineProperty(wrapper, Symbol.for('nodejs.util.promisify.custom'), {
      get: () => requireBuiltin('timers/promises')[name],
      enumerable: true,
      configurable: true,
    });
  }
  define(name, wrapper);
}
wrapTimer('setTimeout', true);
wrapTimer('setInterval', false);
wrapTimer('setImmediate', true);
const microtask = global.queueMicrotask;
define('queueMicrotask', function queueMicrotask(callback) {
  if (typeof callback !== 'function') {
    const { invalidArgType } = requireBuiltin('internal/errors');
    throw invalidArgType('callback', 'of type function', callback);
  }
  microtask(bind(callback));
});

// What V8's call sites answer and the engine's do not: packages such as depd, which
// express brings along, ask each one of a stack.
function completeCallSites() {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, sites) => sites;
  const sites = new Error().stack;
  Error.prepareStackTrace = before;
  if (!Array.isArray(sites) || sites.length === 0) return;
  const prototype = Object.getPrototypeOf(sites[0]);
  const answers = {
    getEvalOrigin: undefined, getMethodName: null, getPromiseIndex: null, getThis: undefined, getTypeName: null,
    isAsync: false, isConstructor: false, isEval: false, isPromiseAll: false, isToplevel: true,
  };
  for (const [name, answer] of Object.entries(answers)) {
    if (name in prototype) continue;
    const value = { [name]() { return answer; } }[name];
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
completeCallSites();

// Milliseconds of the monotonic clock.
const clock = () => (typeof host.now === 'function' ? host.now() : native('process').nanoseconds() / 1e6);

// When the instance began, by that clock.
const started = clock();
const began = () => (typeof host.began === 'function' ? host.began() : started);

// What modules do before a snapshot: they let go of what each instance has of its own,
// and take it anew when it is asked for.
const sealings = [];
cache.set('internal/host', { exports: { host, state, bind, global, clock, began, sealings } });

function seal() {
  for (const sealing of sealings) sealing();
}

return { require: requireBuiltin, compile, seal, host };

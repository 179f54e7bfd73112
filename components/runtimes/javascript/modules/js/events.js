// node:events.
const { AbortError, check, invalidArgType, outOfRange, withCode } = require('internal/errors');

const kCapture = Symbol('kCapture');
const rejection = Symbol.for('nodejs.rejection');
const errorMonitor = Symbol('events.errorMonitor');

let defaultMaxListeners = 10;

function EventEmitter(options) {
  EventEmitter.init.call(this, options);
}
EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;
Object.defineProperty(EventEmitter.prototype, kCapture, { value: false, writable: true, enumerable: false });

EventEmitter.init = function init(options) {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = { __proto__: null };
    this._eventsCount = 0;
  }
  this._maxListeners = this._maxListeners || undefined;
  if (options?.captureRejections) {
    check.boolean(options.captureRejections, 'options.captureRejections');
    this[kCapture] = true;
  } else this[kCapture] = EventEmitter.prototype[kCapture];
};

function limit(emitter) {
  return emitter._maxListeners === undefined ? defaultMaxListeners : emitter._maxListeners;
}

EventEmitter.prototype.setMaxListeners = function setMaxListeners(count) {
  check.number(count, 'setMaxListeners', 0);
  this._maxListeners = count;
  return this;
};
EventEmitter.prototype.getMaxListeners = function getMaxListeners() { return limit(this); };

function throwUnhandled(args) {
  const [error] = args;
  if (error instanceof Error) throw error;
  let text;
  try {
    text = require('util').inspect(error);
  } catch {
    text = error;
  }
  const unhandled = withCode(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`);
  unhandled.context = error;
  throw unhandled;
}

function watch(emitter, promise, type, args) {
  const { then } = promise;
  if (typeof then !== 'function') return;
  then.call(promise, undefined, (error) => {
    require('process').nextTick(() => {
      if (typeof emitter[rejection] === 'function') emitter[rejection](error, type, ...args);
      else {
        const before = emitter[kCapture];
        try {
          emitter[kCapture] = false;
          emitter.emit('error', error);
        } finally {
          emitter[kCapture] = before;
        }
      }
    });
  });
}

EventEmitter.prototype.emit = function emit(type, ...args) {
  const events = this._events;
  if (type === 'error') {
    if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
    if (events?.error === undefined) throwUnhandled(args);
  }
  const handler = events?.[type];
  if (handler === undefined) return false;
  const list = typeof handler === 'function' ? [handler] : handler.slice();
  for (const listener of list) {
    const result = Reflect.apply(listener, this, args);
    if (result != null && this[kCapture]) watch(this, result, type, args);
  }
  return true;
};

function warn(emitter, list, type) {
  const max = limit(emitter);
  if (!(max > 0 && list.length > max && !list.warned)) return;
  list.warned = true;
  const { inspect } = require('util');
  const warning = new Error(`Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners `
    + `added to ${inspect(emitter, { depth: -1 })}. Use emitter.setMaxListeners() to increase limit`);
  warning.name = 'MaxListenersExceededWarning';
  warning.emitter = emitter;
  warning.type = type;
  warning.count = list.length;
  require('process').emitWarning(warning);
}

function add(emitter, type, listener, first) {
  check.function(listener, 'listener');
  let events = emitter._events;
  if (events === undefined) {
    events = { __proto__: null };
    emitter._events = events;
    emitter._eventsCount = 0;
  } else if (events.newListener !== undefined) {
    emitter.emit('newListener', type, listener.listener ?? listener);
    events = emitter._events;
  }
  const before = events[type];
  if (before === undefined) {
    events[type] = listener;
    emitter._eventsCount += 1;
    return emitter;
  }
  const list = typeof before === 'function' ? [before] : before;
  if (first) list.unshift(listener);
  else list.push(listener);
  events[type] = list;
  warn(emitter, list, type);
  return emitter;
}

EventEmitter.prototype.addListener = function addListener(type, listener) { return add(this, type, listener, false); };
EventEmitter.prototype.on = EventEmitter.prototype.addListener;
EventEmitter.prototype.prependListener = function prependListener(type, listener) {
  return add(this, type, listener, true);
};

function wrapOnce(emitter, type, listener) {
  let fired = false;
  const wrapper = (...args) => {
    if (fired) return undefined;
    emitter.removeListener(type, wrapper);
    fired = true;
    return Reflect.apply(listener, emitter, args);
  };
  wrapper.listener = listener;
  return wrapper;
}
EventEmitter.prototype.once = function once(type, listener) {
  check.function(listener, 'listener');
  return this.on(type, wrapOnce(this, type, listener));
};
EventEmitter.prototype.prependOnceListener = function prependOnceListener(type, listener) {
  check.function(listener, 'listener');
  return this.prependListener(type, wrapOnce(this, type, listener));
};

EventEmitter.prototype.removeListener = function removeListener(type, listener) {
  check.function(listener, 'listener');
  const events = this._events;
  const list = events?.[type];
  if (list === undefined) return this;
  const gone = () => {
    this._eventsCount -= 1;
    if (this._eventsCount === 0) this._events = { __proto__: null };
    else delete events[type];
  };
  if (list === listener || list.listener === listener) {
    gone();
    if (events.removeListener) this.emit('removeListener', type, list.listener ?? listener);
  } else if (typeof list !== 'function') {
    const at = list.findLastIndex((each) => each === listener || each.listener === listener);
    if (at < 0) return this;
    list.splice(at, 1);
    if (list.length === 1) [events[type]] = list;
    if (events.removeListener !== undefined) this.emit('removeListener', type, listener);
  }
  return this;
};
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

EventEmitter.prototype.removeAllListeners = function removeAllListeners(...types) {
  const events = this._events;
  if (events === undefined) return this;
  const [type] = types;
  if (events.removeListener === undefined) {
    if (types.length === 0) {
      this._events = { __proto__: null };
      this._eventsCount = 0;
    } else if (events[type] !== undefined) {
      this._eventsCount -= 1;
      if (this._eventsCount === 0) this._events = { __proto__: null };
      else delete events[type];
    }
    return this;
  }
  if (types.length === 0) {
    for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
    this.removeAllListeners('removeListener');
    this._events = { __proto__: null };
    this._eventsCount = 0;
    return this;
  }
  const list = events[type];
  if (typeof list === 'function') this.removeListener(type, list);
  else for (const listener of list?.slice().reverse() ?? []) this.removeListener(type, listener);
  return this;
};

function listenersOf(emitter, type, plain) {
  const found = emitter._events?.[type];
  if (found === undefined) return [];
  const list = typeof found === 'function' ? [found] : found.slice();
  return plain ? list.map((listener) => listener.listener ?? listener) : list;
}
EventEmitter.prototype.listeners = function listeners(type) { return listenersOf(this, type, true); };
EventEmitter.prototype.rawListeners = function rawListeners(type) { return listenersOf(this, type, false); };
EventEmitter.prototype.listenerCount = function listenerCount(type, listener) {
  const list = listenersOf(this, type, false);
  if (listener == null) return list.length;
  return list.filter((each) => each === listener || each.listener === listener).length;
};
EventEmitter.prototype.eventNames = function eventNames() {
  return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : [];
};

function getEventListeners(target, type) {
  if (typeof target?.listeners === 'function') return target.listeners(type);
  const { listenersOf: of } = require('internal/event_target');
  const found = of(target, type);
  if (found) return found;
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', target);
}

function abortError(signal) {
  return new AbortError(undefined, { cause: signal.reason });
}

async function once(emitter, name, options = {}) {
  check.object(options, 'options');
  const { signal } = options;
  check.abortSignal(signal, 'options.signal');
  if (signal?.aborted) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const clean = [];
    const listen = (target, type, listener, oneTime) => {
      if (typeof target.on === 'function') {
        target[oneTime ? 'once' : 'on'](type, listener);
        clean.push(() => target.removeListener(type, listener));
      } else if (typeof target.addEventListener === 'function') {
        target.addEventListener(type, listener, { once: oneTime });
        clean.push(() => target.removeEventListener(type, listener));
      } else throw invalidArgType('emitter', 'an instance of EventEmitter', target);
    };
    const done = (settle) => (...args) => {
      for (const each of clean) each();
      settle(args);
    };
    listen(emitter, name, done(resolve), true);
    if (name !== 'error' && typeof emitter.once === 'function') listen(emitter, 'error', done(([error]) => reject(error)), true);
    if (signal) listen(signal, 'abort', done(() => reject(abortError(signal))), true);
  });
}

function on(emitter, name, options = {}) {
  check.object(options, 'options');
  const { signal } = options;
  check.abortSignal(signal, 'options.signal');
  if (signal?.aborted) throw abortError(signal);
  const events = [];
  const waiting = [];
  const clean = [];
  let error;
  let finished = false;
  const iterator = {
    next() {
      if (events.length > 0) return Promise.resolve({ value: events.shift(), done: false });
      if (error) {
        const rejected = Promise.reject(error);
        error = undefined;
        return rejected;
      }
      if (finished) return close();
      return new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
    },
    return() { return close(); },
    throw(reason) {
      if (!(reason instanceof Error)) throw invalidArgType('EventEmitter.AsyncIterator', 'an instance of Error', reason);
      fail(reason);
    },
    [Symbol.asyncIterator]() { return this; },
  };
  const listen = (target, type, listener) => {
    if (typeof target.on === 'function') {
      target.on(type, listener);
      clean.push(() => target.removeListener(type, listener));
    } else {
      target.addEventListener(type, listener);
      clean.push(() => target.removeEventListener(type, listener));
    }
  };
  function close() {
    for (const each of clean.splice(0)) each();
    finished = true;
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }
  function fail(reason) {
    finished = true;
    const first = waiting.shift();
    if (first) first.reject(reason);
    else error = reason;
    for (const each of clean.splice(0)) each();
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
  }
  listen(emitter, name, (...args) => {
    const first = waiting.shift();
    if (first) first.resolve({ value: args, done: false });
    else events.push(args);
  });
  if (name !== 'error' && typeof emitter.on === 'function') listen(emitter, 'error', fail);
  for (const type of options.close ?? []) listen(emitter, type, () => close());
  if (signal) listen(signal, 'abort', () => fail(abortError(signal)));
  return iterator;
}

function setMaxListeners(count = defaultMaxListeners, ...targets) {
  check.number(count, 'setMaxListeners', 0);
  if (targets.length === 0) defaultMaxListeners = count;
  for (const target of targets) {
    if (typeof target.setMaxListeners === 'function') target.setMaxListeners(count);
    else if (typeof target.addEventListener !== 'function') {
      throw invalidArgType('eventTargets', 'an instance of EventEmitter or EventTarget', target);
    }
  }
}

function addAbortListener(signal, listener) {
  if (signal === undefined) throw invalidArgType('signal', 'an instance of AbortSignal', signal);
  check.abortSignal(signal, 'signal');
  check.function(listener, 'listener');
  if (signal.aborted) queueMicrotask(() => listener());
  else signal.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() { signal.removeEventListener('abort', listener); } };
}

Object.defineProperties(EventEmitter, {
  defaultMaxListeners: {
    enumerable: true,
    get: () => defaultMaxListeners,
    set(count) {
      if (typeof count !== 'number' || count < 0 || Number.isNaN(count)) {
        throw outOfRange('defaultMaxListeners', 'a non-negative number', count);
      }
      defaultMaxListeners = count;
    },
  },
  captureRejections: {
    enumerable: true,
    get: () => EventEmitter.prototype[kCapture],
    set(value) {
      check.boolean(value, 'EventEmitter.captureRejections');
      EventEmitter.prototype[kCapture] = value;
    },
  },
  errorMonitor: { value: errorMonitor, enumerable: true },
  captureRejectionSymbol: { value: rejection, enumerable: true },
  EventEmitterAsyncResource: {
    enumerable: true,
    configurable: true,
    get: () => require('internal/emitter_resource').EventEmitterAsyncResource,
  },
});
EventEmitter.usingDomains = false;
EventEmitter.listenerCount = (emitter, type) => emitter.listenerCount(type);

module.exports = Object.assign(EventEmitter, {
  EventEmitter, once, on, getEventListeners, setMaxListeners, addAbortListener,
  getMaxListeners: (emitter) => (typeof emitter?.getMaxListeners === 'function' ? emitter.getMaxListeners() : defaultMaxListeners),
});

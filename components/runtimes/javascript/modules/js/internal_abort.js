// AbortController and AbortSignal (https://dom.spec.whatwg.org).
const { Event, EventTarget, defineHandler } = require('internal/event_target');
const { check, invalidArgType, withCode } = require('internal/errors');
const { bind } = require('internal/host');

const MAKE = Symbol('make');
const inner = new WeakMap();
const of = (signal) => {
  const own = inner.get(signal);
  if (own === undefined) throw withCode(TypeError, 'ERR_INVALID_THIS', 'Value of "this" must be of type AbortSignal');
  return own;
};

class AbortSignal extends EventTarget {
  constructor(key) {
    if (key !== MAKE) throw withCode(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
    inner.set(this, { aborted: false, reason: undefined, dependents: new Set() });
  }

  get aborted() { return of(this).aborted; }
  get reason() { return of(this).reason; }
  throwIfAborted() { if (of(this).aborted) throw of(this).reason; }

  static abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    const signal = new AbortSignal(MAKE);
    Object.assign(of(signal), { aborted: true, reason });
    return signal;
  }

  static timeout(delay) {
    check.integer(delay, 'delay', 0, 2 ** 32 - 1);
    const signal = new AbortSignal(MAKE);
    const timer = setTimeout(bind(() => {
      abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    }), delay);
    timer?.unref?.();
    return signal;
  }

  static any(signals) {
    if (signals === null || typeof signals !== 'object' || typeof signals[Symbol.iterator] !== 'function') {
      throw invalidArgType('signals', 'an instance of Array', signals);
    }
    const list = [...signals];
    list.forEach((signal, at) => {
      if (!inner.has(signal)) throw invalidArgType(`signals[${at}]`, 'an instance of AbortSignal', signal);
    });
    const result = new AbortSignal(MAKE);
    const first = list.find((signal) => signal.aborted);
    if (first) {
      Object.assign(of(result), { aborted: true, reason: first.reason });
      return result;
    }
    for (const signal of list) of(signal).dependents.add(result);
    return result;
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    return depth < 0 ? 'AbortSignal' : `AbortSignal ${inspect({ aborted: this.aborted }, options)}`;
  }
}

function abort(signal, reason) {
  const own = of(signal);
  if (own.aborted) return;
  Object.assign(own, { aborted: true, reason });
  const dependents = [];
  const mark = (from) => {
    for (const each of of(from).dependents) {
      if (of(each).aborted) continue;
      Object.assign(of(each), { aborted: true, reason });
      dependents.push(each);
      mark(each);
    }
  };
  mark(signal);
  signal.dispatchEvent(new Event('abort'));
  for (const each of dependents) {
    each.dispatchEvent(new Event('abort'));
  }
}

class AbortController {
  #signal = new AbortSignal(MAKE);
  get signal() { return this.#signal; }
  abort(reason = new DOMException('This operation was aborted', 'AbortError')) { abort(this.#signal, reason); }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    return depth < 0 ? 'AbortController' : `AbortController ${inspect({ signal: this.signal }, options)}`;
  }
}

defineHandler(AbortSignal.prototype, 'abort');
for (const [Class, names] of [[AbortSignal, ['aborted', 'reason', 'throwIfAborted']], [AbortController, ['signal', 'abort']]]) {
  for (const name of names) Object.defineProperty(Class.prototype, name, { enumerable: true });
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}

module.exports = { AbortController, AbortSignal };

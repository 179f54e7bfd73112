// Event and EventTarget (https://dom.spec.whatwg.org).
const { invalidArgType, withCode } = require('internal/errors');

const state = new WeakMap();
const listeners = new WeakMap();
const stop = new WeakSet();

class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #stamp = performance.now();

  constructor(type, options = undefined) {
    if (arguments.length === 0) throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    if (options !== undefined && options !== null && typeof options !== 'object') {
      throw invalidArgType('options', 'of type object', options);
    }
    this.#type = `${type}`;
    this.#bubbles = Boolean(options?.bubbles);
    this.#cancelable = Boolean(options?.cancelable);
    this.#composed = Boolean(options?.composed);
    state.set(this, { target: null, current: null, phase: 0, prevented: false, passive: false, stopped: false });
  }

  get type() { return this.#type; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get timeStamp() { return this.#stamp; }
  get target() { return state.get(this).target; }
  get srcElement() { return state.get(this).target; }
  get currentTarget() { return state.get(this).current; }
  get eventPhase() { return state.get(this).phase; }
  get defaultPrevented() { return state.get(this).prevented; }
  get returnValue() { return !state.get(this).prevented; }
  get isTrusted() { return false; }
  get cancelBubble() { return state.get(this).stopped; }
  set cancelBubble(value) { if (value) this.stopPropagation(); }
  composedPath() { return state.get(this).phase === 0 ? [] : [state.get(this).current]; }
  preventDefault() {
    const own = state.get(this);
    if (this.#cancelable && !own.passive) own.prevented = true;
  }
  stopPropagation() { state.get(this).stopped = true; }
  stopImmediatePropagation() {
    this.stopPropagation();
    stop.add(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    if (depth < 0) return this.constructor.name;
    return `${this.constructor.name} ${inspect({
      type: this.type, defaultPrevented: this.defaultPrevented, cancelable: this.cancelable, timeStamp: this.timeStamp,
    }, { ...options, depth: Number.isInteger(options.depth) ? options.depth - 1 : options.depth })}`;
  }
}
for (const [name, value] of [['NONE', 0], ['CAPTURING_PHASE', 1], ['AT_TARGET', 2], ['BUBBLING_PHASE', 3]]) {
  Object.defineProperty(Event, name, { value, enumerable: true });
}
for (const name of ['type', 'bubbles', 'cancelable', 'composed', 'timeStamp', 'target', 'srcElement', 'currentTarget',
  'eventPhase', 'defaultPrevented', 'returnValue', 'cancelBubble', 'composedPath', 'preventDefault',
  'stopPropagation', 'stopImmediatePropagation']) {
  Object.defineProperty(Event.prototype, name, { enumerable: true });
}
Object.defineProperty(Event.prototype, Symbol.toStringTag, { value: 'Event', configurable: true });

class CustomEvent extends Event {
  #detail;
  constructor(type, options = undefined) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() { return this.#detail; }
}
Object.defineProperty(CustomEvent.prototype, Symbol.toStringTag, { value: 'CustomEvent', configurable: true });

// What a listener throws ends nobody's dispatch.
function report(error) {
  const process = require('process');
  if (process.listenerCount('uncaughtException') > 0) process.emit('uncaughtException', error, 'uncaughtException');
  else process.nextTick(() => { throw error; });
}

class EventTarget {
  constructor() { listeners.set(this, new Map()); }

  addEventListener(type, listener, options = undefined) {
    if (arguments.length < 2) {
      throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "type" and "listener" arguments must be specified');
    }
    if (listener == null) return;
    if (typeof listener !== 'function' && typeof listener !== 'object') {
      throw invalidArgType('listener', 'an instance of EventListener', listener);
    }
    const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
    const signal = options?.signal;
    if (signal?.aborted) return;
    const lists = listeners.get(this);
    const list = lists.get(`${type}`) ?? [];
    lists.set(`${type}`, list);
    if (list.some((each) => each.listener === listener && each.capture === capture)) return;
    list.push({ listener, capture, once: Boolean(options?.once), passive: Boolean(options?.passive), removed: false });
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }), { once: true });
  }

  removeEventListener(type, listener, options = undefined) {
    if (arguments.length < 2) {
      throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "type" and "listener" arguments must be specified');
    }
    const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
    const list = listeners.get(this).get(`${type}`) ?? [];
    const at = list.findIndex((each) => each.listener === listener && each.capture === capture);
    if (at >= 0) list.splice(at, 1)[0].removed = true;
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw invalidArgType('event', 'an instance of Event', event);
    const own = state.get(event);
    if (own.phase !== 0) {
      throw withCode(Error, 'ERR_EVENT_RECURSION', `The event "${event.type}" is already being dispatched`);
    }
    own.target = this;
    own.current = this;
    own.phase = 2;
    for (const each of (listeners.get(this).get(event.type) ?? []).slice()) {
      if (each.removed) continue;
      if (each.once) this.removeEventListener(event.type, each.listener, { capture: each.capture });
      own.passive = each.passive;
      try {
        const result = typeof each.listener === 'function'
          ? each.listener.call(this, event) : each.listener.handleEvent(event);
        if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
          result.then(undefined, report);
        }
      } catch (error) {
        report(error);
      }
      if (stop.has(event)) break;
    }
    own.phase = 0;
    own.current = null;
    own.passive = false;
    return !own.prevented;
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    if (depth < 0) return this.constructor.name;
    return `${this.constructor.name} ${inspect({}, options)}`;
  }
}
for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) {
  Object.defineProperty(EventTarget.prototype, name, { enumerable: true });
}
Object.defineProperty(EventTarget.prototype, Symbol.toStringTag, { value: 'EventTarget', configurable: true });

// An attribute `on...` whose value is a listener at its first place.
function defineHandler(prototype, type) {
  const handlers = new WeakMap();
  Object.defineProperty(prototype, `on${type}`, {
    enumerable: true,
    configurable: true,
    get() { return handlers.get(this)?.value ?? null; },
    set(value) {
      let handler = handlers.get(this);
      if (handler === undefined) {
        handler = { value: null };
        handlers.set(this, handler);
        this.addEventListener(type, (event) => {
          if (typeof handler.value === 'function') handler.value.call(this, event);
        });
      }
      handler.value = typeof value === 'function' || (typeof value === 'object' && value !== null) ? value : null;
    },
  });
}

module.exports = {
  Event,
  EventTarget,
  CustomEvent,
  defineHandler,
  listenersOf: (target, type) => {
    const lists = listeners.get(target);
    return lists && (lists.get(type) ?? []).map((each) => each.listener);
  },
};

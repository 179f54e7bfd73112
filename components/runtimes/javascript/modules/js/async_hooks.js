// node:async_hooks: values that follow what runs later. The frame is a Map that is
// never changed; callbacks take it along (internal/host), and the engine takes it
// along across `await` and `then` (the patch of QuickJS in README).
const { check, notHere, withCode } = require('internal/errors');
const { state } = require('internal/host');
const native = natives('async');

native.enable(state);

let nextId = 2;

class AsyncLocalStorage {
  #default;
  #name;
  #disabled = false;

  constructor(options = undefined) {
    this.#default = options?.defaultValue;
    this.#name = options?.name ?? '';
  }

  get name() { return this.#name; }

  getStore() {
    const frame = state.frame;
    if (this.#disabled || frame === undefined || !frame.has(this)) return this.#default;
    return frame.get(this);
  }

  enterWith(store) {
    this.#disabled = false;
    const frame = new Map(state.frame ?? []);
    frame.set(this, store);
    state.frame = frame;
  }

  run(store, callback, ...args) {
    const before = state.frame;
    this.enterWith(store);
    try {
      return Reflect.apply(callback, null, args);
    } finally {
      state.frame = before;
    }
  }

  exit(callback, ...args) {
    const before = state.frame;
    const frame = new Map(before ?? []);
    frame.delete(this);
    state.frame = frame.size > 0 ? frame : undefined;
    try {
      return Reflect.apply(callback, null, args);
    } finally {
      state.frame = before;
    }
  }

  disable() { this.#disabled = true; }

  static bind(callback) { return AsyncResource.bind(callback); }

  static snapshot() { return AsyncResource.bind((callback, ...args) => callback(...args)); }
}

class AsyncResource {
  #frame = state.frame;
  #id = nextId;
  #type;

  constructor(type) {
    check.string(type, 'type');
    if (type.length === 0) throw withCode(TypeError, 'ERR_ASYNC_TYPE', `Invalid name for async "type": ${type}`);
    this.#type = type;
    nextId += 1;
  }

  runInAsyncScope(callback, self = undefined, ...args) {
    const before = state.frame;
    state.frame = this.#frame;
    try {
      return Reflect.apply(callback, self, args);
    } finally {
      state.frame = before;
    }
  }

  emitDestroy() { return this; }
  asyncId() { return this.#id; }
  triggerAsyncId() { return 1; }
  get type() { return this.#type; }

  bind(callback, self = undefined) {
    check.function(callback, 'fn');
    const resource = this;
    const bound = function bound(...args) { return resource.runInAsyncScope(callback, self ?? this, ...args); };
    Object.defineProperty(bound, 'length', { value: callback.length, configurable: true });
    return bound;
  }

  static bind(callback, type = undefined, self = undefined) {
    return new AsyncResource(type || callback.name || 'bound-anonymous-fn').bind(callback, self);
  }
}

module.exports = {
  AsyncLocalStorage,
  AsyncResource,
  createHook() { throw notHere('async_hooks.createHook'); },
  executionAsyncId: () => 1,
  triggerAsyncId: () => 0,
  executionAsyncResource: () => ({}),
  asyncWrapProviders: Object.freeze({ __proto__: null, NONE: 0 }),
};

// MessageChannel and BroadcastChannel, within the instance.
const { Event, EventTarget, defineHandler } = require('internal/event_target');
const { bind } = require('internal/host');

class MessageEvent extends Event {
  constructor(type, { data = null, origin = '', lastEventId = '', source = null, ports = [], ...options } = {}) {
    super(type, options);
    Object.assign(this, { data, origin, lastEventId, source, ports });
  }
}

class MessagePort extends EventTarget {
  #other = null;
  #queue = [];
  #started = false;
  #closed = false;
  static pair() {
    const [left, right] = [new MessagePort(), new MessagePort()];
    left.#other = right;
    right.#other = left;
    return [left, right];
  }
  postMessage(value, transfer = undefined) {
    const other = this.#other;
    if (!other || other.#closed) return;
    other.#queue.push(structuredClone(value, Array.isArray(transfer) ? { transfer } : transfer));
    other.#flush();
  }
  #flush() {
    if (!this.#started) return;
    setImmediate(bind(() => {
      while (this.#started && this.#queue.length > 0) {
        this.dispatchEvent(new MessageEvent('message', { data: this.#queue.shift() }));
      }
    }));
  }
  start() {
    this.#started = true;
    this.#flush();
  }
  take() { return this.#queue.length > 0 ? { message: this.#queue.shift() } : undefined; }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    const other = this.#other;
    setImmediate(() => this.dispatchEvent(new Event('close')));
    other?.close();
  }
  on(type, listener) {
    this.addEventListener(type, type === 'message' ? (event) => listener(event.data) : listener);
    if (type === 'message') this.start();
    return this;
  }
  once(type, listener) {
    this.addEventListener(type, type === 'message' ? (event) => listener(event.data) : listener, { once: true });
    if (type === 'message') this.start();
    return this;
  }
  ref() {}
  unref() {}
}
defineHandler(MessagePort.prototype, 'message');
const { get, set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
Object.defineProperty(MessagePort.prototype, 'onmessage', {
  enumerable: true,
  configurable: true,
  get,
  set(value) {
    set.call(this, value);
    this.start();
  },
});

class MessageChannel {
  constructor() { [this.port1, this.port2] = MessagePort.pair(); }
}

const named = new Map();
class BroadcastChannel extends EventTarget {
  constructor(name) {
    super();
    this.name = `${name}`;
    if (!named.has(this.name)) named.set(this.name, new Set());
    named.get(this.name).add(this);
  }
  postMessage(value) {
    for (const channel of named.get(this.name) ?? []) {
      if (channel !== this) {
        const data = structuredClone(value);
        setImmediate(() => channel.dispatchEvent(new MessageEvent('message', { data })));
      }
    }
  }
  close() { named.get(this.name)?.delete(this); }
  ref() {}
  unref() {}
}
defineHandler(BroadcastChannel.prototype, 'message');

module.exports = { BroadcastChannel, MessageChannel, MessageEvent, MessagePort };

// node:diagnostics_channel.
const { check, invalidArgType } = require('internal/errors');

const channels = new Map();

class Channel {
  #subscribers = [];
  #stores = new Map();
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.size > 0; }
  subscribe(callback) {
    check.function(callback, 'subscription');
    this.#subscribers = [...this.#subscribers, callback];
  }
  unsubscribe(callback) {
    const at = this.#subscribers.indexOf(callback);
    if (at < 0) return false;
    this.#subscribers = this.#subscribers.filter((_, index) => index !== at);
    return true;
  }
  publish(message) {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(message, this.name);
      } catch (error) {
        require('process').nextTick(() => { throw error; });
      }
    }
  }
  bindStore(store, transform = (value) => value) { this.#stores.set(store, transform); }
  unbindStore(store) { return this.#stores.delete(store); }
  runStores(message, callback, self = undefined, ...args) {
    let run = () => {
      this.publish(message);
      return Reflect.apply(callback, self, args);
    };
    for (const [store, transform] of this.#stores) {
      const inner = run;
      run = () => store.run(transform(message), inner);
    }
    return run();
  }
}

function channel(name) {
  if (typeof name !== 'string' && typeof name !== 'symbol') {
    throw invalidArgType('channel', 'one of type string or symbol', name);
  }
  let found = channels.get(name);
  if (found === undefined) {
    found = new Channel(name);
    channels.set(name, found);
  }
  return found;
}

class TracingChannel {
  constructor(names) {
    for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
      this[event] = typeof names === 'string' ? channel(`tracing:${names}:${event}`) : names[event];
    }
  }
  subscribe(handlers) { for (const [event, handler] of Object.entries(handlers)) this[event]?.subscribe(handler); }
  unsubscribe(handlers) {
    return Object.entries(handlers).every(([event, handler]) => this[event]?.unsubscribe(handler));
  }
  traceSync(callback, context = {}, self = undefined, ...args) {
    return this.start.runStores(context, () => {
      try {
        context.result = Reflect.apply(callback, self, args);
        return context.result;
      } catch (error) {
        context.error = error;
        this.error.publish(context);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }
  tracePromise(callback, context = {}, self = undefined, ...args) {
    return this.start.runStores(context, () => {
      const settle = (key, value) => {
        context[key] = value;
        if (key === 'error') this.error.publish(context);
        this.asyncStart.publish(context);
        this.asyncEnd.publish(context);
      };
      try {
        return Promise.resolve(Reflect.apply(callback, self, args)).then((value) => {
          settle('result', value);
          return value;
        }, (error) => {
          settle('error', error);
          throw error;
        });
      } catch (error) {
        context.error = error;
        this.error.publish(context);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }
}

module.exports = {
  channel,
  Channel,
  hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (name, callback) => channel(name).subscribe(callback),
  unsubscribe: (name, callback) => channel(name).unsubscribe(callback),
  tracingChannel: (names) => new TracingChannel(names),
};

// events.EventEmitterAsyncResource.
const EventEmitter = require('events');
const { AsyncResource } = require('async_hooks');

class EventEmitterAsyncResource extends EventEmitter {
  #resource;

  constructor(options = undefined) {
    const name = typeof options === 'string' ? options : options?.name ?? new.target.name;
    super(typeof options === 'string' ? undefined : options);
    this.#resource = new AsyncResource(name);
  }

  get asyncResource() { return this.#resource; }
  get asyncId() { return this.#resource.asyncId(); }
  get triggerAsyncId() { return this.#resource.triggerAsyncId(); }

  emit(...args) { return this.#resource.runInAsyncScope(super.emit, this, ...args); }
  emitDestroy() { this.#resource.emitDestroy(); }
}

module.exports = { EventEmitterAsyncResource };

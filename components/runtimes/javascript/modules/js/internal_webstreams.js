// Web streams (https://streams.spec.whatwg.org): readable, writable, transform. Streams
// of bytes are read as any other; reading into a buffer (BYOB) fails by name.
const { invalidArgType, notHere, withCode } = require('internal/errors');

const PRIVATE = Symbol('private');
const inner = new WeakMap();
const of = (object) => {
  const own = inner.get(object);
  if (own === undefined) throw withCode(TypeError, 'ERR_INVALID_THIS', 'Value of "this" is of another type');
  return own;
};
const deferred = () => {
  const made = Promise.withResolvers ? Promise.withResolvers() : {};
  if (!made.promise) made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.promise.catch(() => {});
  return made;
};
const stateError = (message) => withCode(TypeError, 'ERR_INVALID_STATE', `Invalid state: ${message}`);
const illegal = () => withCode(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');

class CountQueuingStrategy {
  constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
  get size() { return () => 1; }
}
class ByteLengthQueuingStrategy {
  constructor({ highWaterMark }) { this.highWaterMark = highWaterMark; }
  get size() { return (chunk) => chunk.byteLength; }
}

function strategyOf(strategy, fallback) {
  const highWaterMark = strategy?.highWaterMark === undefined ? fallback : Number(strategy.highWaterMark);
  if (Number.isNaN(highWaterMark) || highWaterMark < 0) {
    throw withCode(RangeError, 'ERR_INVALID_ARG_VALUE', `The property 'strategy.highWaterMark' is invalid. Received ${strategy.highWaterMark}`);
  }
  return { highWaterMark, size: strategy?.size ?? (() => 1) };
}

// ---- readable

function closeReadable(own) {
  if (own.state !== 'readable') return;
  own.state = 'closed';
  for (const { resolve } of own.requests.splice(0)) resolve({ value: undefined, done: true });
  own.closed.resolve();
}
function failReadable(own, error) {
  if (own.state !== 'readable') return;
  own.state = 'errored';
  own.error = error;
  own.queue = [];
  own.size = 0;
  for (const { reject } of own.requests.splice(0)) reject(error);
  own.closed.reject(error);
}
function pull(own) {
  if (own.state !== 'readable' || own.closing || !own.started || !own.pull) return;
  if (!(own.requests.length > 0 || own.strategy.highWaterMark - own.size > 0)) return;
  if (own.pulling) {
    own.pullAgain = true;
    return;
  }
  own.pulling = true;
  new Promise((resolve) => { resolve(own.pull(own.controller)); }).then(() => {
    own.pulling = false;
    if (own.pullAgain) {
      own.pullAgain = false;
      pull(own);
    }
  }, (error) => failReadable(own, error));
}

class ReadableStreamDefaultController {
  constructor(key, own) {
    if (key !== PRIVATE) throw illegal();
    inner.set(this, own);
  }
  get desiredSize() {
    const own = of(this);
    if (own.state === 'errored') return null;
    return own.state === 'closed' ? 0 : own.strategy.highWaterMark - own.size;
  }
  get byobRequest() { return null; }
  close() {
    const own = of(this);
    if (own.closing || own.state !== 'readable') throw stateError('Controller is already closed');
    own.closing = true;
    if (own.queue.length === 0) closeReadable(own);
  }
  enqueue(chunk = undefined) {
    const own = of(this);
    if (own.closing || own.state !== 'readable') throw stateError('Controller is already closed');
    if (own.bytes && !ArrayBuffer.isView(chunk)) throw invalidArgType('chunk', 'an instance of Buffer, TypedArray, or DataView', chunk);
    if (own.requests.length > 0) own.requests.shift().resolve({ value: chunk, done: false });
    else {
      let size;
      try {
        size = Number(own.strategy.size(chunk));
        if (!(size >= 0) || size === Infinity) throw withCode(RangeError, 'ERR_INVALID_ARG_VALUE', `The argument 'size' is invalid. Received ${size}`);
      } catch (error) {
        failReadable(own, error);
        throw error;
      }
      own.queue.push({ chunk, size });
      own.size += size;
    }
    pull(own);
  }
  error(error = undefined) { failReadable(of(this), error); }
}

function readFrom(own) {
  own.disturbed = true;
  if (own.queue.length > 0) {
    const { chunk, size } = own.queue.shift();
    own.size = own.queue.length === 0 ? 0 : own.size - size;
    if (own.closing && own.queue.length === 0) closeReadable(own);
    else pull(own);
    return Promise.resolve({ value: chunk, done: false });
  }
  if (own.state === 'closed') return Promise.resolve({ value: undefined, done: true });
  if (own.state === 'errored') return Promise.reject(own.error);
  return new Promise((resolve, reject) => {
    own.requests.push({ resolve, reject });
    pull(own);
  });
}

async function cancelOf(own, reason) {
  own.disturbed = true;
  if (own.state === 'closed') return;
  if (own.state === 'errored') throw own.error;
  own.queue = [];
  own.size = 0;
  closeReadable(own);
  await own.cancel?.(reason);
}

class ReadableStreamDefaultReader {
  #own;
  #closed;
  constructor(stream) {
    const own = inner.get(stream);
    if (!(stream instanceof ReadableStream)) throw invalidArgType('stream', 'an instance of ReadableStream', stream);
    if (own.reader) throw stateError('ReadableStream is locked');
    this.#own = own;
    this.#closed = own.closed.promise;
    own.reader = this;
  }
  get closed() { return this.#closed; }
  read() {
    if (!this.#own) return Promise.reject(stateError('The reader is not attached to a stream'));
    return readFrom(this.#own);
  }
  cancel(reason = undefined) {
    if (!this.#own) return Promise.reject(stateError('The reader is not attached to a stream'));
    return cancelOf(this.#own, reason);
  }
  releaseLock() {
    if (!this.#own) return;
    const error = stateError('Reader released');
    for (const { reject } of this.#own.requests.splice(0)) reject(error);
    this.#own.reader = undefined;
    this.#own = undefined;
    this.#closed = Promise.reject(error);
    this.#closed.catch(() => {});
  }
}

class ReadableStream {
  constructor(source = {}, strategy = undefined) {
    if (source === null || typeof source !== 'object') throw invalidArgType('source', 'of type object', source);
    const bytes = `${source.type}` === 'bytes';
    if (source.type !== undefined && !bytes) {
      throw withCode(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'source.type' is invalid. Received ${source.type}`);
    }
    const own = {
      state: 'readable', queue: [], size: 0, requests: [], closing: false, started: false, pulling: false, pullAgain: false,
      closed: deferred(), strategy: strategyOf(strategy, bytes ? 0 : 1), bytes, reader: undefined, error: undefined, disturbed: false,
      pull: source.pull?.bind(source), cancel: source.cancel?.bind(source),
    };
    inner.set(this, own);
    own.controller = new ReadableStreamDefaultController(PRIVATE, own);
    const started = source.start?.(own.controller);
    Promise.resolve(started).then(() => {
      own.started = true;
      pull(own);
    }, (error) => failReadable(own, error));
  }

  static from(iterable) {
    const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
    if (!iterator) throw withCode(TypeError, 'ERR_ARG_NOT_ITERABLE', `${iterable} must be iterable`);
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(await value);
      },
      async cancel(reason) { await iterator.return?.(reason); },
    }, { highWaterMark: 0 });
  }

  get locked() { return of(this).reader !== undefined; }
  cancel(reason = undefined) {
    if (this.locked) return Promise.reject(stateError('ReadableStream is locked'));
    return cancelOf(of(this), reason);
  }
  getReader(options = {}) {
    if (options?.mode !== undefined) {
      if (`${options.mode}` === 'byob') throw notHere('ReadableStreamBYOBReader');
      throw withCode(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.mode' is invalid. Received '${options.mode}'`);
    }
    return new ReadableStreamDefaultReader(this);
  }

  tee() {
    const reader = this.getReader();
    const controllers = [];
    const cancelled = [false, false];
    const reasons = [];
    const over = deferred();
    let reading = false;
    const next = () => {
      if (reading) return;
      reading = true;
      reader.read().then(({ value, done }) => {
        reading = false;
        controllers.forEach((controller, at) => {
          if (cancelled[at]) return;
          if (done) controller.close();
          else controller.enqueue(value);
        });
        if (done && (!cancelled[0] || !cancelled[1])) over.resolve();
      }, () => {});
    };
    reader.closed.catch((error) => {
      for (const controller of controllers) controller.error(error);
      over.resolve();
    });
    return [0, 1].map((at) => new ReadableStream({
      start(controller) { controllers[at] = controller; },
      pull: next,
      cancel(reason) {
        cancelled[at] = true;
        reasons[at] = reason;
        if (cancelled[0] && cancelled[1]) reader.cancel(reasons).then(over.resolve, over.reject);
        return over.promise;
      },
    }));
  }

  async pipeTo(target, { preventClose, preventAbort, preventCancel, signal } = {}) {
    if (!(target instanceof WritableStream)) throw invalidArgType('destination', 'an instance of WritableStream', target);
    if (this.locked) throw stateError('ReadableStream is locked');
    if (target.locked) throw stateError('WritableStream is locked');
    const reader = this.getReader();
    const writer = target.getWriter();
    const aborted = signal && new Promise((_, reject) => {
      const fail = () => reject(signal.reason);
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    });
    aborted?.catch(() => {});
    const either = (promise) => (aborted ? Promise.race([promise, aborted]) : promise);
    try {
      for (;;) {
        try {
          await either(writer.ready);
        } catch (error) {
          if (!preventCancel) await reader.cancel(error).catch(() => {});
          throw error;
        }
        const failed = writer.closed.then(() => new Promise(() => {}));
        failed.catch(() => {});
        let result;
        try {
          result = await either(Promise.race([reader.read(), failed]));
        } catch (error) {
          if (of(target).state === 'errored') {
            if (!preventCancel) await reader.cancel(error).catch(() => {});
          } else if (!preventAbort) await writer.abort(error).catch(() => {});
          if (signal?.aborted && !preventCancel) await reader.cancel(error).catch(() => {});
          throw error;
        }
        if (result.done) break;
        writer.write(result.value).catch(() => {});
      }
      if (!preventClose) await writer.close();
    } finally {
      reader.releaseLock();
      writer.releaseLock();
    }
  }

  pipeThrough(transform, options = {}) {
    if (!(transform?.readable instanceof ReadableStream)) throw invalidArgType('transform.readable', 'an instance of ReadableStream', transform?.readable);
    if (!(transform.writable instanceof WritableStream)) throw invalidArgType('transform.writable', 'an instance of WritableStream', transform.writable);
    if (this.locked) throw stateError('The ReadableStream is locked');
    if (transform.writable.locked) throw stateError('The WritableStream is locked');
    this.pipeTo(transform.writable, options).catch(() => {});
    return transform.readable;
  }

  async* values({ preventCancel = false } = {}) {
    const reader = this.getReader();
    let over = false;
    try {
      for (;;) {
        let result;
        try {
          result = await reader.read();
        } catch (error) {
          over = true;
          throw error;
        }
        if (result.done) {
          over = true;
          return;
        }
        yield result.value;
      }
    } finally {
      if (!over && !preventCancel) {
        const cancelled = reader.cancel();
        reader.releaseLock();
        await cancelled;
      } else reader.releaseLock();
    }
  }
}
Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
  value: ReadableStream.prototype.values, writable: true, configurable: true,
});

// ---- writable

function failWritable(own, error) {
  if (own.state === 'errored' || own.state === 'closed') return;
  own.state = 'errored';
  own.error = error;
  for (const { reject } of own.queue.splice(0)) reject(error);
  own.closeRequest?.reject(error);
  own.ready.reject(error);
  own.ready = deferred();
  own.ready.reject(error);
  own.closed.reject(error);
  own.control.abort(error);
}

async function drain(own) {
  if (own.busy || !own.started) return;
  own.busy = true;
  while (own.state === 'writable' && own.queue.length > 0) {
    const { chunk, size, resolve, reject } = own.queue[0];
    try {
      await own.write?.(chunk, own.controller);
    } catch (error) {
      own.queue.shift();
      reject(error);
      failWritable(own, error);
      break;
    }
    if (own.state !== 'writable') {
      own.busy = false;
      return;
    }
    own.queue.shift();
    own.size -= size;
    resolve();
    if (own.strategy.highWaterMark - own.size > 0) own.ready.resolve();
  }
  if (own.state === 'writable' && own.closeRequest) {
    try {
      await own.close?.();
      own.state = 'closed';
      own.closeRequest.resolve();
      own.closed.resolve();
    } catch (error) {
      own.closeRequest.reject(error);
      failWritable(own, error);
    }
  }
  own.busy = false;
}

class WritableStreamDefaultController {
  constructor(key, own) {
    if (key !== PRIVATE) throw illegal();
    inner.set(this, own);
  }
  get signal() { return of(this).control.signal; }
  error(error = undefined) { failWritable(of(this), error); }
}

function writeTo(own, chunk) {
  if (own.state === 'errored') return Promise.reject(own.error);
  if (own.state === 'closed' || own.closeRequest) return Promise.reject(stateError('Stream closed'));
  let size;
  try {
    size = Number(own.strategy.size(chunk));
  } catch (error) {
    failWritable(own, error);
    return Promise.reject(error);
  }
  const request = deferred();
  own.queue.push({ chunk, size, resolve: request.resolve, reject: request.reject });
  own.size += size;
  if (own.strategy.highWaterMark - own.size <= 0 && own.pressure === own.ready) {
    own.ready = deferred();
    own.pressure = own.ready;
  }
  drain(own);
  return request.promise;
}
function closeOf(own) {
  if (own.state === 'closed' || own.closeRequest) return Promise.reject(stateError('Stream is already closing'));
  if (own.state === 'errored') return Promise.reject(own.error);
  own.closeRequest = deferred();
  own.ready.resolve();
  drain(own);
  return own.closeRequest.promise;
}
async function abortOf(own, reason) {
  if (own.state !== 'writable') return;
  failWritable(own, reason);
  await own.abort?.(reason);
}

class WritableStreamDefaultWriter {
  #own;
  constructor(stream) {
    if (!(stream instanceof WritableStream)) throw invalidArgType('stream', 'an instance of WritableStream', stream);
    const own = of(stream);
    if (own.writer) throw stateError('WritableStream is locked');
    own.writer = this;
    this.#own = own;
  }
  #attached() {
    if (!this.#own) throw stateError('Writer is not bound to a WritableStream');
    return this.#own;
  }
  get closed() { return this.#own ? this.#own.closed.promise : Promise.reject(stateError('Writer has been released')); }
  get ready() { return this.#own ? this.#own.ready.promise : Promise.reject(stateError('Writer has been released')); }
  get desiredSize() {
    const own = this.#attached();
    if (own.state === 'errored') return null;
    return own.state === 'closed' ? 0 : own.strategy.highWaterMark - own.size;
  }
  async write(chunk = undefined) { return writeTo(this.#attached(), chunk); }
  async close() { return closeOf(this.#attached()); }
  async abort(reason = undefined) { return abortOf(this.#attached(), reason); }
  releaseLock() {
    if (!this.#own) return;
    this.#own.writer = undefined;
    this.#own = undefined;
  }
}

class WritableStream {
  constructor(sink = {}, strategy = undefined) {
    if (sink?.type !== undefined) throw withCode(RangeError, 'ERR_INVALID_ARG_VALUE', `The property 'sink.type' is invalid. Received ${sink.type}`);
    const own = {
      state: 'writable', queue: [], size: 0, started: false, busy: false, closeRequest: undefined, closed: deferred(),
      ready: deferred(), strategy: strategyOf(strategy, 1), writer: undefined, control: new AbortController(),
      write: sink?.write?.bind(sink), close: sink?.close?.bind(sink), abort: sink?.abort?.bind(sink),
    };
    own.pressure = own.ready;
    if (own.strategy.highWaterMark > 0) own.ready.resolve();
    inner.set(this, own);
    own.controller = new WritableStreamDefaultController(PRIVATE, own);
    Promise.resolve(sink?.start?.(own.controller)).then(() => {
      own.started = true;
      drain(own);
    }, (error) => failWritable(own, error));
  }
  get locked() { return of(this).writer !== undefined; }
  getWriter() { return new WritableStreamDefaultWriter(this); }
  async close() {
    if (this.locked) throw stateError('WritableStream is locked');
    return closeOf(of(this));
  }
  async abort(reason = undefined) {
    if (this.locked) throw stateError('WritableStream is locked');
    return abortOf(of(this), reason);
  }
}

// ---- transform

class TransformStreamDefaultController {
  #readable;
  #fail;
  constructor(key, readable, fail) {
    if (key !== PRIVATE) throw illegal();
    this.#readable = readable;
    this.#fail = fail;
  }
  get desiredSize() { return this.#readable.desiredSize; }
  enqueue(chunk = undefined) { this.#readable.enqueue(chunk); }
  error(reason = undefined) { this.#fail(reason); }
  terminate() {
    this.#readable.close();
    this.#fail(stateError('TransformStream has been terminated'), true);
  }
}

class TransformStream {
  #readable;
  #writable;
  constructor(transformer = {}, writableStrategy = undefined, readableStrategy = undefined) {
    let out;
    let room = deferred();
    const control = { current: undefined };
    this.#readable = new ReadableStream({
      start(controller) { out = controller; },
      pull() {
        room.resolve();
        room = deferred();
      },
      async cancel(reason) {
        failWritable(of(control.writable), reason);
        await transformer.cancel?.(reason);
      },
    }, readableStrategy ?? { highWaterMark: 0 });
    const fail = (reason, keep) => {
      if (!keep) out.error(reason);
      failWritable(of(control.writable), reason);
    };
    const controller = new TransformStreamDefaultController(PRIVATE, out, fail);
    this.#writable = new WritableStream({
      start: () => transformer.start?.(controller),
      async write(chunk) {
        while (out.desiredSize !== null && out.desiredSize <= 0 && of(out).requests.length === 0 && of(out).state === 'readable') await room.promise;
        try {
          if (transformer.transform) await transformer.transform(chunk, controller);
          else controller.enqueue(chunk);
        } catch (error) {
          out.error(error);
          throw error;
        }
      },
      async close() {
        try {
          await transformer.flush?.(controller);
        } catch (error) {
          out.error(error);
          throw error;
        }
        if (of(out).state === 'readable' && !of(out).closing) out.close();
      },
      abort(reason) { out.error(reason); },
    }, writableStrategy);
    control.writable = this.#writable;
  }
  get readable() { return this.#readable; }
  get writable() { return this.#writable; }
}

const classes = {
  ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableStream, ReadableStreamDefaultController,
  ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController, WritableStream,
  WritableStreamDefaultController, WritableStreamDefaultWriter,
};
for (const Class of Object.values(classes)) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}
module.exports = {
  ...classes,
  classes,
  closedOf: (stream) => of(stream).closed.promise,
  isDisturbed: (stream) => of(stream).disturbed,
};

// Readable.
const { Buffer } = require('buffer');
const process = require('process');
const { invalidArgType, withCode } = require('internal/errors');
const { Stream } = require('internal/stream_legacy');
const { construct, destroy, errorOrDestroy, undestroy } = require('internal/stream_destroy');
const { highWaterMark } = require('internal/stream_marks');

function ReadableState(options, stream, duplex) {
  const objectMode = Boolean(options?.objectMode || (duplex && options?.readableObjectMode));
  Object.assign(this, {
    objectMode,
    highWaterMark: highWaterMark(options, 'readableHighWaterMark', duplex, objectMode),
    buffer: [], length: 0, pipes: [], flowing: null, ended: false, endEmitted: false, reading: false, constructed: true,
    sync: true, needReadable: false, emittedReadable: false, readableListening: false, resumeScheduled: false,
    errorEmitted: false, emitClose: options?.emitClose !== false, autoDestroy: options?.autoDestroy !== false,
    destroyed: false, errored: null, closed: false, closeEmitted: false,
    defaultEncoding: options?.defaultEncoding || 'utf8',
    awaitDrain: new Set(), readingMore: false, dataEmitted: false, decoder: null, encoding: null, paused: null,
  });
  if (options?.encoding) {
    const { StringDecoder } = require('string_decoder');
    this.decoder = new StringDecoder(options.encoding);
    this.encoding = options.encoding;
  }
}

function Readable(options) {
  if (!(this instanceof Readable)) return new Readable(options);
  const duplex = this instanceof require('internal/stream_duplex').Duplex;
  this._readableState = new ReadableState(options, this, duplex);
  for (const name of ['read', 'destroy', 'construct']) {
    if (typeof options?.[name] === 'function') this[`_${name}`] = options[name];
  }
  Stream.call(this, options);
  if (options?.signal && !duplex) require('internal/stream_finished').addAbortSignal(options.signal, this);
  construct(this, () => { if (this._readableState.needReadable) maybeReadMore(this, this._readableState); });
}
Object.setPrototypeOf(Readable.prototype, Stream.prototype);
Object.setPrototypeOf(Readable, Stream);

Readable.prototype.destroy = destroy;
Readable.prototype._undestroy = function _undestroy() { undestroy(this); };
Readable.prototype._destroy = function _destroy(error, callback) { callback(error); };
Readable.prototype[Symbol.for('nodejs.rejection')] = function rejected(error) { this.destroy(error); };

Readable.prototype.push = function push(chunk, encoding) { return add(this, chunk, encoding, false); };
Readable.prototype.unshift = function unshift(chunk, encoding) { return add(this, chunk, encoding, true); };

// What a stream of bytes keeps of a chunk; throws for what is none.
function asBytes(state, chunk, encoding, front) {
  if (typeof chunk === 'string') {
    const from = encoding || state.defaultEncoding;
    if (state.encoding !== from) {
      const bytes = Buffer.from(chunk, from);
      return front && state.encoding ? bytes.toString(state.encoding) : bytes;
    }
    return state.decoder && !front ? Buffer.from(chunk, from) : chunk;
  }
  if (chunk instanceof Buffer || chunk == null) return chunk;
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw invalidArgType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
}

function add(stream, chunk, encoding, front) {
  const state = stream._readableState;
  if (!state.objectMode) {
    try {
      chunk = asBytes(state, chunk, encoding, front);
    } catch (error) {
      errorOrDestroy(stream, error);
      return false;
    }
  }
  if (chunk == null && (!state.objectMode || chunk === null || chunk === undefined)) {
    if (chunk === null || !state.objectMode) {
      state.reading = false;
      if (chunk === null) onEnd(stream, state);
    } else state.reading = false;
  } else if (state.objectMode || chunk.length > 0) {
    if (front) {
      if (state.endEmitted) {
        errorOrDestroy(stream, withCode(Error, 'ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'));
      } else if (state.destroyed || state.errored) return false;
      else addChunk(stream, state, chunk, true);
    } else if (state.ended) {
      errorOrDestroy(stream, withCode(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'));
    } else if (state.destroyed || state.errored) return false;
    else {
      state.reading = false;
      if (state.decoder && !encoding) {
        chunk = state.decoder.write(chunk);
        if (state.objectMode || chunk.length !== 0) addChunk(stream, state, chunk, false);
        else maybeReadMore(stream, state);
      } else {
        if (state.decoder && typeof chunk !== 'string') chunk = state.decoder.write(chunk);
        addChunk(stream, state, chunk, false);
      }
    }
  } else if (!front) {
    state.reading = false;
    maybeReadMore(stream, state);
  }
  return !state.ended && (state.length < state.highWaterMark || state.length === 0);
}

function addChunk(stream, state, chunk, front) {
  if (state.flowing && state.length === 0 && !state.sync && stream.listenerCount('data') > 0) {
    state.awaitDrain.clear();
    state.dataEmitted = true;
    stream.emit('data', chunk);
  } else {
    state.length += state.objectMode ? 1 : chunk.length;
    if (front) state.buffer.unshift(chunk);
    else state.buffer.push(chunk);
    if (state.needReadable) emitReadable(stream);
  }
  maybeReadMore(stream, state);
}

function onEnd(stream, state) {
  if (state.ended) return;
  const rest = state.decoder?.end();
  if (rest?.length) {
    state.buffer.push(rest);
    state.length += state.objectMode ? 1 : rest.length;
  }
  state.ended = true;
  if (state.sync) emitReadable(stream);
  else {
    state.needReadable = false;
    state.emittedReadable = true;
    emitReadableNow(stream);
  }
}

Readable.prototype.isPaused = function isPaused() {
  return this._readableState.paused === true || this._readableState.flowing === false;
};

Readable.prototype.setEncoding = function setEncoding(encoding) {
  const { StringDecoder } = require('string_decoder');
  const decoder = new StringDecoder(encoding);
  const state = this._readableState;
  state.decoder = decoder;
  state.encoding = decoder.encoding;
  const text = state.buffer.map((chunk) => decoder.write(chunk)).join('');
  state.buffer = text === '' ? [] : [text];
  state.length = text.length;
  return this;
};

const READ_MAX = 0x40000000;
function howMuch(n, state) {
  if (n <= 0 || (state.length === 0 && state.ended)) return 0;
  if (state.objectMode) return 1;
  if (Number.isNaN(n)) return state.flowing && state.length ? state.buffer[0].length : state.length;
  if (n <= state.length) return n;
  return state.ended ? state.length : 0;
}

function take(n, state) {
  if (state.length === 0) return null;
  if (state.objectMode) return state.buffer.shift();
  if (!n || n >= state.length) {
    const all = state.decoder ? state.buffer.join('') : state.buffer.length === 1 ? state.buffer[0] : Buffer.concat(state.buffer, state.length);
    state.buffer = [];
    return all;
  }
  const parts = [];
  let rest = n;
  while (rest > 0) {
    const [first] = state.buffer;
    if (first.length <= rest) {
      parts.push(state.buffer.shift());
      rest -= first.length;
    } else {
      parts.push(first.slice(0, rest));
      state.buffer[0] = first.slice(rest);
      rest = 0;
    }
  }
  if (state.decoder) return parts.join('');
  return parts.length === 1 ? parts[0] : Buffer.concat(parts, n);
}

Readable.prototype.read = function read(n) {
  if (n === undefined) n = NaN;
  else if (!Number.isInteger(n)) n = parseInt(n, 10);
  const state = this._readableState;
  const asked = n;
  if (n > READ_MAX) {
    throw require('internal/errors').outOfRange('size', '<= 1GiB', n);
  }
  if (n > state.highWaterMark) state.highWaterMark = 2 ** Math.ceil(Math.log2(n));
  if (n !== 0) state.emittedReadable = false;
  if (n === 0 && state.needReadable
    && ((state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0) || state.ended)) {
    if (state.length === 0 && state.ended) endReadable(this);
    else emitReadable(this);
    return null;
  }
  n = howMuch(n, state);
  if (n === 0 && state.ended) {
    if (state.length === 0) endReadable(this);
    return null;
  }
  let more = state.needReadable || state.length === 0 || state.length - n < state.highWaterMark;
  if (state.ended || state.reading || state.destroyed || state.errored || !state.constructed) more = false;
  if (more) {
    state.reading = true;
    state.sync = true;
    if (state.length === 0) state.needReadable = true;
    try {
      this._read(state.highWaterMark);
    } catch (error) {
      errorOrDestroy(this, error);
    }
    state.sync = false;
    if (!state.reading) n = howMuch(asked, state);
  }
  const result = n > 0 ? take(n, state) : null;
  if (result === null) {
    state.needReadable = state.length <= state.highWaterMark;
    n = 0;
  } else {
    state.length -= n;
    state.awaitDrain.clear();
  }
  if (state.length === 0) {
    if (!state.ended) state.needReadable = true;
    if (asked !== n && state.ended) endReadable(this);
  }
  if (result !== null && !state.errored && !state.closeEmitted) {
    state.dataEmitted = true;
    this.emit('data', result);
  }
  return result;
};

Readable.prototype._read = function _read() {
  throw withCode(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented');
};

function emitReadable(stream) {
  const state = stream._readableState;
  state.needReadable = false;
  if (!state.emittedReadable) {
    state.emittedReadable = true;
    process.nextTick(emitReadableNow, stream);
  }
}
function emitReadableNow(stream) {
  const state = stream._readableState;
  if (!state.destroyed && !state.errored && (state.length || state.ended)) {
    stream.emit('readable');
    state.emittedReadable = false;
  }
  state.needReadable = !state.flowing && !state.ended && state.length <= state.highWaterMark;
  flow(stream);
}

function maybeReadMore(stream, state) {
  if (state.readingMore || !state.constructed) return;
  state.readingMore = true;
  process.nextTick(() => {
    while (!state.reading && !state.ended
      && (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
      const before = state.length;
      stream.read(0);
      if (before === state.length) break;
    }
    state.readingMore = false;
  });
}

function endReadable(stream) {
  const state = stream._readableState;
  if (state.endEmitted) return;
  state.ended = true;
  process.nextTick(() => {
    if (state.errored || state.closeEmitted || state.endEmitted || state.length !== 0) return;
    state.endEmitted = true;
    stream.emit('end');
    if (stream.writable && stream.allowHalfOpen === false) {
      process.nextTick(() => { if (stream.writable && !stream.writableEnded && !stream.destroyed) stream.end(); });
    } else if (state.autoDestroy) {
      const other = stream._writableState;
      if (!other || (other.autoDestroy && (other.finished || other.writable === false))) stream.destroy();
    }
  });
}

Readable.prototype.pipe = function pipe(target, options) {
  const source = this;
  const state = this._readableState;
  state.pipes.push(target);
  const end = options?.end !== false && target !== process.stdout && target !== process.stderr;
  const onEnd_ = () => target.end();
  const onUnpipe = (from, info) => {
    if (from === source && info && !info.hasUnpiped) {
      info.hasUnpiped = true;
      clean();
    }
  };
  const drained = () => {
    state.awaitDrain.delete(target);
    if (state.awaitDrain.size === 0 && source.listenerCount('data')) source.resume();
  };
  let waits = false;
  const pause = () => {
    if (state.pipes.includes(target)) {
      state.awaitDrain.add(target);
      source.pause();
    }
    if (!waits) {
      waits = true;
      target.on('drain', drained);
    }
  };
  const onData = (chunk) => { if (target.write(chunk) === false) pause(); };
  const unpipe = () => source.unpipe(target);
  const onError = (error) => {
    unpipe();
    target.removeListener('error', onError);
    if (target.listenerCount('error') === 0) {
      const own = target._writableState ?? target._readableState;
      if (own && !own.errorEmitted) errorOrDestroy(target, error);
      else target.emit('error', error);
    }
  };
  const onClose = () => {
    target.removeListener('finish', onFinish);
    unpipe();
  };
  const onFinish = () => {
    target.removeListener('close', onClose);
    unpipe();
  };
  function clean() {
    target.removeListener('close', onClose);
    target.removeListener('finish', onFinish);
    target.removeListener('drain', drained);
    target.removeListener('error', onError);
    target.removeListener('unpipe', onUnpipe);
    source.removeListener('end', onEnd_);
    source.removeListener('end', unpipe);
    source.removeListener('data', onData);
    if (waits && state.awaitDrain.has(target)) drained();
  }
  if (state.endEmitted) process.nextTick(end ? onEnd_ : unpipe);
  else source.once('end', end ? onEnd_ : unpipe);
  target.on('unpipe', onUnpipe);
  source.on('data', onData);
  target.prependListener('error', onError);
  target.once('close', onClose);
  target.once('finish', onFinish);
  target.emit('pipe', source);
  if (target.writableNeedDrain === true) pause();
  else if (!state.flowing) source.resume();
  return target;
};

Readable.prototype.unpipe = function unpipe(target) {
  const state = this._readableState;
  if (state.pipes.length === 0) return this;
  const gone = target ? state.pipes.filter((each) => each === target) : state.pipes;
  if (gone.length === 0) return this;
  state.pipes = target ? state.pipes.filter((each) => each !== target) : [];
  for (const each of gone) each.emit('unpipe', this, { hasUnpiped: false });
  if (state.pipes.length === 0) this.pause();
  return this;
};

Readable.prototype.on = function on(type, listener) {
  const result = Stream.prototype.on.call(this, type, listener);
  const state = this._readableState;
  if (type === 'data') {
    state.readableListening = this.listenerCount('readable') > 0;
    if (state.flowing !== false) this.resume();
  } else if (type === 'readable' && !state.endEmitted && !state.readableListening) {
    state.readableListening = true;
    state.needReadable = true;
    state.flowing = false;
    state.emittedReadable = false;
    if (state.length) emitReadable(this);
    else if (!state.reading) process.nextTick(() => this.read(0));
  }
  return result;
};
Readable.prototype.addListener = Readable.prototype.on;

function updateListening(stream) {
  const state = stream._readableState;
  state.readableListening = stream.listenerCount('readable') > 0;
  if (state.resumeScheduled && state.paused === false) state.flowing = true;
  else if (stream.listenerCount('data') > 0) stream.resume();
  else if (!state.readableListening) state.flowing = null;
}
Readable.prototype.removeListener = function removeListener(type, listener) {
  const result = Stream.prototype.removeListener.call(this, type, listener);
  if (type === 'readable') process.nextTick(updateListening, this);
  return result;
};
Readable.prototype.off = Readable.prototype.removeListener;
Readable.prototype.removeAllListeners = function removeAllListeners(...types) {
  const result = Stream.prototype.removeAllListeners.apply(this, types);
  if (types[0] === 'readable' || types[0] === undefined) process.nextTick(updateListening, this);
  return result;
};

Readable.prototype.resume = function resume() {
  const state = this._readableState;
  if (!state.flowing) {
    state.flowing = !state.readableListening;
    if (!state.resumeScheduled) {
      state.resumeScheduled = true;
      process.nextTick(() => {
        if (!state.reading) this.read(0);
        state.resumeScheduled = false;
        this.emit('resume');
        flow(this);
        if (state.flowing && !state.reading) this.read(0);
      });
    }
  }
  state.paused = false;
  return this;
};
Readable.prototype.pause = function pause() {
  const state = this._readableState;
  if (state.flowing !== false) {
    state.flowing = false;
    this.emit('pause');
  }
  state.paused = true;
  return this;
};
function flow(stream) {
  while (stream._readableState.flowing && stream.read() !== null);
}

Readable.prototype.wrap = function wrap(source) {
  let paused = false;
  source.on('data', (chunk) => {
    if (!this.push(chunk) && source.pause) {
      paused = true;
      source.pause();
    }
  });
  source.on('end', () => this.push(null));
  source.on('error', (error) => errorOrDestroy(this, error));
  source.on('close', () => this.destroy());
  this._read = () => {
    if (paused && source.resume) {
      paused = false;
      source.resume();
    }
  };
  return this;
};

const getters = {
  readableDidRead() { return this._readableState?.dataEmitted ?? false; },
  readableAborted() {
    const r = this._readableState;
    return Boolean(r.readable !== false && (r.destroyed || r.errored) && !r.endEmitted);
  },
  readableHighWaterMark() { return this._readableState.highWaterMark; },
  readableBuffer() { return this._readableState?.buffer; },
  readableLength() { return this._readableState.length; },
  readableObjectMode() { return this._readableState?.objectMode ?? false; },
  readableEncoding() { return this._readableState?.encoding ?? null; },
  readableEnded() { return this._readableState?.endEmitted ?? false; },
  errored() { return this._readableState?.errored ?? null; },
  closed() { return this._readableState?.closed ?? false; },
};
for (const [name, get] of Object.entries(getters)) {
  Object.defineProperty(Readable.prototype, name, { get, configurable: true, enumerable: false });
}
Object.defineProperties(Readable.prototype, {
  readable: {
    configurable: true,
    get() {
      const r = this._readableState;
      return Boolean(r) && r.readable !== false && !r.destroyed && !r.errorEmitted && !r.endEmitted;
    },
    set(value) { if (this._readableState) this._readableState.readable = Boolean(value); },
  },
  readableFlowing: {
    configurable: true,
    get() { return this._readableState.flowing; },
    set(value) { if (this._readableState) this._readableState.flowing = value; },
  },
  destroyed: {
    configurable: true,
    get() { return this._readableState?.destroyed ?? false; },
    set(value) { if (this._readableState) this._readableState.destroyed = value; },
  },
});

module.exports = { Readable, ReadableState };

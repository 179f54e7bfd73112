// Writable.
const { Buffer } = require('buffer');
const process = require('process');
const { invalidArgType, withCode } = require('internal/errors');
const { Stream } = require('internal/stream_legacy');
const { construct, destroy, errorOrDestroy, undestroy } = require('internal/stream_destroy');
const { highWaterMark } = require('internal/stream_marks');

const nothing = () => {};

function WritableState(options, stream, duplex) {
  const objectMode = Boolean(options?.objectMode || (duplex && options?.writableObjectMode));
  Object.assign(this, {
    objectMode,
    highWaterMark: highWaterMark(options, 'writableHighWaterMark', duplex, objectMode),
    finalCalled: false, needDrain: false, ending: false, ended: false, finished: false, destroyed: false,
    decodeStrings: options?.decodeStrings !== false,
    defaultEncoding: options?.defaultEncoding || 'utf8',
    length: 0, writing: false, corked: 0, sync: true, bufferProcessing: false,
    onwrite: (error) => onWrite(stream, error),
    writecb: null, writelen: 0, buffered: [], pendingcb: 0, constructed: true, prefinished: false, errorEmitted: false,
    emitClose: options?.emitClose !== false, autoDestroy: options?.autoDestroy !== false,
    errored: null, closed: false, closeEmitted: false, onFinish: [],
  });
}
WritableState.prototype.getBuffer = function getBuffer() { return this.buffered.slice(); };
Object.defineProperty(WritableState.prototype, 'bufferedRequestCount', { get() { return this.buffered.length; } });

function Writable(options) {
  const duplex = this instanceof require('internal/stream_duplex').Duplex;
  if (!duplex && !(this instanceof Writable)) return new Writable(options);
  this._writableState = new WritableState(options, this, duplex);
  if (options) setMethods(this, options);
  Stream.call(this, options);
  if (options?.signal) require('internal/stream_finished').addAbortSignal(options.signal, this);
  construct(this, () => {
    if (!this._writableState.writing) clearBuffer(this, this._writableState);
    finishMaybe(this, this._writableState);
  });
}
function setMethods(stream, options) {
  for (const name of ['write', 'writev', 'destroy', 'final', 'construct']) {
    if (typeof options[name] === 'function') stream[`_${name}`] = options[name];
  }
}
Object.setPrototypeOf(Writable.prototype, Stream.prototype);
Object.setPrototypeOf(Writable, Stream);
Object.defineProperty(Writable, Symbol.hasInstance, {
  value(object) {
    if (Function.prototype[Symbol.hasInstance].call(this, object)) return true;
    return this === Writable && object?._writableState instanceof WritableState;
  },
});

Writable.prototype.pipe = function pipe() {
  errorOrDestroy(this, withCode(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable'));
};

function write(stream, chunk, encoding, callback) {
  const state = stream._writableState;
  if (typeof encoding === 'function') {
    callback = encoding;
    encoding = state.defaultEncoding;
  } else {
    if (!encoding) encoding = state.defaultEncoding;
    else if (encoding !== 'buffer' && !Buffer.isEncoding(encoding)) {
      throw withCode(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    }
    if (typeof callback !== 'function') callback = nothing;
  }
  if (chunk === null) throw withCode(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
  if (!state.objectMode) {
    if (typeof chunk === 'string') {
      if (state.decodeStrings) {
        chunk = Buffer.from(chunk, encoding);
        encoding = 'buffer';
      }
    } else if (chunk instanceof Buffer) encoding = 'buffer';
    else if (ArrayBuffer.isView(chunk)) {
      chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      encoding = 'buffer';
    } else throw invalidArgType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
  }
  let error;
  if (state.ending) error = withCode(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end');
  else if (state.destroyed) {
    error = withCode(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
  }
  if (error) {
    process.nextTick(callback, error);
    errorOrDestroy(stream, error, true);
    return error;
  }
  state.pendingcb += 1;
  return writeOrBuffer(stream, state, chunk, encoding, callback);
}

Writable.prototype.write = function writeChunk(chunk, encoding, callback) {
  return write(this, chunk, encoding, callback) === true;
};

function writeOrBuffer(stream, state, chunk, encoding, callback) {
  const length = state.objectMode ? 1 : chunk.length;
  state.length += length;
  const below = state.length < state.highWaterMark;
  if (!below) state.needDrain = true;
  if (state.writing || state.corked || state.errored || !state.constructed) {
    state.buffered.push({ chunk, encoding, callback });
  } else {
    doWrite(stream, state, length, callback, () => stream._write(chunk, encoding, state.onwrite));
  }
  return below && !state.errored && !state.destroyed;
}

function doWrite(stream, state, length, callback, run) {
  state.writelen = length;
  state.writecb = callback;
  state.writing = true;
  state.sync = true;
  if (state.destroyed) {
    state.onwrite(withCode(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'));
  } else run();
  state.sync = false;
}

function onWrite(stream, error) {
  const state = stream._writableState;
  const { sync, writecb: callback } = state;
  if (typeof callback !== 'function') {
    errorOrDestroy(stream, withCode(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
    return;
  }
  state.writing = false;
  state.writecb = null;
  state.length -= state.writelen;
  state.writelen = 0;
  if (error) {
    state.errored ??= error;
    if (stream._readableState) stream._readableState.errored ??= error;
    const fail = () => {
      state.pendingcb -= 1;
      callback(error);
      failBuffered(state);
      errorOrDestroy(stream, error);
    };
    if (sync) process.nextTick(fail);
    else fail();
    return;
  }
  if (state.buffered.length > 0) clearBuffer(stream, state);
  if (sync) process.nextTick(afterWrite, stream, state, callback);
  else afterWrite(stream, state, callback);
}

function afterWrite(stream, state, callback) {
  if (!state.ending && !stream.destroyed && state.length === 0 && state.needDrain) {
    state.needDrain = false;
    stream.emit('drain');
  }
  state.pendingcb -= 1;
  callback(null);
  if (state.destroyed) failBuffered(state);
  finishMaybe(stream, state);
}

function failBuffered(state) {
  if (state.writing) return;
  const failure = state.errored ?? withCode(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
  for (const { chunk, callback } of state.buffered.splice(0)) {
    state.length -= state.objectMode ? 1 : chunk.length;
    callback(failure);
  }
  for (const callback of state.onFinish.splice(0)) callback(failure);
}

function clearBuffer(stream, state) {
  if (state.corked || state.bufferProcessing || state.destroyed || !state.constructed) return;
  const { buffered } = state;
  if (buffered.length === 0) return;
  state.bufferProcessing = true;
  if (buffered.length > 1 && stream._writev) {
    const all = buffered.splice(0);
    state.pendingcb -= all.length - 1;
    const callback = (error) => { for (const each of all) each.callback(error); };
    const chunks = all.map(({ chunk, encoding }) => ({ chunk, encoding }));
    chunks.allBuffers = all.every(({ encoding }) => encoding === 'buffer');
    doWrite(stream, state, state.length, callback, () => stream._writev(chunks, state.onwrite));
  } else {
    do {
      const { chunk, encoding, callback } = buffered.shift();
      const length = state.objectMode ? 1 : chunk.length;
      doWrite(stream, state, length, callback, () => stream._write(chunk, encoding, state.onwrite));
    } while (buffered.length > 0 && !state.writing);
  }
  state.bufferProcessing = false;
}

Writable.prototype._write = function _write(chunk, encoding, callback) {
  if (this._writev) this._writev([{ chunk, encoding }], callback);
  else throw withCode(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented');
};
Writable.prototype._writev = null;

Writable.prototype.cork = function cork() { this._writableState.corked += 1; };
Writable.prototype.uncork = function uncork() {
  const state = this._writableState;
  if (state.corked) {
    state.corked -= 1;
    if (!state.writing) clearBuffer(this, state);
  }
};
Writable.prototype.setDefaultEncoding = function setDefaultEncoding(encoding) {
  if (typeof encoding === 'string') encoding = encoding.toLowerCase();
  if (!Buffer.isEncoding(encoding)) throw withCode(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
  this._writableState.defaultEncoding = encoding;
  return this;
};

Writable.prototype.end = function end(chunk, encoding, callback) {
  const state = this._writableState;
  if (typeof chunk === 'function') [callback, chunk, encoding] = [chunk, null, null];
  else if (typeof encoding === 'function') [callback, encoding] = [encoding, null];
  let error;
  if (chunk !== null && chunk !== undefined) {
    const result = write(this, chunk, encoding);
    if (result instanceof Error) error = result;
  }
  if (state.corked) {
    state.corked = 1;
    this.uncork();
  }
  if (!error) {
    if (!state.errored && !state.ending) {
      state.ending = true;
      finishMaybe(this, state, true);
      state.ended = true;
    } else if (state.finished) {
      error = withCode(Error, 'ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished');
    } else if (state.destroyed) {
      error = withCode(Error, 'ERR_STREAM_DESTROYED', 'Cannot call end after a stream was destroyed');
    }
  }
  if (typeof callback === 'function') {
    if (error) process.nextTick(callback, error);
    else if (state.finished) process.nextTick(callback);
    else state.onFinish.push(callback);
  }
  return this;
};

function needFinish(state) {
  return state.ending && !state.destroyed && state.constructed && state.length === 0 && !state.errored
    && state.buffered.length === 0 && !state.finished && !state.writing && !state.errorEmitted && !state.closeEmitted;
}

function callFinal(stream, state) {
  let called = false;
  const done = (error) => {
    if (called) {
      errorOrDestroy(stream, error ?? withCode(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
      return;
    }
    called = true;
    state.pendingcb -= 1;
    if (error) {
      for (const callback of state.onFinish.splice(0)) callback(error);
      errorOrDestroy(stream, error, state.sync);
    } else if (needFinish(state)) {
      state.prefinished = true;
      stream.emit('prefinish');
      state.pendingcb += 1;
      process.nextTick(finish, stream, state);
    }
  };
  state.sync = true;
  state.pendingcb += 1;
  try {
    stream._final(done);
  } catch (error) {
    done(error);
  }
  state.sync = false;
}

function finishMaybe(stream, state, sync) {
  if (!needFinish(state)) return;
  if (!state.prefinished && !state.finalCalled) {
    if (typeof stream._final === 'function' && !state.destroyed) {
      state.finalCalled = true;
      callFinal(stream, state);
    } else {
      state.prefinished = true;
      stream.emit('prefinish');
    }
  }
  if (state.pendingcb !== 0) return;
  if (sync) {
    state.pendingcb += 1;
    process.nextTick(() => {
      if (needFinish(state)) finish(stream, state);
      else state.pendingcb -= 1;
    });
  } else if (needFinish(state)) {
    state.pendingcb += 1;
    finish(stream, state);
  }
}

function finish(stream, state) {
  state.pendingcb -= 1;
  state.finished = true;
  for (const callback of state.onFinish.splice(0)) callback();
  stream.emit('finish');
  if (!state.autoDestroy) return;
  const other = stream._readableState;
  if (!other || (other.autoDestroy && (other.endEmitted || other.readable === false))) stream.destroy();
}

Writable.prototype.destroy = function destroyWritable(error, callback) {
  const state = this._writableState;
  if (!state.destroyed && (state.buffered.length > 0 || state.onFinish.length > 0)) {
    process.nextTick(failBuffered, state);
  }
  return destroy.call(this, error, callback);
};
Writable.prototype._undestroy = function _undestroy() { undestroy(this); };
Writable.prototype._destroy = function _destroy(error, callback) { callback(error); };
Writable.prototype[Symbol.for('nodejs.rejection')] = function rejected(error) { this.destroy(error); };

const getters = {
  closed() { return this._writableState?.closed ?? false; },
  writable() {
    const w = this._writableState;
    return Boolean(w) && w.writable !== false && !w.destroyed && !w.errored && !w.ending && !w.ended;
  },
  writableFinished() { return this._writableState?.finished ?? false; },
  writableObjectMode() { return this._writableState?.objectMode ?? false; },
  writableBuffer() { return this._writableState?.getBuffer(); },
  writableEnded() { return this._writableState?.ending ?? false; },
  writableNeedDrain() {
    const w = this._writableState;
    return Boolean(w) && !w.destroyed && !w.ending && w.needDrain;
  },
  writableHighWaterMark() { return this._writableState?.highWaterMark; },
  writableCorked() { return this._writableState?.corked ?? 0; },
  writableLength() { return this._writableState?.length; },
  errored() { return this._writableState?.errored ?? null; },
  writableAborted() {
    const w = this._writableState;
    return Boolean(w.writable !== false && (w.destroyed || w.errored) && !w.finished);
  },
};
for (const [name, get] of Object.entries(getters)) {
  Object.defineProperty(Writable.prototype, name, { get, configurable: true, enumerable: name !== 'writableAborted' });
}
Object.defineProperty(Writable.prototype, 'writable', {
  get: getters.writable,
  set(value) { if (this._writableState) this._writableState.writable = Boolean(value); },
  configurable: true,
  enumerable: true,
});
Object.defineProperty(Writable.prototype, 'destroyed', {
  get() { return this._writableState?.destroyed ?? false; },
  set(value) { if (this._writableState) this._writableState.destroyed = value; },
  configurable: true,
  enumerable: true,
});
Writable.fromWeb = (stream, options) => require('internal/stream_web').writableFromWeb(stream, options);
Writable.toWeb = (stream) => require('internal/stream_web').writableToWeb(stream);

module.exports = { Writable, WritableState };

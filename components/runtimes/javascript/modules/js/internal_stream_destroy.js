// How streams end: construct, destroy, error, close.
const { withCode } = require('internal/errors');
const process = require('process');

const parts = (stream) => [stream._readableState, stream._writableState].filter(Boolean);

function emitClose(stream) {
  const states = parts(stream);
  if (states.some((state) => state.closeEmitted)) return;
  for (const state of states) state.closeEmitted = true;
  if (states.some((state) => state.emitClose)) stream.emit('close');
}

function emitError(stream, error) {
  const states = parts(stream);
  if (states.some((state) => state.errorEmitted)) return;
  for (const state of states) state.errorEmitted = true;
  stream.emit('error', error);
}

function mark(stream, error) {
  for (const state of parts(stream)) state.errored ??= error;
}

function finishDestroy(stream, error, callback) {
  let called = false;
  const done = (failure) => {
    if (called) return;
    called = true;
    if (failure) mark(stream, failure);
    for (const state of parts(stream)) state.closed = true;
    if (typeof callback === 'function') callback(failure);
    process.nextTick(() => {
      if (failure) emitError(stream, failure);
      emitClose(stream);
    });
  };
  try {
    stream._destroy(error || null, done);
  } catch (failure) {
    done(failure);
  }
}

function destroy(error, callback) {
  const states = parts(this);
  if (states.some((state) => state.destroyed)) {
    if (typeof callback === 'function') callback();
    return this;
  }
  if (error) mark(this, error);
  for (const state of states) state.destroyed = true;
  if (states.some((state) => !state.constructed)) {
    this.once('lamina.constructed', (failure) => finishDestroy(this, failure ?? error, callback));
  } else finishDestroy(this, error, callback);
  return this;
}

// `later`: the caller must not see the error before it returns.
function errorOrDestroy(stream, error, later) {
  const states = parts(stream);
  if (states.some((state) => state.destroyed)) return;
  if (states.some((state) => state.autoDestroy)) {
    stream.destroy(error);
  } else if (error) {
    mark(stream, error);
    if (later) process.nextTick(emitError, stream, error);
    else emitError(stream, error);
  }
}

function construct(stream, ready) {
  if (typeof stream._construct !== 'function') return;
  const states = parts(stream);
  if (states.length > 0 && states.every((state) => !state.constructed)) {
    // The other half of a duplex waits for the same.
    stream.once('lamina.constructed', (error) => { if (!error) ready(); });
    return;
  }
  for (const state of states) state.constructed = false;
  stream.once('lamina.constructed', (error) => { if (!error) ready(); });
  process.nextTick(() => {
    let called = false;
    const done = (error) => {
      if (called) {
        errorOrDestroy(stream, error ?? withCode(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
        return;
      }
      called = true;
      const destroyed = parts(stream).some((state) => state.destroyed);
      for (const state of parts(stream)) state.constructed = true;
      stream.emit('lamina.constructed', destroyed ? error ?? null : error);
      if (!destroyed && error) errorOrDestroy(stream, error, true);
    };
    try {
      stream._construct((error) => process.nextTick(done, error));
    } catch (error) {
      process.nextTick(done, error);
    }
  });
}

function undestroy(stream) {
  for (const state of parts(stream)) {
    Object.assign(state, {
      constructed: true, closed: false, closeEmitted: false, destroyed: false, errored: null, errorEmitted: false,
      ended: false, endEmitted: false, reading: false, ending: false, finished: false, finalCalled: false, prefinished: false,
    });
  }
}

module.exports = { construct, destroy, errorOrDestroy, undestroy };

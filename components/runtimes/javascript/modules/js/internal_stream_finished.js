// stream.finished, stream.pipeline and abort signals.
const process = require('process');
const { AbortError, check, invalidArgType, withCode } = require('internal/errors');
const { bind } = require('internal/host');

const isStream = (value) => typeof value?.on === 'function' && (typeof value.pipe === 'function' || typeof value.write === 'function');
const isReadable = (value) => typeof value?.on === 'function' && typeof value.pipe === 'function' && value._readableState !== undefined
  && value._readableState?.readable !== false;
const isWritable = (value) => typeof value?.write === 'function' && typeof value?.on === 'function';
const isWeb = (value) => typeof value?.getReader === 'function' || typeof value?.getWriter === 'function';
const premature = () => withCode(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close');

function finished(stream, options, callback) {
  if (typeof options === 'function') [callback, options] = [options, {}];
  options ??= {};
  check.function(callback, 'callback');
  check.abortSignal(options.signal, 'options.signal');
  if (!isStream(stream)) {
    if (isWeb(stream)) return finishedWeb(stream, callback);
    throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
  }
  let called = false;
  const inner = bind(callback);
  const done = (error) => {
    if (called) return;
    called = true;
    if (error) inner.call(stream, error);
    else inner.call(stream);
  };
  const r = stream._readableState;
  const w = stream._writableState;
  let readable = options.readable ?? (r ? r.readable !== false : stream.readable === true && !w);
  let writable = options.writable ?? (w ? w.writable !== false : stream.writable === true);
  if (!r && !w && !readable && !writable) writable = true;
  let readDone = r ? r.endEmitted : stream.readableEnded === true;
  let writeDone = w ? w.finished : stream.writableFinished === true;
  const willClose = [r, w].some((state) => state?.autoDestroy && state.emitClose && state.closed === false)
    && (!readable || Boolean(r)) && (!writable || Boolean(w));

  const onFinish = () => {
    writeDone = true;
    if (stream.destroyed) return;
    if (willClose && (!stream.readable || readable)) return;
    if (!readable || readDone) done();
  };
  const onEnd = () => {
    readDone = true;
    if (stream.destroyed) return;
    if (willClose && (!stream.writable || writable)) return;
    if (!writable || writeDone) done();
  };
  const onError = (error) => done(error);
  const onClose = () => {
    const error = w?.errored ?? r?.errored;
    if (error && typeof error !== 'boolean') return done(error);
    if (readable && !readDone && !r?.endEmitted) return done(premature());
    if (writable && !writeDone && !w?.finished) return done(premature());
    return done();
  };
  const onRequest = () => stream.req?.on('finish', onFinish);
  if (typeof stream.setHeader === 'function' && typeof stream.abort === 'function') {
    stream.on('complete', onFinish);
    if (stream.req) onRequest();
    else stream.on('request', onRequest);
  }
  stream.on('end', onEnd);
  stream.on('finish', onFinish);
  if (options.error !== false) stream.on('error', onError);
  stream.on('close', onClose);
  const closed = r?.closed || w?.closed || stream.closed === true;
  if (closed) process.nextTick(onClose);
  else if (w?.errorEmitted || r?.errorEmitted) {
    if (!willClose) process.nextTick(onClose);
  } else if (!readable && (!willClose || stream.readable) && (writeDone || stream.writable === false)) process.nextTick(onClose);
  else if (!writable && (!willClose || stream.writable) && (readDone || stream.readable === false)) process.nextTick(onClose);
  const clean = () => {
    callback = null;
    called = true;
    for (const [type, listener] of [['end', onEnd], ['finish', onFinish], ['error', onError], ['close', onClose],
      ['complete', onFinish], ['request', onRequest]]) stream.removeListener(type, listener);
  };
  if (options.signal && !closed) {
    const abort = () => {
      const end = inner;
      clean();
      end.call(stream, new AbortError(undefined, { cause: options.signal.reason }));
    };
    if (options.signal.aborted) process.nextTick(abort);
    else options.signal.addEventListener('abort', abort, { once: true });
  }
  return clean;
}

function finishedWeb(stream, callback) {
  const { closedOf } = require('internal/webstreams');
  closedOf(stream).then(() => process.nextTick(callback), (error) => process.nextTick(callback, error));
  return () => {};
}

function addAbortSignal(signal, stream) {
  check.abortSignal(signal, 'signal');
  if (signal === undefined) throw invalidArgType('signal', 'an instance of AbortSignal', signal);
  if (!isStream(stream)) {
    throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
  }
  const abort = () => stream.destroy(new AbortError(undefined, { cause: signal.reason }));
  if (signal.aborted) abort();
  else {
    signal.addEventListener('abort', abort, { once: true });
    finished(stream, () => signal.removeEventListener('abort', abort));
  }
  return stream;
}

// Pumps an iterable into a stream, waiting where it is full.
async function pump(iterable, target, end) {
  let error;
  let wake = null;
  const resume = (failure) => {
    if (failure) error = failure;
    wake?.();
    wake = null;
  };
  const wait = () => new Promise((resolve, reject) => {
    if (error) reject(error);
    else wake = () => (error ? reject(error) : resolve());
  });
  target.on('drain', resume);
  const clean = finished(target, { readable: false }, (failure) => resume(failure ?? undefined));
  try {
    if (target.writableNeedDrain) await wait();
    for await (const chunk of iterable) {
      if (!target.write(chunk)) await wait();
    }
    if (end) {
      await new Promise((resolve, reject) => {
        finished(target, { readable: false }, (failure) => (failure ? reject(failure) : resolve()));
        target.end();
      });
    }
  } finally {
    clean();
    target.removeListener('drain', resume);
  }
}

const isIterable = (value) => value != null && (typeof value[Symbol.asyncIterator] === 'function'
  || typeof value[Symbol.iterator] === 'function');

function destroyer(stream, reading, writing) {
  let over = false;
  stream.on('close', () => { over = true; });
  finished(stream, { readable: reading, writable: writing }, (error) => { over = !error; });
  return (error) => {
    if (over) return;
    over = true;
    if (typeof stream.destroy === 'function') stream.destroy(error || withCode(Error, 'ERR_STREAM_DESTROYED', 'Cannot call pipe after a stream was destroyed'));
  };
}

function runPipeline(streams, callback, options = {}) {
  if (streams.length === 1 && Array.isArray(streams[0])) [streams] = streams;
  if (streams.length < 2) {
    throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "streams" argument must be specified');
  }
  const control = new AbortController();
  const { signal } = control;
  const destroys = [];
  let pending = 0;
  let failure;
  let value;
  let over = false;
  const outer = options.signal;
  check.abortSignal(outer, 'options.signal');
  const finish = (error, last) => {
    if (error && (!failure || failure.code === 'ERR_STREAM_PREMATURE_CLOSE')) failure = error;
    if (!failure && !last) return;
    for (const each of destroys.splice(0)) each(failure);
    outer?.removeEventListener('abort', onAbort);
    control.abort();
    if (last && !over) {
      over = true;
      process.nextTick(callback, failure, value);
    }
  };
  const step = (error) => {
    pending -= 1;
    finish(error, pending === 0);
  };
  function onAbort() { finish(new AbortError(undefined, { cause: outer.reason }), false); }
  if (outer) {
    if (outer.aborted) process.nextTick(onAbort);
    else outer.addEventListener('abort', onAbort, { once: true });
  }

  const last = streams.length - 1;
  let current;
  streams.forEach((stream, at) => {
    const reading = at < last;
    const writing = at > 0;
    const end = reading || options.end !== false;
    if (isStream(stream)) {
      if (end) destroys.push(destroyer(stream, reading, writing));
      stream.on('error', (error) => {
        if (error && error.name !== 'AbortError' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') finish(error, false);
      });
    }
    if (at === 0) {
      if (typeof stream === 'function') {
        current = stream({ signal });
        if (!isIterable(current)) throw invalidReturn('Iterable, AsyncIterable or Stream', 'source', current);
      } else if (isIterable(stream) || isReadable(stream) || isWeb(stream)) current = stream;
      else current = require('internal/stream_duplex').Duplex.from(stream);
    } else if (typeof stream === 'function') {
      const input = current;
      current = stream(input, { signal });
      if (reading) {
        if (!isIterable(current)) throw invalidReturn('AsyncIterable', `transform[${at - 1}]`, current);
      } else if (typeof current?.then === 'function' && !isIterable(current)) {
        pending += 1;
        current.then((result) => {
          value = result;
          process.nextTick(step, undefined);
        }, (error) => process.nextTick(step, error));
        const { PassThrough } = require('internal/stream_duplex');
        const through = new PassThrough({ objectMode: true });
        Promise.resolve(current).then((result) => {
          if (result != null) through.write(result);
          through.end();
        }, (error) => through.destroy(error));
        through.on('error', () => {});
        current = through;
      } else if (isIterable(current)) {
        // What can be read of the pipeline, as Node has it: what comes is written to it, and
        // nobody has to read it for the pipeline to end.
        const { PassThrough } = require('internal/stream_duplex');
        const through = new PassThrough({ objectMode: true });
        pending += 1;
        pump(current, through, end).then(() => step(), step);
        destroys.push(destroyer(through, false, true));
        current = through;
      } else throw invalidReturn('AsyncIterable or Promise', 'destination', current);
    } else if (isWritable(stream)) {
      if (isReadable(current)) {
        pending += 2;
        pipe(current, stream, step, end);
      } else if (isIterable(current)) {
        pending += 1;
        pump(current, stream, end).then(() => step(), step);
      } else throw invalidArgType('val', 'an instance of Readable, Iterable, or AsyncIterable', current);
      current = stream;
    } else throw invalidArgType('val', 'an instance of Writable or function', stream);
  });
  if (outer?.aborted) process.nextTick(onAbort);
  return current;
}

function invalidReturn(expected, name, value) {
  return withCode(TypeError, 'ERR_INVALID_RETURN_VALUE',
    `Expected ${expected} to be returned from the "${name}" function but got ${value === undefined ? 'undefined'
      : value?.constructor?.name ? `an instance of ${value.constructor.name}` : `type ${typeof value}`}.`);
}

function pipe(source, target, step, end) {
  source.pipe(target, { end: false });
  if (end) {
    const onEnd = () => target.end();
    if (source.readableEnded) process.nextTick(onEnd);
    else source.once('end', onEnd);
  } else step();
  finished(source, { readable: true, writable: false }, (error) => {
    const r = source._readableState;
    if (error?.code === 'ERR_STREAM_PREMATURE_CLOSE' && r?.ended && !r.errored && !r.errorEmitted) {
      source.once('end', step).once('error', step);
    } else step(error);
  });
  if (end) finished(target, { readable: false, writable: true }, step);
}

function pipeline(...streams) {
  const callback = streams.pop();
  check.function(callback, 'streams[stream.length - 1]');
  return runPipeline(streams, bind(callback));
}

module.exports = { addAbortSignal, finished, isReadable, isStream, isWritable, pipeline, runPipeline };

// One call: the context, the three forms of handlers, and errors as Lambda reports them.
//
// `mapped(text)` applies source maps to a stack trace; `settings` is the log's;
// `streams` is what `stream.js` answered.
(function (mapped, settings, console, streams) {
  'use strict';
  const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
  const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

  // The runtime's own errors, by Lambda's names.
  function failure(type, text) {
    const error = new Error(text);
    Object.defineProperty(error, 'name', { value: `Runtime.${type}`, writable: true, configurable: true });
    return error;
  }

  const isError = (value) => value instanceof Error || (value !== null && typeof value === 'object'
    && [value.name, value.message, value.stack].every((member) => typeof member === 'string' && member !== ''));

  // The lines of an error's stack trace, in the author's files.
  const lines = (error) => mapped(String(error.stack)).split('\n');

  // What the caller is told: type, message, lines.
  function described(error) {
    try {
      if (isError(error)) {
        if (error.name === 'InternalError' && error.message === 'out of memory') return ['Runtime.OutOfMemory', 'out of memory', lines(error)];
        const trace = typeof error.stack === 'string' ? lines(error) : [];
        return [String(error.name), String(error.message), trace];
      }
      return [typeof error, error?.toString?.() ?? String(error), []];
    } catch {
      return ['handled', 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack', []];
    }
  }

  // For JSON. An error is copied once: JSON finds an error within itself by that, as it
  // finds any object, where copies of copies would have no end.
  function withMembers() {
    const copies = new Map();
    return (key, value) => {
      if (!(value instanceof Error)) return value;
      let members = copies.get(value);
      if (members === undefined) {
        members = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
        if (typeof value.stack === 'string') members.stack = lines(value);
        copies.set(value, members);
      }
      return members;
    };
  }

  // What the log is told.
  function report(label, error) {
    if (!(error instanceof Error)) error = new Error(typeof error === 'symbol' ? String(error) : error);
    if (settings.json) return console.error(error);
    let text;
    try {
      text = JSON.stringify(error, withMembers());
    } catch {
      const [errorType, errorMessage, trace] = described(error);
      text = JSON.stringify({ errorType, errorMessage, trace });
    }
    return console.error(`${label} \t${text}`);
  }

  // Undefined for what cannot be: that is told when the answer is made.
  function serialized(result) {
    try {
      return JSON.stringify(result === undefined ? null : result);
    } catch {
      return undefined;
    }
  }

  // `members` as `handler.rs` lists them.
  function contextOf(deadline, node, members, state) {
    const settle = (failed, value) => { if (!state.settled) { state.settled = true; state.failed = failed; state.value = value; } };
    let waits = true;
    const done = (error, result) => {
      if (error !== undefined && error !== null) settle(true, error);
      else settle(false, result);
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() { return waits; },
      set callbackWaitsForEmptyEventLoop(value) { waits = value; },
    };
    if (node < 24) {
      context.succeed = (result) => done(null, result);
      context.fail = (error) => done(error ?? 'handled');
      context.done = done;
    }
    context.functionVersion = members[0];
    context.functionName = members[1];
    context.memoryLimitInMB = members[2];
    context.logGroupName = members[3];
    context.logStreamName = members[4];
    context.clientContext = members[5];
    context.identity = members[6];
    context.invokedFunctionArn = members[7];
    context.awsRequestId = members[8];
    context.getRemainingTimeInMillis = () => deadline - Date.now();
    const callback = (error, result) => {
      if (state.settled) return;
      done(error, result);
      state.drains = waits && !state.failed;
      // What is changed while the loop goes on is not part of the answer.
      if (state.drains) state.text = serialized(result);
    };
    return { context, callback, settle };
  }

  // Calls the handler. The state that is answered fills as the call goes on.
  function invoke(handler, event, deadline, node, ...members) {
    const state = { settled: false, failed: false, value: undefined, drains: false, streamed: false, text: undefined };
    const { context, callback, settle } = contextOf(deadline, node, members, state);
    try {
      if (handler[STREAMING] === 'response') {
        state.streamed = true;
        stream(handler, event, context, settle);
        return state;
      }
      if (node >= 24 && handler.length >= 3) {
        throw failure('CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
      }
      const result = handler(event, context, callback);
      if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
        result.then((value) => settle(false, value), (error) => settle(true, error ?? 'handled'));
      } else if (node >= 24) {
        settle(false, result);
      }
    } catch (error) {
      settle(true, error ?? 'handled');
    }
    return state;
  }

  function stream(handler, event, context, settle) {
    const writable = streams.make(handler[HIGH_WATER_MARK]);
    const result = handler(event, writable, context);
    if (result === null || typeof result !== 'object' || typeof result.then !== 'function') {
      throw failure('MalformedStreamingHandler', 'Streaming handlers must be an async function.');
    }
    result.then(() => streams.ended(writable)).then(() => settle(false, undefined), (error) => settle(true, error ?? 'handled'));
  }

  // The function that a handler's path names in what its module exports.
  function find(exported, path, whole) {
    let found = exported;
    for (const name of path.split('.')) found = found && found[name];
    if (found === undefined && exported?.default) {
      found = exported.default;
      for (const name of path.split('.')) found = found && found[name];
    }
    if (!found) throw failure('HandlerNotFound', `${whole} is undefined or not exported`);
    if (typeof found !== 'function') throw failure('HandlerNotFound', `${whole} is not a function`);
    return found;
  }

  // What went wrong while the handler's module was loaded, by Lambda's names.
  function loadFailure(error) {
    if (error instanceof SyntaxError) return wrapped('UserCodeSyntaxError', error);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') return wrapped('ImportModuleError', error);
    return error;
  }

  function wrapped(type, error) {
    const outer = failure(type, String(error));
    const frames = String(error.stack).split('\n').filter((line) => line.startsWith('    at '));
    Object.defineProperty(outer, 'stack', { value: [`Runtime.${type}: ${error}`, ...frames].join('\n'), writable: true, configurable: true });
    return outer;
  }

  // Errors that nobody caught: listeners first, as in Node; then the program ends.
  function uncaught(error) {
    const process = globalThis.process;
    if (process?.listenerCount?.('uncaughtException') > 0) {
      process.emit('uncaughtException', error, 'uncaughtException');
      return false;
    }
    report('Uncaught Exception', error);
    return true;
  }

  function unhandled(reason, promise) {
    const process = globalThis.process;
    if (process?.listenerCount?.('unhandledRejection') > 0) {
      process.emit('unhandledRejection', reason, promise);
      return undefined;
    }
    const text = reason?.toString?.();
    const error = failure('UnhandledPromiseRejection', text);
    error.reason = reason;
    error.promise = promise;
    if (reason instanceof Error) {
      const frames = String(reason.stack).split('\n').filter((line) => line.startsWith('    at '));
      Object.defineProperty(error, 'stack', { value: [`Runtime.UnhandledPromiseRejection: ${text}`, ...frames].join('\n'), writable: true, configurable: true });
    }
    report('Unhandled Promise Rejection', error);
    return error;
  }

  return { invoke, find, failure, described, report, loadFailure, uncaught, unhandled };
})

// One call: the context, the three forms of handlers, and errors as Lambda reports them.
//
// `native` is what Rust gives: mapped(text) applies source maps to a stack trace,
// settles(goesOn) says that the call has ended, and answers whether nothing has ended it
// before; streams() says that it answers by a stream.
// `settings` is the log's; `streams` is what `stream.js` answered.
(function (native, settings, console, streams) {
  'use strict';
  const { mapped } = native;
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

  // An instance serves one call. What every call needs is made before there is one, so
  // that a snapshot holds it; the call itself makes as little as it can.
  let waits = true;
  let deadline = 0;
  // How the call ended, where its handler did not tell by a promise.
  let settled = false, failed = false, value, text;

  function settle(isFailure, result, goesOn = false) {
    if (settled || !native.settles(goesOn)) return;
    settled = true;
    failed = isFailure;
    value = result;
    // What is changed while the loop goes on is not part of the answer.
    if (goesOn) text = serialized(result);
  }

  const done = (error, result) => {
    if (error !== undefined && error !== null) settle(true, error);
    else settle(false, result);
  };
  const callback = (error, result) => {
    if (error !== undefined && error !== null) settle(true, error);
    else settle(false, result, Boolean(waits));
  };

  function contextWith(callbacks) {
    return {
      get callbackWaitsForEmptyEventLoop() { return waits; },
      set callbackWaitsForEmptyEventLoop(value) { waits = value; },
      ...callbacks,
      functionVersion: undefined,
      functionName: undefined,
      memoryLimitInMB: undefined,
      logGroupName: undefined,
      logStreamName: undefined,
      clientContext: undefined,
      identity: undefined,
      invokedFunctionArn: undefined,
      awsRequestId: undefined,
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
  }
  const modern = contextWith({});
  const classic = contextWith({
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? 'handled'),
    done,
  });
  // Of the language, whatever a handler puts in their place.
  const resolved = Promise.resolve.bind(Promise);
  const { then } = Promise.prototype;

  // Waits for what only looks like a promise of the language.
  function follow(thenable) {
    try {
      thenable.then((value) => settle(false, value), (error) => settle(true, error ?? 'handled'));
    } catch (error) {
      settle(true, error ?? 'handled');
    }
  }

  // Calls the handler, with its context's members as `call.rs` lists them. The answer
  // is a promise that Rust waits for, by `follow` if it is none of the language; or
  // nothing: then the call ends by `settle`.
  function invoke(handler, event, due, version, name, memory, group, stream, client, identity, arn, id) {
    const context = settings.node < 24 ? classic : modern;
    deadline = due;
    settings.requestId = id;
    context.functionVersion = version;
    context.functionName = name;
    context.memoryLimitInMB = memory;
    context.logGroupName = group;
    context.logStreamName = stream;
    context.clientContext = client;
    context.identity = identity;
    context.invokedFunctionArn = arn;
    context.awsRequestId = id;
    try {
      if (handler[STREAMING] === 'response') return streamed(handler, event, context);
      if (handler.length >= 3 && settings.node >= 24) {
        throw failure('CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
      }
      const result = handler(event, context, callback);
      if (result !== null && typeof result === 'object') {
        if (result.then === then) return result;
        if (typeof result.then === 'function') return void follow(result);
      }
      if (settings.node >= 24) settle(false, result);
    } catch (error) {
      settle(true, error ?? 'handled');
    }
    return undefined;
  }

  function streamed(handler, event, context) {
    native.streams();
    const writable = streams.make(handler[HIGH_WATER_MARK]);
    const result = handler(event, writable, context);
    if (result === null || typeof result !== 'object' || typeof result.then !== 'function') {
      throw failure('MalformedStreamingHandler', 'Streaming handlers must be an async function.');
    }
    return resolved(result).then(() => streams.ended(writable));
  }

  // How the call ended by `settle`, for Rust; all undefined if it did not.
  const outcome = () => [failed, value, text];

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

  return { invoke, follow, outcome, find, failure, described, report, loadFailure, uncaught, unhandled };
})

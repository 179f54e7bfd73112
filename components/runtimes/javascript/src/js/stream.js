// `awslambda`: streamed answers by Lambda's interface, and hooks around a snapshot.
//
// `native` is what Rust gives: begin(contentType, prelude) and write(bytes) of the
// answer, and hooked() says that there is a hook for after a restore; `builtin(name)`
// is one of Node's modules.
(function (native, builtin) {
  'use strict';
  const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
  const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
  const preludes = new WeakMap();
  let ResponseStream;

  function invalid(text) {
    const error = new Error(text);
    error.name = 'Runtime.InvalidStreamingOperation';
    return error;
  }

  function listed(headers) {
    const list = [];
    for (const [name, value] of Object.entries(headers ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) list.push([name, String(one)]);
      }
    }
    return list;
  }

  // The class is made when the first stream is: most functions never stream.
  function classOf() {
    const { Writable } = builtin('stream');
    return class ResponseStream extends Writable {
      #started = false;
      #contentType;
      setContentType(contentType) {
        if (this.#started) throw invalid('Cannot set content-type, too late.');
        this.#contentType = `${contentType}`;
      }
      #start() {
        if (this.#started) return;
        this.#started = true;
        const prelude = preludes.get(this);
        native.begin(prelude ? undefined : this.#contentType, prelude);
      }
      _write(chunk, encoding, callback) {
        try {
          this.#start();
          native.write(chunk);
        } catch (error) {
          return callback(error);
        }
        return callback();
      }
      _final(callback) {
        try {
          this.#start();
        } catch (error) {
          return callback(error);
        }
        return callback();
      }
    };
  }

  // The stream that a streaming handler writes to.
  function make(highWaterMark) {
    ResponseStream ??= classOf();
    return new ResponseStream(highWaterMark === undefined ? {} : { highWaterMark });
  }

  // Settled when all is written; a handler that returns has ended its stream.
  function ended(stream) {
    return new Promise((resolve, reject) => {
      if (stream.writableFinished) return resolve();
      if (stream.errored) return reject(stream.errored);
      stream.once('finish', resolve);
      stream.once('error', reject);
      stream.once('close', resolve);
      if (!stream.writableEnded) stream.end();
    });
  }

  class HttpResponseStream {
    static from(stream, prelude) {
      preludes.set(stream, {
        statusCode: prelude?.statusCode ?? 200,
        headers: listed(prelude?.headers).concat(listed(prelude?.multiValueHeaders)),
        cookies: (prelude?.cookies ?? []).map(String),
      });
      return stream;
    }
  }

  const before = [], after = [];
  function hook(list, callback) {
    if (typeof callback !== 'function') throw new TypeError('a hook is a function');
    list.push(callback);
  }

  const awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = options.highWaterMark;
      return handler;
    },
    HttpResponseStream,
    snapStart: {
      beforeSnapshot(callback) { hook(before, callback); },
      afterRestore(callback) {
        hook(after, callback);
        native.hooked();
      },
    },
  };

  // Before a snapshot the last hook runs first, as things are taken down; after a
  // restore the first one, as they are built up. Undefined where there is none; Rust
  // asks for those after a restore only if it was told of one.
  async function run(hooks) { for (const callback of hooks) await callback(); }
  const runBefore = () => (before.length > 0 ? run([...before].reverse()) : undefined);
  const runAfter = () => (after.length > 0 ? run(after) : undefined);

  return { awslambda, make, ended, runBefore, runAfter };
})

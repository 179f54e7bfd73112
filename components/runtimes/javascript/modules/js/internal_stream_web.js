// Node's streams as web streams and back.
const { Readable } = require('internal/stream_readable');
const { Writable } = require('internal/stream_writable');
const { finished } = require('internal/stream_finished');

function readableFromWeb(stream, options = {}) {
  const reader = stream.getReader();
  return new Readable({
    ...options,
    objectMode: options.objectMode ?? false,
    read() {
      reader.read().then(({ value, done }) => this.push(done ? null : value), (error) => this.destroy(error));
    },
    destroy(error, callback) {
      reader.cancel(error).then(() => callback(error), () => callback(error));
    },
  });
}

function readableToWeb(stream) {
  return new ReadableStream({
    start(controller) {
      stream.pause();
      stream.on('data', (chunk) => {
        controller.enqueue(chunk instanceof Uint8Array ? new Uint8Array(chunk) : chunk);
        if (controller.desiredSize <= 0) stream.pause();
      });
      finished(stream, { writable: false }, (error) => {
        if (error) controller.error(error);
        else controller.close();
      });
    },
    pull() { stream.resume(); },
    cancel(reason) { stream.destroy(reason); },
  }, { highWaterMark: stream.readableHighWaterMark, size: (chunk) => chunk.length ?? 1 });
}

function writableFromWeb(stream, options = {}) {
  const writer = stream.getWriter();
  return new Writable({
    ...options,
    write(chunk, encoding, callback) { writer.ready.then(() => writer.write(chunk)).then(() => callback(), callback); },
    final(callback) { writer.close().then(() => callback(), callback); },
    destroy(error, callback) {
      const end = error ? writer.abort(error) : writer.close();
      end.then(() => callback(error), () => callback(error));
    },
  });
}

function writableToWeb(stream) {
  return new WritableStream({
    write(chunk) {
      if (stream.write(chunk)) return undefined;
      return new Promise((resolve, reject) => {
        stream.once('drain', resolve);
        stream.once('error', reject);
      });
    },
    close() { return new Promise((resolve, reject) => { stream.end((error) => (error ? reject(error) : resolve())); }); },
    abort(reason) { stream.destroy(reason); },
  });
}

module.exports = { readableFromWeb, readableToWeb, writableFromWeb, writableToWeb };

// node:stream.
const { Stream } = require('internal/stream_legacy');
const { Duplex, PassThrough, Transform } = require('internal/stream_duplex');
const { Readable } = require('internal/stream_readable');
const { Writable } = require('internal/stream_writable');
const { compose } = require('internal/stream_iterate');
const { addAbortSignal, finished, isReadable, pipeline } = require('internal/stream_finished');
const { getDefaultHighWaterMark, setDefaultHighWaterMark } = require('internal/stream_marks');

const custom = Symbol.for('nodejs.util.promisify.custom');

module.exports = Object.assign(Stream, {
  Stream,
  Readable,
  Writable,
  Duplex,
  Transform,
  PassThrough,
  addAbortSignal,
  compose,
  finished,
  pipeline,
  getDefaultHighWaterMark,
  setDefaultHighWaterMark,
  destroy: (stream, error) => stream.destroy(error),
  isDisturbed: (stream) => Boolean(stream?._readableState?.dataEmitted || stream?.readableDidRead),
  isErrored: (stream) => Boolean(stream?._readableState?.errored ?? stream?._writableState?.errored),
  isReadable: (stream) => Boolean(isReadable(stream) && stream.readable),
});
for (const [callback, name] of [[finished, 'finished'], [pipeline, 'pipeline']]) {
  Object.defineProperty(callback, custom, {
    enumerable: true, configurable: true, get: () => require('stream/promises')[name],
  });
}
Object.defineProperty(module.exports, 'promises', {
  enumerable: true, configurable: true, get: () => require('stream/promises'),
});
Readable.fromWeb = (stream, options) => require('internal/stream_web').readableFromWeb(stream, options);
Readable.toWeb = (stream) => require('internal/stream_web').readableToWeb(stream);

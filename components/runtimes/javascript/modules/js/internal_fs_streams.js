// Streams of files.
const { Readable, Writable } = require('stream');
const { check, outOfRange } = require('internal/errors');
const { optionsOf, pathOf, sync } = require('internal/fs_sync');
const { Buffer } = require('buffer');

function opened(stream, options, flags) {
  const { handle } = options;
  stream.fd = typeof options.fd === 'number' ? options.fd : options.fd?.fd ?? handle?.fd ?? null;
  stream.flags = options.flags ?? flags;
  stream.mode = options.mode ?? 0o666;
  stream.autoClose = options.autoClose !== false;
  stream._construct = (callback) => {
    if (stream.fd !== null) {
      callback();
      return;
    }
    try {
      stream.fd = sync.open(stream.path, stream.flags, stream.mode);
    } catch (error) {
      callback(error);
      return;
    }
    callback();
    stream.emit('open', stream.fd);
    stream.emit('ready');
  };
  stream._destroy = (error, callback) => {
    if (stream.fd === null || !stream.autoClose) {
      callback(error);
      return;
    }
    try {
      sync.close(stream.fd);
    } catch (failure) {
      error ??= failure;
    }
    stream.fd = null;
    callback(error);
  };
}

function ReadStream(path, options) {
  if (!(this instanceof ReadStream)) return new ReadStream(path, options);
  options = optionsOf(options, {});
  if (options.start !== undefined) check.integer(options.start, 'start', 0);
  if (options.end !== undefined && options.end !== Infinity) {
    check.integer(options.end, 'end', 0);
    if ((options.start ?? 0) > options.end) throw outOfRange('start', `<= "end" (here: ${options.end})`, options.start);
  }
  this.path = options.fd == null ? pathOf(path) : undefined;
  opened(this, options, 'r');
  this.start = options.start;
  this.end = options.end ?? Infinity;
  this.pos = options.start;
  this.bytesRead = 0;
  Readable.call(this, { highWaterMark: 64 * 1024, ...options, objectMode: false });
}
Object.setPrototypeOf(ReadStream.prototype, Readable.prototype);
Object.setPrototypeOf(ReadStream, Readable);
ReadStream.prototype._read = function _read(size) {
  const left = this.pos !== undefined ? this.end - this.pos + 1 : this.end - this.bytesRead + 1;
  const length = Math.min(left, size);
  if (length <= 0) {
    this.push(null);
    return;
  }
  // Not within `read` itself: whoever asks for data sees it arrive later, as in Node.
  setImmediate(() => {
    if (this.destroyed) return;
    const buffer = Buffer.alloc(length);
    let count;
    try {
      count = sync.read(this.fd, buffer, 0, length, this.pos ?? null);
    } catch (error) {
      this.destroy(error);
      return;
    }
    if (this.pos !== undefined) this.pos += count;
    this.bytesRead += count;
    this.push(count > 0 ? buffer.subarray(0, count) : null);
  });
};
ReadStream.prototype.close = function close(callback) {
  if (callback) this.once('close', () => callback());
  this.destroy();
};
Object.defineProperty(ReadStream.prototype, 'pending', { get() { return this.fd === null; }, configurable: true });

function WriteStream(path, options) {
  if (!(this instanceof WriteStream)) return new WriteStream(path, options);
  options = optionsOf(options, {});
  if (options.start !== undefined) check.integer(options.start, 'start', 0);
  this.path = options.fd == null ? pathOf(path) : undefined;
  opened(this, options, 'w');
  this.start = options.start;
  this.pos = options.start;
  this.bytesWritten = 0;
  Writable.call(this, { highWaterMark: options.highWaterMark, ...options, decodeStrings: true, objectMode: false });
  if (options.encoding) this.setDefaultEncoding(options.encoding);
}
Object.setPrototypeOf(WriteStream.prototype, Writable.prototype);
Object.setPrototypeOf(WriteStream, Writable);
WriteStream.prototype._write = function _write(chunk, encoding, callback) {
  setImmediate(() => {
    let count;
    try {
      count = sync.write(this.fd, chunk, 0, chunk.length, this.pos ?? null);
    } catch (error) {
      callback(error);
      return;
    }
    this.bytesWritten += count;
    if (this.pos !== undefined) this.pos += count;
    callback();
  });
};
WriteStream.prototype.close = function close(callback) {
  if (callback) {
    if (this.closed) {
      require('process').nextTick(callback);
      return;
    }
    this.once('close', () => callback());
  }
  if (!this.autoClose) this.once('finish', () => this.destroy());
  this.end();
};
WriteStream.prototype.destroySoon = WriteStream.prototype.end;
Object.defineProperty(WriteStream.prototype, 'pending', { get() { return this.fd === null; }, configurable: true });

module.exports = { ReadStream, WriteStream };

// process.stdout, stderr and stdin.
const { Readable, Writable } = require('stream');
const { Buffer } = require('buffer');
const { host } = require('internal/host');
const native = natives('process');

function output(fd) {
  const put = (chunk) => (typeof host.write === 'function' ? host.write(fd, chunk) : native.write(fd, chunk));
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, encoding, callback) {
      put(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      callback();
    },
  });
  Object.assign(stream, { fd, isTTY: false, _type: 'pipe', columns: undefined });
  stream.destroy = () => stream;
  stream.end = (chunk, encoding, callback) => {
    if (chunk != null && typeof chunk !== 'function') stream.write(chunk, encoding);
    const done = [chunk, encoding, callback].find((each) => typeof each === 'function');
    if (done) queueMicrotask(done);
    return stream;
  };
  stream.getColorDepth = () => 1;
  stream.hasColors = () => false;
  return stream;
}

module.exports = { stdout: output(1), stderr: output(2), stdin: Object.assign(Readable.from([]), { fd: 0, isTTY: false }) };

// Stream itself, which all others descend from.
const EventEmitter = require('events');

function Stream(options) {
  EventEmitter.call(this, options);
}
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Stream, EventEmitter);

Stream.prototype.pipe = function pipe(target, options) {
  const source = this;
  const onData = (chunk) => {
    if (target.writable && target.write(chunk) === false && source.pause) source.pause();
  };
  const onDrain = () => { if (source.readable && source.resume) source.resume(); };
  source.on('data', onData);
  target.on('drain', onDrain);
  const onEnd = () => target.end();
  if (!target._isStdio && options?.end !== false) source.on('end', onEnd);
  const clean = () => {
    source.removeListener('data', onData);
    target.removeListener('drain', onDrain);
    source.removeListener('end', onEnd);
  };
  source.on('end', clean);
  source.on('close', clean);
  target.on('close', clean);
  target.emit('pipe', source);
  return target;
};

module.exports = { Stream };

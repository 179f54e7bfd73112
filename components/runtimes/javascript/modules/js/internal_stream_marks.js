// High-water marks of streams.
const { check, invalidArgValue } = require('internal/errors');

let bytes = 16 * 1024;
let objects = 16;

function highWaterMark(options, key, duplex, objectMode) {
  const value = options?.highWaterMark ?? (duplex ? options?.[key] : null);
  if (value == null) return objectMode ? objects : bytes;
  if (!Number.isInteger(value) || value < 0) throw invalidArgValue(duplex && options.highWaterMark == null ? `options.${key}` : 'options.highWaterMark', value);
  return value;
}

module.exports = {
  highWaterMark,
  getDefaultHighWaterMark: (objectMode) => (objectMode ? objects : bytes),
  setDefaultHighWaterMark(objectMode, value) {
    check.integer(value, 'value', 0);
    if (objectMode) objects = value;
    else bytes = value;
  },
};

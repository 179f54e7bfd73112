// Errors with Node's codes and words, and the checks of arguments that throw them.

function withCode(Base, code, message) {
  const error = new Base(message);
  Object.defineProperty(error, 'toString', {
    value() { return `${this.name} [${code}]: ${this.message}`; },
    writable: true, configurable: true, enumerable: false,
  });
  error.code = code;
  return error;
}

function received(value) {
  if (value == null) return ` Received ${value}`;
  if (typeof value === 'function') {
    return value.name ? ` Received function ${value.name}` : ' Received function ';
  }
  if (typeof value === 'object') {
    if (value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    return ` Received ${require('util').inspect(value, { depth: -1 })}`;
  }
  let text = typeof value === 'string' ? value : String(value);
  if (typeof value === 'bigint') text += 'n';
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  if (typeof value === 'string') text = text.includes("'") ? JSON.stringify(text) : `'${text}'`;
  return ` Received type ${typeof value} (${text})`;
}

// `expected` as Node puts it: 'of type string', 'an instance of Buffer'.
function invalidArgType(name, expected, actual) {
  let what = `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  if (name.endsWith(' argument')) what = name;
  return withCode(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${what} must be ${expected}.${received(actual)}`);
}

function invalidArgValue(name, value, reason = 'is invalid') {
  let text = require('util').inspect(value);
  if (text.length > 128) text = `${text.slice(0, 128)}...`;
  const kind = name.includes('.') ? 'property' : 'argument';
  return withCode(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${text}`);
}

function grouped(value) {
  const text = String(value);
  const negative = text.startsWith('-') ? '-' : '';
  return negative + text.slice(negative.length).replace(/\B(?=(\d{3})+(?!\d))/g, '_');
}

function outOfRange(name, range, value, replace = false) {
  let text;
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) text = grouped(value);
  else if (typeof value === 'bigint') {
    text = String(value);
    if (value > 2n ** 32n || value < -(2n ** 32n)) text = grouped(value);
    text += 'n';
  } else text = require('util').inspect(value);
  const head = replace ? name : `The value of "${name}" is out of range.`;
  return withCode(RangeError, 'ERR_OUT_OF_RANGE', `${head} It must be ${range}. Received ${text}`);
}

function noNetwork(what) {
  const error = new Error(`${what}: functions have no network in this runtime yet`);
  error.code = 'ERR_LAMINA_NO_NETWORK';
  return error;
}

function notHere(what) {
  const error = new Error(`this runtime has no ${what}; `
    + 'the list is in components/runtimes/javascript/modules/README.md');
  error.code = 'ERR_LAMINA_NOT_HERE';
  return error;
}

const check = {
  string(value, name) {
    if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
  },
  number(value, name, min, max) {
    if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
    if ((min != null && value < min) || (max != null && value > max)
      || ((min != null || max != null) && Number.isNaN(value))) {
      const low = min != null ? `>= ${min}` : '';
      const high = max != null ? `<= ${max}` : '';
      throw outOfRange(name, `${low}${low && high ? ' && ' : ''}${high}`, value);
    }
  },
  integer(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
    if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
    if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
    if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  },
  boolean(value, name) {
    if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
  },
  function(value, name) {
    if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
  },
  object(value, name) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw invalidArgType(name, 'of type object', value);
    }
  },
  abortSignal(value, name) {
    if (value !== undefined && (value === null || typeof value !== 'object' || !('aborted' in value))) {
      throw invalidArgType(name, 'an instance of AbortSignal', value);
    }
  },
};

class AbortError extends Error {
  constructor(message = 'The operation was aborted', options = undefined) {
    super(message, options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

module.exports = {
  AbortError, check, invalidArgType, invalidArgValue, noNetwork, notHere, outOfRange, withCode,
};

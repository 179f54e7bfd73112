// node:assert.
const { check, invalidArgType, invalidArgValue, withCode } = require('internal/errors');
const { inspect } = require('internal/inspect');
const { isDeepEqual, isDeepStrictEqual } = require('internal/deep_equal');
const { isPromise, isRegExp } = require('util/types');

const HEADS = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};
const show = (value) => inspect(value, {
  compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false,
  sorted: true, getters: true, breakLength: Infinity,
});

// The lines of both, those that are in one alone marked: the longest common part stays.
function difference(actual, expected) {
  const left = actual.split('\n');
  const right = expected.split('\n');
  const lengths = Array.from({ length: left.length + 1 }, () => new Array(right.length + 1).fill(0));
  for (let a = left.length - 1; a >= 0; a -= 1) {
    for (let b = right.length - 1; b >= 0; b -= 1) {
      lengths[a][b] = left[a] === right[b] ? lengths[a + 1][b + 1] + 1 : Math.max(lengths[a + 1][b], lengths[a][b + 1]);
    }
  }
  const lines = [];
  let a = 0;
  let b = 0;
  while (a < left.length || b < right.length) {
    if (a < left.length && b < right.length && left[a] === right[b]) {
      lines.push(`  ${left[a]}`);
      a += 1;
      b += 1;
    } else if (a < left.length && (b >= right.length || lengths[a + 1][b] >= lengths[a][b + 1])) {
      lines.push(`+ ${left[a]}`);
      a += 1;
    } else {
      lines.push(`- ${right[b]}`);
      b += 1;
    }
  }
  return lines.join('\n');
}

// More lines than this are not compared line by line.
const LINES_MAX = 400;

function messageOf(operator, actual, expected) {
  if (operator.startsWith('not')) {
    const text = show(expected);
    const short = !text.includes('\n') && text.length <= 5;
    return short ? `${HEADS[operator].replace(/:$/, '')}: ${text}`.replace('to:', 'to:') : `${HEADS[operator]}\n\n${text}\n`;
  }
  const left = show(actual);
  const right = show(expected);
  if (left === right) return `Values have same structure but are not reference-equal:\n\n${left}\n`;
  const single = !left.includes('\n') && !right.includes('\n');
  const plain = (value) => typeof value !== 'object' || value === null;
  if (operator === 'strictEqual' && single && plain(actual) && plain(expected) && typeof actual !== 'function'
    && typeof expected !== 'function' && left.length + right.length <= 12 && (actual !== 0 || expected !== 0)) {
    return `${HEADS[operator]}\n\n${left} !== ${right}\n`;
  }
  if (left.split('\n').length > LINES_MAX || right.split('\n').length > LINES_MAX) {
    return `${HEADS[operator]}\n+ actual - expected\n\n+ ${left.slice(0, 2000)}\n- ${right.slice(0, 2000)}`;
  }
  return `${HEADS[operator]}\n+ actual - expected\n\n${difference(left, right)}`;
}

class AssertionError extends Error {
  constructor(options) {
    check.object(options, 'options');
    const { message, operator, actual, expected } = options;
    if (message != null) super(String(message));
    else if (HEADS[operator] !== undefined) super(messageOf(operator, actual, expected));
    else super(`${inspect(actual)} ${operator} ${inspect(expected)}`);
    this.generatedMessage = !message;
    Object.defineProperty(this, 'name', {
      value: 'AssertionError', enumerable: false, writable: true, configurable: true,
    });
    this.code = 'ERR_ASSERTION';
    Object.assign(this, { actual, expected, operator });
  }
  toString() { return `${this.name} [${this.code}]: ${this.message}`; }
}

function fail_(options) {
  if (options.message instanceof Error) throw options.message;
  throw new AssertionError(options);
}

function ok(...args) { truthy(args, 'The expression evaluated to a falsy value'); }
function truthy(args, text) {
  const [value, message] = args;
  if (value) return;
  if (args.length === 0) {
    const error = new AssertionError({ message: 'No value argument passed to `assert.ok()`', actual: value, expected: true, operator: '==' });
    error.generatedMessage = true;
    throw error;
  }
  if (message instanceof Error) throw message;
  const error = new AssertionError({ message: message ?? text, actual: value, expected: true, operator: '==' });
  error.generatedMessage = message == null;
  throw error;
}

const assert = function assert(...args) { ok(...args); };
Object.assign(assert, { ok, AssertionError });

const two = (name, passes, operator = name) => {
  assert[name] = { [name](actual, expected, message) {
    if (arguments.length < 2) {
      throw withCode(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
    }
    if (!passes(actual, expected)) fail_({ actual, expected, message, operator });
  } }[name];
};
/* eslint-disable eqeqeq */
two('equal', (a, b) => a == b || (Number.isNaN(a) && Number.isNaN(b)), '==');
two('notEqual', (a, b) => !(a == b || (Number.isNaN(a) && Number.isNaN(b))), '!=');
two('strictEqual', Object.is);
two('notStrictEqual', (a, b) => !Object.is(a, b));
two('deepEqual', isDeepEqual);
two('notDeepEqual', (a, b) => !isDeepEqual(a, b));
two('deepStrictEqual', isDeepStrictEqual);
two('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b));

assert.fail = function fail(message = 'Failed') {
  if (message instanceof Error) throw message;
  const error = new AssertionError({ message, operator: 'fail' });
  error.generatedMessage = arguments.length === 0;
  throw error;
};

assert.ifError = function ifError(value) {
  if (value === null || value === undefined) return;
  let text = 'ifError got unwanted exception: ';
  if (typeof value === 'object' && typeof value.message === 'string') {
    text += value.message.length === 0 && value.constructor ? value.constructor.name : value.message;
  } else text += inspect(value);
  const error = new AssertionError({ actual: value, expected: null, operator: 'ifError', message: text });
  throw error;
};

function matches(actual, expected, message, operator) {
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && actual instanceof expected) return;
    if (Object.prototype.isPrototypeOf.call(Error, expected)) {
      fail_({ actual, expected, message: message ?? `The error is expected to be an instance of "${expected.name}". Received "${
        actual?.constructor?.name ?? inspect(actual)}"\n\nError message:\n\n${actual?.message}`, operator });
    }
    if (Reflect.apply(expected, {}, [actual]) !== true) {
      fail_({ actual, expected, message: message ?? `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${
        inspect(Reflect.apply(expected, {}, [actual]))}\n\nCaught error:\n\n${inspect(actual)}`, operator });
    }
    return;
  }
  if (isRegExp(expected)) {
    if (expected.test(String(actual))) return;
    fail_({ actual, expected, operator, message: message ?? `The input did not match the regular expression ${
      inspect(expected)}. Input:\n\n${inspect(String(actual))}\n` });
  }
  const keys = Object.keys(expected);
  if (expected instanceof Error) keys.push('name', 'message');
  else if (keys.length === 0) throw invalidArgValue('error', expected, 'may not be an empty object');
  for (const key of keys) {
    const text = typeof actual[key] === 'string' && isRegExp(expected[key]) && expected[key].test(actual[key]);
    if (!text && (!(key in actual) || !isDeepStrictEqual(actual[key], expected[key]))) {
      const pick = (value) => Object.fromEntries(keys.filter((each) => each in value).map((each) => [each, value[each]]));
      const error = new AssertionError({
        actual: pick(actual), expected: pick(expected), operator: 'deepStrictEqual', message,
      });
      Object.assign(error, { actual, expected, operator });
      throw error;
    }
  }
}

function expectThrown(name, thrown, expected, message) {
  if (typeof expected === 'string') {
    if (message !== undefined) {
      throw invalidArgType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
    }
    if (thrown && (thrown.error?.message === expected || thrown.error === expected)) {
      throw withCode(TypeError, 'ERR_AMBIGUOUS_ARGUMENT',
        `The "error/message" argument is ambiguous. The error message "${expected}" is identical to the message.`);
    }
    [message, expected] = [expected, undefined];
  } else if (expected != null && typeof expected !== 'object' && typeof expected !== 'function') {
    throw invalidArgType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
  }
  if (!thrown) {
    let text = expected?.name ? ` (${expected.name})` : '';
    text += message ? `: ${message}` : '.';
    const kind = name === 'rejects' ? 'rejection' : 'exception';
    fail_({ actual: undefined, expected, operator: name, message: `Missing expected ${kind}${text}` });
  }
  if (expected != null) matches(thrown.error, expected, message, name);
}

function expectNone(name, thrown, expected, message) {
  if (!thrown) return;
  if (typeof expected === 'string') [message, expected] = [expected, undefined];
  const matched = expected === undefined || (typeof expected === 'function'
    ? (expected.prototype !== undefined && thrown.error instanceof expected) || (!(expected.prototype instanceof Error) && expected !== Error && expected.call({}, thrown.error) === true)
    : expected.test(thrown.error));
  if (!matched) throw thrown.error;
  const kind = name === 'doesNotReject' ? 'rejection' : 'exception';
  fail_({
    actual: thrown.error, expected, operator: name,
    message: `Got unwanted ${kind}${message ? `: ${message}` : '.'}\nActual message: "${thrown.error?.message}"`,
  });
}

function caught(run) {
  check.function(run, 'fn');
  try {
    run();
  } catch (error) {
    return { error };
  }
  return undefined;
}
async function caughtLater(run) {
  let promise = run;
  if (typeof run === 'function') {
    promise = run();
    if (!isPromise(promise) && typeof promise?.then !== 'function') {
      throw withCode(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${
        promise === undefined ? 'undefined' : typeof promise === 'object' ? `an instance of ${promise?.constructor?.name}` : `type ${typeof promise}`}.`);
    }
  } else if (!isPromise(run) && typeof run?.then !== 'function') {
    throw invalidArgType('promiseFn', 'of type function or an instance of Promise', run);
  }
  try {
    await promise;
  } catch (error) {
    return { error };
  }
  return undefined;
}
assert.throws = function throws(run, expected, message) { expectThrown('throws', caught(run), expected, message); };
assert.doesNotThrow = function doesNotThrow(run, expected, message) { expectNone('doesNotThrow', caught(run), expected, message); };
assert.rejects = async function rejects(run, expected, message) {
  expectThrown('rejects', await caughtLater(run), expected, message);
};
assert.doesNotReject = async function doesNotReject(run, expected, message) {
  expectNone('doesNotReject', await caughtLater(run), expected, message);
};

const regular = (name, wanted) => {
  assert[name] = { [name](text, pattern, message) {
    if (!isRegExp(pattern)) throw invalidArgType('regexp', 'an instance of RegExp', pattern);
    if (typeof text === 'string' && pattern.test(text) === wanted) return;
    if (message instanceof Error) throw message;
    const what = typeof text !== 'string'
      ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
      : `The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ${
        inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
    const error = new AssertionError({ actual: text, expected: pattern, message: message ?? what, operator: name });
    error.generatedMessage = !message;
    throw error;
  } }[name];
};
regular('match', true);
regular('doesNotMatch', false);

assert.strict = Object.assign(function strict(...args) { ok(...args); }, assert, {
  equal: assert.strictEqual,
  notEqual: assert.notStrictEqual,
  deepEqual: assert.deepStrictEqual,
  notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict.strict = assert.strict;
module.exports = assert;

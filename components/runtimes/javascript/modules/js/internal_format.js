// util.format: printf as console has it.
const { inspect, number } = require('internal/inspect');

const plain = (value) => typeof value === 'bigint' ? `${value}n` : number(value, {});

function hasOwnText(value) {
  if (typeof value !== 'object' || value === null) return false;
  if (typeof value.toString !== 'function') return false;
  if (Object.prototype.hasOwnProperty.call(value, 'toString')) return true;
  let at = value;
  while (at && !Object.prototype.hasOwnProperty.call(at, 'toString')) at = Object.getPrototypeOf(at);
  const constructor = at && Object.getOwnPropertyDescriptor(at, 'constructor');
  if (typeof constructor?.value !== 'function') return false;
  return !/\[native code\]/.test(Function.prototype.toString.call(constructor.value))
    && !BUILT_IN.has(constructor.value.name);
}
const BUILT_IN = new Set(['Object', 'Array', 'Buffer', 'Map', 'Set', 'Promise', 'RegExp', 'Function', 'URL']);

function asString(value, options) {
  if (typeof value === 'number' || typeof value === 'bigint') return plain(value);
  if (typeof value === 'object' && value !== null && !hasOwnText(value)) {
    return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
  }
  return typeof value === 'function' && !Object.prototype.hasOwnProperty.call(value, 'toString')
    ? String(value) : String(value);
}

function asJson(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError && /circular/i.test(error.message)) return '[Circular]';
    throw error;
  }
}

function one(letter, value, options) {
  switch (letter) {
    case 's': return asString(value, options);
    case 'd':
      if (typeof value === 'bigint') return plain(value);
      return typeof value === 'symbol' ? plain(NaN) : plain(Number(value));
    case 'i':
      if (typeof value === 'bigint') return plain(value);
      return typeof value === 'symbol' ? plain(NaN) : plain(parseInt(value, 10));
    case 'f': return typeof value === 'symbol' ? plain(NaN) : plain(parseFloat(value));
    case 'j': return asJson(value);
    case 'O': return inspect(value, options);
    case 'o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
    case 'c': return '';
    default: return undefined;
  }
}

function formatWithOptions(options, ...args) {
  const [first] = args;
  let used = 0;
  let result = '';
  let join = '';
  if (typeof first === 'string') {
    if (args.length === 1) return first;
    used = 1;
    result = first.replace(/%([%sdifjOoc])/g, (found, letter) => {
      if (letter === '%') return '%';
      if (used >= args.length) return found;
      const text = one(letter, args[used], options);
      used += 1;
      return text;
    });
    join = ' ';
  }
  for (; used < args.length; used += 1) {
    const value = args[used];
    result += join;
    result += typeof value === 'string' ? value : inspect(value, { ...options, compact: 3, colors: options.colors ?? false });
    join = ' ';
  }
  return result;
}

module.exports = { format: (...args) => formatWithOptions({}, ...args), formatWithOptions };

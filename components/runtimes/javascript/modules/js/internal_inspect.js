// util.inspect: a value as text that people read.
const types = require('util/types');
const { promise, proxy } = natives('inspect');

const custom = Symbol.for('nodejs.util.inspect.custom');
const hasOwn = (value, key) => Object.prototype.hasOwnProperty.call(value, key);
const isEnumerable = (value, key) => Object.prototype.propertyIsEnumerable.call(value, key);

const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
};

const colors = Object.assign(Object.create(null), {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25],
  inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39],
  cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39], redBright: [91, 39], greenBright: [92, 39],
  yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39],
  whiteBright: [97, 39], bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49],
  bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], bgGray: [100, 49],
});
const styles = Object.assign(Object.create(null), {
  special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
  string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
});

function withColor(text, style) {
  const color = colors[styles[style]];
  return color === undefined ? text : `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
}
// eslint-disable-next-line no-control-regex
const stripColors = (text) => text.replace(/\u001b\[\d\d?m/g, '');

const NAMED = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
function quote(text) {
  let mark = "'";
  if (text.includes("'")) {
    if (!text.includes('"')) mark = '"';
    else if (!text.includes('`') && !text.includes('${')) mark = '`';
  }
  // eslint-disable-next-line no-control-regex
  const escaped = text.replace(/[\x00-\x1f\x7f-\x9f\\'\ud800-\udfff]/g, (unit, at) => {
    if (unit === "'") return mark === "'" ? "\\'" : unit;
    if (NAMED[unit] !== undefined) return NAMED[unit];
    const code = unit.charCodeAt(0);
    if (code >= 0xd800) {
      const next = text.charCodeAt(at + 1);
      const before = text.charCodeAt(at - 1);
      if (code < 0xdc00 ? next >= 0xdc00 && next <= 0xdfff : before >= 0xd800 && before <= 0xdbff) return unit;
      return `\\u${code.toString(16).toUpperCase()}`;
    }
    return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return mark + escaped + mark;
}

function separated(text) {
  const [whole, part] = text.split('.');
  const head = whole.replace(/\B(?=(\d{3})+(?!\d))/g, '_');
  return part === undefined ? head : `${head}.${part.replace(/(\d{3})(?=\d)/g, '$1_')}`;
}

function number(value, ctx) {
  if (Object.is(value, -0)) return '-0';
  const text = `${value}`;
  return ctx.numericSeparator && !/[eIN]/.test(text) ? separated(text) : text;
}

function primitive(ctx, value) {
  switch (typeof value) {
    case 'string': {
      let rest = '';
      if (value.length > ctx.maxStringLength) {
        const more = value.length - ctx.maxStringLength;
        value = value.slice(0, ctx.maxStringLength);
        rest = `... ${more} more character${more > 1 ? 's' : ''}`;
      }
      if (ctx.compact !== true && value.length > 16 && value.length > ctx.breakLength - ctx.indent - 4) {
        const lines = value.split(/(?<=\n)/).map((line) => ctx.stylize(quote(line), 'string'));
        return lines.join(` +\n${' '.repeat(ctx.indent + 2)}`) + rest;
      }
      return ctx.stylize(quote(value), 'string') + rest;
    }
    case 'number': return ctx.stylize(number(value, ctx), 'number');
    case 'bigint': return ctx.stylize(`${ctx.numericSeparator ? separated(`${value}`) : value}n`, 'bigint');
    case 'symbol': return ctx.stylize(value.toString(), 'symbol');
    default: return ctx.stylize(`${value}`, typeof value);
  }
}

function isInstance(value, Class) {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}

function constructorName(value, ctx, depth) {
  let first;
  for (let at = value; at; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, 'constructor');
    if (typeof found?.value === 'function' && found.value.name !== '' && isInstance(value, found.value)) {
      return `${found.value.name}`;
    }
    if (first === undefined) first = Object.getPrototypeOf(at);
  }
  if (first === null) return null;
  const own = Object.prototype.toString.call(value).slice(8, -1);
  if (depth > ctx.depth && ctx.depth !== null) return `${own} <Complex prototype>`;
  const parent = constructorName(first, ctx, depth + 1);
  if (parent === null) {
    return `${own} <${inspect(first, { ...ctx.options, customInspect: false, depth: -1 })}>`;
  }
  return `${own} <${parent}>`;
}

function prefixOf(constructor, tag, fallback, size = '') {
  if (constructor === null) {
    const mark = tag !== '' && fallback !== tag ? ` [${tag}]` : '';
    return `[${fallback}${size}: null prototype]${mark} `;
  }
  return tag !== '' && constructor !== tag ? `${constructor}${size} [${tag}] ` : `${constructor}${size} `;
}

function keysOf(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  if (showHidden) return [...Object.getOwnPropertyNames(value), ...symbols];
  let keys;
  try {
    keys = Object.keys(value);
  } catch {
    keys = Object.getOwnPropertyNames(value);
  }
  return [...keys, ...symbols.filter((key) => isEnumerable(value, key))];
}

const isIndex = (key) => typeof key === 'string' && /^(0|[1-9]\d{0,9})$/.test(key) && +key < 2 ** 32 - 1;
const moreItems = (count) => `... ${count} more item${count > 1 ? 's' : ''}`;

function formatArray(ctx, value, depth) {
  const output = [];
  const max = Math.min(Math.max(0, ctx.maxArrayLength), value.length);
  let at = 0;
  for (; output.length < max && at < value.length;) {
    if (hasOwn(value, at)) {
      output.push(property(ctx, value, depth, at, 'element'));
      at += 1;
      continue;
    }
    let end = at + 1;
    while (end < value.length && !hasOwn(value, end)) end += 1;
    output.push(ctx.stylize(`<${end - at} empty item${end - at > 1 ? 's' : ''}>`, 'undefined'));
    at = end;
  }
  if (at < value.length) output.push(moreItems(value.length - at));
  return output;
}

function formatTyped(ctx, value, depth) {
  const max = Math.min(Math.max(0, ctx.maxArrayLength), value.length);
  const output = [];
  const style = typeof value[0] === 'bigint' ? 'bigint' : 'number';
  for (let at = 0; at < max; at += 1) {
    output.push(ctx.stylize(style === 'bigint' ? `${value[at]}n` : number(value[at], ctx), style));
  }
  if (value.length > max) output.push(moreItems(value.length - max));
  if (ctx.showHidden) {
    ctx.indent += 2;
    for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) {
      output.push(`[${key}]: ${format(ctx, value[key], depth, true)}`);
    }
    ctx.indent -= 2;
  }
  return output;
}

function formatBytes(ctx, value) {
  const max = Math.min(Math.max(0, ctx.maxArrayLength), value.byteLength);
  const bytes = Array.from(new Uint8Array(value, 0, max), (byte) => byte.toString(16).padStart(2, '0'));
  let text = bytes.join(' ');
  const more = value.byteLength - max;
  if (more > 0) text += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
  return [`${ctx.stylize('[Uint8Contents]', 'special')}: <${text}>`];
}

function formatEntries(ctx, entries, size, one) {
  const max = Math.max(0, Math.min(ctx.maxArrayLength, size));
  const output = [];
  ctx.indent += 2;
  for (const entry of entries) {
    if (output.length >= max) break;
    output.push(one(entry));
  }
  if (size > max) output.push(moreItems(size - max));
  ctx.indent -= 2;
  return output;
}

function functionBase(value, constructor, tag) {
  const source = Function.prototype.toString.call(value);
  if (source.startsWith('class') && source.endsWith('}')) {
    let base = `[class ${hasOwn(value, 'name') && value.name !== '' ? value.name : '(anonymous)'}`;
    if (constructor !== 'Function' && constructor !== null) base += ` [${constructor}]`;
    if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
    if (constructor !== null) {
      const { name } = Object.getPrototypeOf(value);
      if (name) base += ` extends ${name}`;
    } else base += ' extends [null prototype]';
    return `${base}]`;
  }
  let kind = 'Function';
  if (types.isGeneratorFunction(value)) kind = `Generator${kind}`;
  if (types.isAsyncFunction(value)) kind = `Async${kind}`;
  let base = `[${kind}`;
  if (constructor === null) base += ' (null prototype)';
  base += value.name === '' ? ' (anonymous)]' : `: ${value.name}]`;
  if (constructor !== kind && constructor !== null) base += ` ${constructor}`;
  if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
  return base;
}

// The engine's `stack` is the frames alone; Node's begins with name and message.
function stackOf(error) {
  let head;
  try {
    head = Error.prototype.toString.call(error);
  } catch {
    head = 'Error';
  }
  const stack = typeof error.stack === 'string' ? error.stack.replace(/\n+$/, '') : '';
  if (stack === '') return head;
  return /^\s*at /.test(stack) ? `${head}\n${stack}` : stack;
}

function errorBase(ctx, error, constructor, tag, keys) {
  let stack = stackOf(error);
  const name = error.name != null ? `${error.name}` : 'Error';
  if (!ctx.showHidden) {
    for (const key of ['name', 'message', 'stack']) {
      const at = keys.indexOf(key);
      if (at !== -1 && (key === 'stack' || stack.includes(error[key]))) keys.splice(at, 1);
    }
  }
  for (const key of ['cause', 'errors']) {
    if (hasOwn(error, key) && !keys.includes(key) && (key === 'cause' || Array.isArray(error.errors))) keys.push(key);
  }
  if (typeof error.code === 'string' && keys.includes('code') && error.code.startsWith('ERR_')
    && stack.startsWith(name) && !stack.startsWith(`${name} [`)) {
    stack = `${name} [${error.code}]${stack.slice(name.length)}`;
  }
  if (constructor === null || (name.endsWith('Error') && stack.startsWith(name)
    && !stack.slice(0, stack.indexOf('\n') + 1 || undefined).includes(constructor))) {
    if (constructor === null) {
      stack = stack.replace(/^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/, (found, head) => found.replace(head,
        `[${head}: null prototype]`));
    } else if (constructor !== name && /Error|Exception/.test(name)) {
      const word = constructor.includes(name) ? constructor : `${constructor} [${name}]`;
      stack = word + stack.slice(name.length);
    }
  }
  if (tag !== '' && tag !== constructor && tag !== name) stack = stack.replace(name, `${name} [${tag}]`);
  const frames = stack.indexOf('\n    at');
  if (frames === -1) stack = `[${stack}]`;
  if (ctx.indent !== 0) stack = stack.replaceAll('\n', `\n${' '.repeat(ctx.indent)}`);
  return stack;
}

function groupElements(ctx, output, value) {
  const extra = ctx.maxArrayLength < output.length ? 1 : 0;
  const count = output.length - extra;
  const widths = output.slice(0, count).map((text) => (ctx.colors ? stripColors(text) : text).length);
  const total = widths.reduce((sum, width) => sum + width + 2, 0);
  const widest = Math.max(...widths);
  const cell = widest + 2;
  if (!(cell * 3 + ctx.indent < ctx.breakLength && (total / cell > 5 || widest <= 6))) return output;
  const biased = Math.max(cell - 3 - Math.sqrt(cell - total / output.length), 1);
  const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * count) / biased),
    Math.floor((ctx.breakLength - ctx.indent) / cell), ctx.compact * 4, 15);
  if (columns <= 1) return output;
  const columnWidths = [];
  for (let column = 0; column < columns; column += 1) {
    let width = 0;
    for (let at = column; at < count; at += columns) width = Math.max(width, widths[at]);
    columnWidths.push(width + 2);
  }
  const numeric = value !== undefined
    && output.every((_, at) => typeof value[at] === 'number' || typeof value[at] === 'bigint');
  const lines = [];
  for (let row = 0; row < count; row += columns) {
    const end = Math.min(row + columns, count);
    let line = '';
    for (let at = row; at < end; at += 1) {
      const hidden = output[at].length - widths[at];
      const last = at === end - 1;
      const text = last ? output[at] : `${output[at]}, `;
      const width = columnWidths[at - row] + hidden;
      if (numeric) line += text.padStart(last ? width - 2 : width);
      else line += last ? text : text.padEnd(width);
    }
    lines.push(line);
  }
  if (extra) lines.push(output[count]);
  return lines;
}

function fits(ctx, output, start, base) {
  let total = output.length + start;
  if (total + output.length > ctx.breakLength) return false;
  for (const text of output) total += (ctx.colors ? stripColors(text) : text).length;
  return total <= ctx.breakLength && (base === '' || !base.includes('\n'));
}

function joined(ctx, output, base, braces, listed, depth, value) {
  const head = base ? `${base} ` : '';
  if (ctx.compact !== true) {
    if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
      const entries = output.length;
      if (listed && entries > 6) output = groupElements(ctx, output, value);
      if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indent + braces[0].length + base.length + 10;
        if (fits(ctx, output, start, base)) {
          const line = output.join(', ');
          if (!line.includes('\n')) return `${head}${braces[0]} ${line} ${braces[1]}`;
        }
      }
    }
    const indentation = `\n${' '.repeat(ctx.indent)}`;
    return `${head}${braces[0]}${indentation}  ${output.join(`,${indentation}  `)}${indentation}${braces[1]}`;
  }
  if (fits(ctx, output, 0, base)) return `${braces[0]}${base ? ` ${base}` : ''} ${output.join(', ')} ${braces[1]}`;
  const indentation = `\n${' '.repeat(ctx.indent)}`;
  const opening = base === '' && braces[0].length === 1 ? ' ' : `${base ? ` ${base}` : ''}\n${indentation.slice(1)}  `;
  return `${braces[0]}${opening}${output.join(`,${indentation}  `)} ${braces[1]}`;
}

// How a value is written: braces, what stands before them, and its entries.
function plan(ctx, value, depth, typed) {
  const constructor = constructorName(value, ctx, depth);
  let tag = '';
  try {
    tag = value[Symbol.toStringTag];
  } catch { /* a getter may throw */ }
  const shown = ctx.showHidden ? hasOwn : isEnumerable;
  if (typeof tag !== 'string' || (tag !== '' && shown(value, Symbol.toStringTag))) tag = '';
  let keys = keysOf(value, ctx.showHidden);
  const prefix = (fallback, size) => prefixOf(constructor, tag, fallback, size);
  const braced = (head, entries = undefined) => ({
    constructor, keys, base: '', braces: [`${head}{`, '}'], entries: entries ?? (() => []), done: entries ? undefined : `${head}{}`,
  });
  const based = (base) => ({ constructor, keys, base, braces: ['{', '}'], entries: () => [], done: base });

  if (Array.isArray(value)) {
    keys = keys.filter((key) => !isIndex(key));
    const head = constructor !== 'Array' || tag !== '' ? prefix('Array', `(${value.length})`) : '';
    const done = value.length === 0 ? `${head}[]` : undefined;
    return { constructor, keys, base: '', braces: [`${head}[`, ']'], entries: formatArray, listed: true, done };
  }
  if (types.isSet(value)) {
    return braced(prefix('Set', `(${value.size})`), value.size === 0 ? undefined : () => formatEntries(ctx, Set.prototype.values.call(value),
      value.size, (entry) => format(ctx, entry, depth + 1)));
  }
  if (types.isMap(value)) {
    return braced(prefix('Map', `(${value.size})`), value.size === 0 ? undefined : () => formatEntries(ctx, Map.prototype.entries.call(value),
      value.size, ([key, entry]) => `${format(ctx, key, depth + 1)} => ${format(ctx, entry, depth + 1)}`));
  }
  if (types.isTypedArray(value)) {
    keys = keys.filter((key) => !isIndex(key));
    const head = prefix(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype),
      Symbol.toStringTag).get.call(value), `(${value.length})`);
    const done = value.length === 0 && !ctx.showHidden ? `${head}[]` : undefined;
    return { constructor, keys, base: '', braces: [`${head}[`, ']'], entries: formatTyped, listed: true, done };
  }
  if (types.isMapIterator(value) || types.isSetIterator(value)) return braced(`[${tag}] `);
  if (types.isArgumentsObject(value)) {
    return braced('[Arguments] ');
  }
  if (typeof value === 'function') return based(functionBase(value, constructor, tag));
  if (types.isRegExp(value)) {
    const head = constructor === 'RegExp' ? '' : prefix('RegExp');
    return based(`${head}${RegExp.prototype.toString.call(value)}`);
  }
  if (types.isDate(value)) {
    const head = constructor === 'Date' ? '' : prefix('Date');
    const time = Date.prototype.getTime.call(value);
    return based(head + (Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value)));
  }
  if (types.isNativeError(value) || value instanceof Error) {
    return based(errorBase(ctx, value, constructor, tag, keys));
  }
  if (types.isAnyArrayBuffer(value)) {
    const head = prefix(types.isArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer');
    if (typed) return { ...braced(head), done: `${head}{ byteLength: ${number(value.byteLength, ctx)} }` };
    keys.unshift('byteLength');
    return braced(head, formatBytes);
  }
  if (types.isDataView(value)) {
    keys.unshift('byteLength', 'byteOffset', 'buffer');
    return braced(prefix('DataView'));
  }
  if (types.isPromise(value)) {
    return braced(prefix('Promise'), () => {
      const [state, result] = promise(value);
      if (state === 0) return [ctx.stylize('<pending>', 'special')];
      ctx.indent += 2;
      const text = format(ctx, result, depth + 1);
      ctx.indent -= 2;
      return [state === 2 ? `${ctx.stylize('<rejected>', 'special')} ${text}` : text];
    });
  }
  if (types.isWeakSet(value) || types.isWeakMap(value)) {
    const head = prefix(types.isWeakSet(value) ? 'WeakSet' : 'WeakMap');
    return braced(head, () => [ctx.stylize('<items unknown>', 'special')]);
  }
  if (types.isModuleNamespaceObject(value)) return braced('[Module: null prototype] ');
  if (types.isBoxedPrimitive(value)) return boxed(ctx, value, constructor, tag, keys, based);
  if (constructor === 'Object' && tag === '') return braced('');
  return braced(prefix('Object'));
}

function boxed(ctx, value, constructor, tag, keys, based) {
  const plain = value.valueOf();
  const kind = { number: 'Number', string: 'String', boolean: 'Boolean', bigint: 'BigInt', symbol: 'Symbol' };
  const name = kind[typeof plain] ?? 'Object';
  if (name === 'String') keys.splice(0, value.length);
  let base = `[${name}`;
  if (name !== constructor) base += constructor === null ? ' (null prototype)' : ` (${constructor})`;
  base += `: ${primitive({ ...ctx, stylize: (text) => text }, plain)}]`;
  if (tag !== '' && tag !== constructor) base += ` [${tag}]`;
  return based(ctx.stylize(base, typeof plain));
}

const SPECIAL = new Map([[types.isRegExp, 'regexp'], [types.isDate, 'date']]);
function styleOf(value) {
  for (const [is, style] of SPECIAL) if (is(value)) return style;
  return typeof value === 'function' ? 'special' : undefined;
}

function raw(ctx, value, depth, typed) {
  const made = plan(ctx, value, depth, typed);
  const { constructor, keys, braces, listed } = made;
  let { base } = made;
  const style = base === '' ? undefined : styleOf(value);
  if (keys.length === 0 && made.done !== undefined) return style ? ctx.stylize(made.done, style) : made.done;
  if (depth > ctx.depth && ctx.depth !== null) {
    if (types.isRegExp(value)) return ctx.stylize(base, 'regexp');
    const name = Array.isArray(value) && constructor === 'Array' ? 'Array'
      : prefixOf(constructor, '', Array.isArray(value) ? 'Array' : 'Object').slice(0, -1);
    return ctx.stylize(`[${name}]`, 'special');
  }
  ctx.seen.push(value);
  ctx.currentDepth = depth + 1;
  let output;
  try {
    output = made.entries(ctx, value, depth + 1);
    const kind = listed ? 'extra' : 'property';
    for (const key of keys) output.push(property(ctx, value, depth + 1, key, kind));
  } finally {
    ctx.seen.pop();
  }
  if (ctx.circular?.has(value)) {
    const mark = ctx.stylize(`<ref *${ctx.circular.get(value)}>`, 'special');
    base = base === '' ? mark : `${mark} ${base}`;
  }
  if (ctx.sorted) {
    const order = ctx.sorted === true ? undefined : ctx.sorted;
    if (!listed) output.sort(order);
    else output.push(...output.splice(output.length - keys.length).sort(order));
  }
  if (output.length === 0 && made.done === undefined) return `${base ? `${base} ` : ''}${braces[0]}${braces[1]}`;
  return joined(ctx, output, base, braces, listed, depth + 1, listed ? value : undefined);
}

function property(ctx, value, depth, key, kind) {
  const found = Object.getOwnPropertyDescriptor(value, key)
    ?? { value: value[key], configurable: true, enumerable: true };
  let text;
  if (found.value !== undefined) {
    const step = ctx.compact !== true || kind === 'element' ? 2 : 3;
    ctx.indent += step;
    text = format(ctx, found.value, depth);
    ctx.indent -= step;
  } else if (found.get !== undefined) {
    text = getterText(ctx, value, depth, found);
  } else if (found.set !== undefined) text = ctx.stylize('[Setter]', 'special');
  else text = ctx.stylize('undefined', 'undefined');
  if (kind === 'element') return text;
  let name;
  if (typeof key === 'symbol') name = `[${ctx.stylize(key.toString(), 'symbol')}]`;
  else if (key === '__proto__') name = "['__proto__']";
  else if (found.enumerable === false) name = `[${key}]`;
  else if (/^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key)) name = ctx.stylize(key, 'name');
  else name = ctx.stylize(quote(key), 'string');
  return `${name}: ${text}`;
}

function getterText(ctx, value, depth, { get, set }) {
  const label = set === undefined ? 'Getter' : 'Getter/Setter';
  const wanted = ctx.getters === true || (ctx.getters === 'get' && set === undefined)
    || (ctx.getters === 'set' && set !== undefined);
  if (!wanted) return ctx.stylize(`[${label}]`, 'special');
  try {
    const result = get.call(value);
    ctx.indent += 2;
    const text = format(ctx, result, depth);
    ctx.indent -= 2;
    if (result !== null && typeof result === 'object') return `${ctx.stylize(`[${label}]`, 'special')} ${text}`;
    return `${ctx.stylize(`[${label}:`, 'special')} ${text}${ctx.stylize(']', 'special')}`;
  } catch (error) {
    return ctx.stylize(`[${label}: <Inspection threw (${error.message})>]`, 'special');
  }
}

function customOptions(ctx) {
  const options = { ...ctx.options, stylize: ctx.stylize };
  for (const key of Object.keys(defaults)) options[key] = ctx[key];
  return options;
}

// `depth` is how deep the value lies; `typed`: inside a typed array's hidden parts.
function format(ctx, value, depth, typed) {
  if (value === null) return ctx.stylize('null', 'null');
  if (typeof value !== 'object' && typeof value !== 'function') return primitive(ctx, value);
  const parts = proxy(value);
  if (parts != null) {
    if (ctx.showProxy) {
      if (depth > ctx.depth && ctx.depth !== null) return ctx.stylize('Proxy [Array]', 'special');
      ctx.indent += 2;
      const texts = parts.map((part) => format(ctx, part, depth + 1));
      ctx.indent -= 2;
      return joined(ctx, texts, '', ['Proxy [', ']'], true, depth + 1);
    }
    let target = parts[0];
    for (let inner = proxy(target); inner != null; inner = proxy(target)) [target] = inner;
    const own = ctx.customInspect ? value[custom] : undefined;
    if (typeof own !== 'function') value = target;
  }
  if (ctx.customInspect) {
    const own = value[custom];
    if (typeof own === 'function' && own !== inspect && !(value.constructor?.prototype === value)) {
      const left = ctx.depth === null ? null : ctx.depth - depth;
      const result = own.call(value, left, customOptions(ctx), inspect);
      if (result !== value) {
        if (typeof result !== 'object') return `${result}`;
        return format(ctx, result, depth).replaceAll('\n', `\n${' '.repeat(ctx.indent)}`);
      }
    }
  }
  if (ctx.seen.includes(value)) {
    ctx.circular ??= new Map();
    let number = ctx.circular.get(value);
    if (number === undefined) {
      number = ctx.circular.size + 1;
      ctx.circular.set(value, number);
    }
    return ctx.stylize(`[Circular *${number}]`, 'special');
  }
  return raw(ctx, value, depth, typed);
}

function inspect(value, options, ...old) {
  const ctx = { ...defaults, seen: [], indent: 0, currentDepth: 0, circular: undefined, options: {} };
  if (typeof options === 'boolean') ctx.showHidden = options;
  else if (options) {
    ctx.options = options;
    for (const key of Object.keys(options)) {
      if (key in defaults || key === 'stylize') ctx[key] = options[key];
    }
  }
  if (old.length > 0) {
    if (old[0] !== undefined) [ctx.depth] = old;
    if (old.length > 1 && old[1] !== undefined) [, ctx.colors] = old;
  }
  ctx.stylize = ctx.colors ? withColor : (text) => `${text}`;
  if (ctx.depth === Infinity) ctx.depth = null;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return format(ctx, value, 0);
}
inspect.custom = custom;
Object.defineProperty(inspect, 'defaultOptions', {
  get: () => defaults,
  set(options) { Object.assign(defaults, options); },
});
inspect.colors = colors;
inspect.styles = styles;

module.exports = { inspect, number, stackOf };

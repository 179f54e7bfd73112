// Runs a table of cases and answers a line for each: its source, and what came of it.
// The same here and under Node. The body of a function (require, cases).

function show(value, depth = 0) {
  if (depth > 6) return '...';
  const inner = (each) => show(each, depth + 1);
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return value.toString();
  if (typeof value === 'function') return `function ${value.name}`;
  if (value instanceof Error || Object.prototype.toString.call(value) === '[object DOMException]') {
    const extras = ['code', 'errno', 'syscall', 'path', 'dest'].filter((key) => value[key] !== undefined)
      .map((key) => ` ${key}=${value[key]}`);
    return `${value.name}: ${value.message}${extras.join('')}`;
  }
  if (Array.isArray(value)) return `[${Array.from(value, inner).join(', ')}]`;
  if (value instanceof Uint8Array) {
    return `${value.constructor.name}<${Array.from(value, (b) => b.toString(16).padStart(2, '0')).join('')}>`;
  }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof Map) return `Map {${Array.from(value, ([k, v]) => `${inner(k)} => ${inner(v)}`).join(', ')}}`;
  if (value instanceof Set) return `Set {${Array.from(value, inner).join(', ')}}`;
  const tag = Object.prototype.toString.call(value);
  const head = tag === '[object Object]' ? '' : `${tag} `;
  return `${head}{${Object.keys(value).map((key) => `${key}: ${inner(value[key])}`).join(', ')}}`;
}

function source(run) {
  return run.toString().replace(/^(async )?\(\) => /, '').replace(/\s*\n\s*/g, ' ');
}

return (async () => {
  const lines = [];
  for (const run of cases) {
    let result;
    try {
      let timer;
      const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no answer in 5 s')), 5000); });
      result = show(await Promise.race([Promise.resolve(run()), late]));
      clearTimeout(timer);
    } catch (error) {
      result = `throws ${show(error)}`;
    }
    lines.push(`${source(run)}\n    ${result}`);
  }
  return `${lines.join('\n')}\n`;
})();

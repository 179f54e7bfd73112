// `console` as Lambda's Node has it: one event of the log for each call, with the time,
// the request's id and the level before it, or as an object of JSON.
//
// `native` is what Rust gives: log(text), write(error, text), mapped(text), now(). `settings` changes
// from call to call: json, level (a rank), requestId. `builtin(name)` is one of Node's
// modules.
(function (native, settings, builtin) {
  'use strict';
  const util = () => builtin('util');
  const RANKS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };

  function format(parameters) {
    if (parameters.length === 1 && typeof parameters[0] === 'string') return parameters[0];
    const text = util().format(...parameters);
    return text.includes('    at ') ? native.mapped(text) : text;
  }

  function members(error) {
    return {
      errorType: error.constructor?.name ?? 'UnknownError',
      errorMessage: error.message,
      stackTrace: typeof error.stack === 'string' ? native.mapped(error.stack).split('\n') : error.stack,
    };
  }

  // For JSON. It cannot find an error within itself, as it sees copies: the way to where
  // it is tells.
  function serializable() {
    const way = [];
    return function (key, value) {
      while (way.length > 0 && way.at(-1).seen !== this) way.pop();
      if (value === null || typeof value !== 'object') return value;
      let seen = value;
      if (value instanceof Error) {
        if (way.some((step) => step.value === value)) return '[Circular]';
        seen = { ...members(value), ...value };
      }
      way.push({ seen, value });
      return seen;
    };
  }

  function jsonLine(level, parameters) {
    const line = { timestamp: new Date().toISOString(), level, requestId: settings.requestId };
    if (settings.tenantId) line.tenantId = settings.tenantId;
    if (parameters.length === 1) {
      line.message = parameters[0];
      try {
        return JSON.stringify(line, serializable());
      } catch {
        line.message = format(parameters);
        return JSON.stringify(line);
      }
    }
    line.message = format(parameters);
    const error = parameters.find((parameter) => parameter instanceof Error);
    if (error) Object.assign(line, members(error));
    return JSON.stringify(line);
  }

  function emit(level, parameters) {
    if (settings.json) {
      if (RANKS[level] >= settings.level) native.log(jsonLine(level, parameters));
      return;
    }
    native.log(`${new Date().toISOString()}\t${settings.requestId}\t${level}\t${format(parameters)}`);
  }

  const counts = new Map();
  const timers = new Map();
  let indent = '';

  // What Node's console writes by itself goes out as it is.
  function raw(text) {
    native.write(false, `${indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`)}\n`);
  }

  function duration(ms) {
    if (ms >= 3600000) return `${(ms / 3600000).toFixed(3)}h`;
    if (ms >= 60000) return `${Math.floor(ms / 60000)}:${((ms % 60000) / 1000).toFixed(3).padStart(6, '0')} (m:ss.mmm)`;
    if (ms >= 1000) return `${(ms / 1000).toFixed(3)}s`;
    return `${Number(ms.toFixed(3))}ms`;
  }

  function timeLog(name, label, rest) {
    const start = timers.get(label);
    if (start === undefined) {
      console.warn(`Warning: No such label '${label}' for console.${name}()`);
      return false;
    }
    console.log('%s: %s', label, duration(native.now() - start), ...rest);
    return true;
  }

  function cell(value) {
    return util().inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth: value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0 });
  }

  function drawn(head, columns) {
    const rows = Math.max(0, ...columns.map((column) => column.length));
    const widths = head.map((title, at) => Math.max(title.length, ...columns[at].map((text) => text.length)) + 2);
    const row = (cells) => `\u2502${cells.map((text, at) => ` ${text.padEnd(widths[at] - 1)}`).join('\u2502')}\u2502`;
    const rule = (left, middle, right) => left + widths.map((width) => '\u2500'.repeat(width)).join(middle) + right;
    const lines = [rule('\u250c', '\u252c', '\u2510'), row(head), rule('\u251c', '\u253c', '\u2524')];
    for (let at = 0; at < rows; at += 1) lines.push(row(columns.map((column) => column[at] ?? '')));
    lines.push(rule('\u2514', '\u2534', '\u2518'));
    return lines.join('\n');
  }

  function table(data, only) {
    if (data === null || typeof data !== 'object') return console.log(data);
    const mapped = data instanceof Map, set = data instanceof Set;
    const entries = mapped ? [...data].map(([key, value], at) => [at, value, key])
      : set ? [...data].map((value, at) => [at, value]) : Object.keys(data).map((key) => [key, data[key]]);
    const index = [], keys = [], plain = [], columns = new Map();
    entries.forEach(([at, value, key], row) => {
      index.push(String(at));
      if (mapped) keys.push(cell(key));
      if (value === null || typeof value !== 'object') { plain[row] = cell(value); return; }
      for (const name of only ?? Object.keys(value)) {
        if (!columns.has(name)) columns.set(name, []);
        columns.get(name)[row] = Object.hasOwn(value, name) ? cell(value[name]) : '';
      }
    });
    const head = [mapped || set ? '(iteration index)' : '(index)'], body = [index];
    if (mapped) { head.push('Key'); body.push(keys); }
    for (const [name, column] of columns) { head.push(name); body.push(column); }
    if (plain.length > 0) { head.push('Values'); body.push(plain); }
    const full = body.map((column) => Array.from({ length: entries.length }, (_, row) => column[row] ?? ''));
    return console.log(drawn(head, full));
  }

  const levels = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
  const console = Object.create({}, { [Symbol.toStringTag]: { value: 'console', configurable: true } });
  for (const [name, level] of Object.entries(levels)) {
    console[name] = { [name](...parameters) { emit(level, parameters); } }[name];
  }
  Object.assign(console, {
    dir(value, options) { raw(util().inspect(value, { customInspect: false, ...options })); },
    dirxml(...values) { console.log(...values); },
    assert(condition, ...rest) {
      if (condition) return;
      if (typeof rest[0] === 'string') console.warn(`Assertion failed: ${rest[0]}`, ...rest.slice(1));
      else console.warn('Assertion failed', ...rest);
    },
    count(label = 'default') {
      label = `${label}`;
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      console.log(`${label}: ${count}`);
    },
    countReset(label = 'default') {
      if (!counts.delete(`${label}`)) console.warn(`Warning: Count for '${label}' does not exist`);
    },
    time(label = 'default') {
      label = `${label}`;
      if (timers.has(label)) console.warn(`Warning: Label '${label}' already exists for console.time()`);
      else timers.set(label, native.now());
    },
    timeLog(label = 'default', ...rest) { timeLog('timeLog', `${label}`, rest); },
    timeEnd(label = 'default') { if (timeLog('timeEnd', `${label}`, [])) timers.delete(`${label}`); },
    group(...labels) { if (labels.length > 0) console.log(...labels); indent += '  '; },
    groupEnd() { indent = indent.slice(2); },
    table,
    timeStamp() {}, profile() {}, profileEnd() {}, clear() {},
  });
  console.groupCollapsed = console.group;
  return console;
})

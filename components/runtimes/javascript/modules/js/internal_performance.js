// performance: a clock since the instance began, and marks.
const { began, clock, sealings } = require('internal/host');

// The wall clock when the instance began: asked for when somebody wants to know.
let origin;
sealings.push(() => { origin = undefined; });
const timeOrigin = () => (origin ??= Date.now() - (clock() - began()));

class PerformanceEntry {
  constructor(name, entryType, startTime, duration, detail) {
    Object.assign(this, { name, entryType, startTime, duration, detail });
  }
  toJSON() { return { ...this }; }
}

// As many as are kept; the oldest go.
const ENTRIES_MAX = 10000;
let entries = [];

function keep(entry) {
  entries.push(entry);
  if (entries.length > ENTRIES_MAX) entries.shift();
  return entry;
}

class Performance {
  get timeOrigin() { return timeOrigin(); }
  now() { return clock() - began(); }
  mark(name, options = {}) {
    return keep(new PerformanceEntry(`${name}`, 'mark', options.startTime ?? this.now(), 0, options.detail ?? null));
  }
  measure(name, from = undefined, to = undefined) {
    const options = from !== null && typeof from === 'object' ? from : { start: from, end: to };
    const at = (mark, fallback) => {
      if (mark === undefined) return fallback;
      if (typeof mark === 'number') return mark;
      const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === mark);
      if (!found) throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
      return found.startTime;
    };
    const begin = at(options.start, 0);
    const end = options.duration !== undefined ? begin + options.duration : at(options.end, this.now());
    return keep(new PerformanceEntry(`${name}`, 'measure', begin, end - begin, options.detail ?? null));
  }
  clearMarks(name = undefined) { this.#clear('mark', name); }
  clearMeasures(name = undefined) { this.#clear('measure', name); }
  #clear(type, name) { entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== name)); }
  getEntries() { return [...entries]; }
  getEntriesByName(name, type = undefined) {
    return entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type));
  }
  getEntriesByType(type) { return entries.filter((entry) => entry.entryType === type); }
  timerify(callback) { return callback; }
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
  toJSON() { return { timeOrigin: timeOrigin(), nodeTiming: {}, eventLoopUtilization: this.eventLoopUtilization() }; }
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: 'Performance', configurable: true });

module.exports = { Performance, PerformanceEntry, performance: new Performance() };

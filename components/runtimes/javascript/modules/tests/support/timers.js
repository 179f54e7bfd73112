// Timers as the engine brings them, for tests. The body of a function (global).
let next = 1;
const waiting = new Map();
const timeout = (kind) => (callback, delay = 0, ...args) => {
  const id = next;
  next += 1;
  const ms = kind === 'immediate' ? 0 : Math.max(1, +delay || 1);
  const timer = {
    id, ref: () => timer, unref: () => timer, hasRef: () => true, refresh: () => timer, [Symbol.toPrimitive]: () => id,
  };
  waiting.set(id, { kind, due: Date.now() + ms, ms, run: () => callback(...args) });
  return timer;
};
global.setTimeout = timeout('timeout');
global.setInterval = timeout('interval');
const immediate = timeout('immediate');
global.setImmediate = (callback, ...args) => immediate(callback, 0, ...args);
global.clearTimeout = (timer) => { waiting.delete(timer?.id ?? timer); };
global.clearInterval = global.clearTimeout;
global.clearImmediate = global.clearTimeout;
global.console ??= { log() {}, error() {}, warn() {} };
// Runs one timer that is due; answers false if none was.
return () => {
  let first;
  for (const [id, timer] of waiting) {
    if (timer.due <= Date.now() && (!first || timer.due < first[1].due)) first = [id, timer];
  }
  if (!first) return false;
  const [id, timer] = first;
  if (timer.kind === 'interval') timer.due = Date.now() + timer.ms;
  else waiting.delete(id);
  timer.run();
  return true;
};

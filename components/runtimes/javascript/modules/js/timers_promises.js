// node:timers/promises.
const { AbortError, check } = require('internal/errors');
const timers = require('timers');

function cancelled(signal) { return new AbortError(undefined, { cause: signal.reason }); }

function wait(start, stop, value, { signal, ref = true } = {}) {
  if (signal?.aborted) return Promise.reject(cancelled(signal));
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      stop(timer);
      reject(cancelled(signal));
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    });
    if (!ref) timer?.unref?.();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function checked(options, run) {
  try {
    if (options !== undefined) check.object(options, 'options');
    check.abortSignal(options?.signal, 'options.signal');
    if (options?.ref !== undefined) check.boolean(options.ref, 'options.ref');
  } catch (error) {
    return Promise.reject(error);
  }
  return run();
}

function setTimeout(delay = undefined, value = undefined, options = undefined) {
  return checked(options, () => wait((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, options));
}

function setImmediate(value = undefined, options = undefined) {
  return checked(options, () => wait((done) => timers.setImmediate(done), timers.clearImmediate, value, options));
}

async function* setInterval(delay = undefined, value = undefined, options = undefined) {
  const { signal } = options ?? {};
  if (signal?.aborted) throw cancelled(signal);
  let due = 0;
  let wake;
  const timer = timers.setInterval(() => {
    due += 1;
    wake?.();
  }, delay);
  if (options?.ref === false) timer?.unref?.();
  const onAbort = () => wake?.();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      if (signal?.aborted) throw cancelled(signal);
      if (due === 0) await new Promise((resolve) => { wake = resolve; });
      if (signal?.aborted) throw cancelled(signal);
      for (; due > 0; due -= 1) yield value;
    }
  } finally {
    timers.clearInterval(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

class Scheduler {
  wait(delay, options = undefined) { return setTimeout(delay, undefined, options); }
  yield() { return setImmediate(); }
}

module.exports = { setTimeout, setImmediate, setInterval, scheduler: new Scheduler() };

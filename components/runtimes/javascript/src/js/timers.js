// Timers, immediates and ticks. Rust runs the loop: it asks what is due and calls it.
//
// `native` is what Rust gives: now() in milliseconds, ticked() when a tick waits.
(function (native) {
  'use strict';
  const TIMEOUT_MAX = 2147483647;
  const heap = [];
  const byId = new Map();
  let sequence = 0;
  let alive = 0;
  let immediates = [];
  let immediatesAlive = 0;
  let ticks = [];

  function before(a, b) { return a.due < b.due || (a.due === b.due && a.order < b.order); }

  function place(timer, at) { heap[at] = timer; timer.index = at; }

  function up(timer, at) {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent])) break;
      place(heap[parent], at);
      at = parent;
    }
    place(timer, at);
  }

  function down(timer, at) {
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], timer)) break;
      place(heap[child], at);
      at = child;
    }
    place(timer, at);
  }

  function insert(timer) {
    timer.due = native.now() + timer.after;
    timer.order = sequence++;
    heap.push(timer);
    up(timer, heap.length - 1);
    if (timer.referenced) alive += 1;
  }

  function remove(timer) {
    const at = timer.index;
    if (at < 0) return;
    timer.index = -1;
    const last = heap.pop();
    if (last !== timer) {
      down(last, at);
      up(last, last.index);
    }
    if (timer.referenced) alive -= 1;
  }

  class Timeout {
    constructor(callback, after, args, repeats) {
      after = +after;
      if (!(after >= 1 && after <= TIMEOUT_MAX)) after = 1;
      // What the loop needs is no member that a handler's log would show.
      const hidden = { callback, args, after: Math.trunc(after), repeats, due: 0, order: 0, index: -1, referenced: true, id: 0, owner: this };
      Object.defineProperty(this, 'timer', { value: hidden });
      insert(hidden);
    }
    ref() {
      const timer = this.timer;
      if (!timer.referenced) { timer.referenced = true; if (timer.index >= 0) alive += 1; }
      return this;
    }
    unref() {
      const timer = this.timer;
      if (timer.referenced) { timer.referenced = false; if (timer.index >= 0) alive -= 1; }
      return this;
    }
    hasRef() { return this.timer.referenced; }
    refresh() {
      if (this.timer.callback) { remove(this.timer); insert(this.timer); }
      return this;
    }
    close() { clearTimeout(this); return this; }
    [Symbol.toPrimitive]() {
      const timer = this.timer;
      if (timer.id === 0) { timer.id = ++sequence; byId.set(timer.id, this); }
      return timer.id;
    }
  }
  Timeout.prototype[Symbol.dispose ?? Symbol('dispose')] = function () { clearTimeout(this); };

  class Immediate {
    constructor(callback, args) {
      Object.defineProperty(this, 'state', { value: { callback, args, referenced: true } });
      immediates.push(this);
      immediatesAlive += 1;
    }
    ref() { if (!this.state.referenced && this.state.callback) immediatesAlive += 1; this.state.referenced = true; return this; }
    unref() { if (this.state.referenced && this.state.callback) immediatesAlive -= 1; this.state.referenced = false; return this; }
    hasRef() { return this.state.referenced; }
  }

  function checked(callback) {
    if (typeof callback === 'function') return callback;
    const error = new TypeError(`The "callback" argument must be of type function. Received ${callback === null ? 'null' : typeof callback}`);
    error.code = 'ERR_INVALID_ARG_TYPE';
    throw error;
  }

  function setTimeout(callback, after, ...args) { return new Timeout(checked(callback), after, args, false); }
  function setInterval(callback, after, ...args) { return new Timeout(checked(callback), after, args, true); }
  function clearTimeout(timeout) {
    if (typeof timeout === 'number' || typeof timeout === 'string') timeout = byId.get(+timeout);
    if (!(timeout instanceof Timeout)) return;
    remove(timeout.timer);
    timeout.timer.callback = null;
    byId.delete(timeout.timer.id);
  }
  function setImmediate(callback, ...args) { return new Immediate(checked(callback), args); }
  function clearImmediate(immediate) {
    if (!(immediate instanceof Immediate) || !immediate.state.callback) return;
    if (immediate.state.referenced) immediatesAlive -= 1;
    immediate.state.callback = null;
  }

  function nextTick(callback, ...args) {
    checked(callback);
    if (ticks.push(callback, args) === 2) native.ticked();
  }

  // For Rust: the next of the ticks as a function without arguments.
  function takeTick() {
    if (ticks.length === 0) return undefined;
    const batch = ticks;
    ticks = [];
    let at = 0;
    // One function runs all of them; what throws leaves the others for the next call.
    return () => {
      try {
        while (at < batch.length) {
          const callback = batch[at], args = batch[at + 1];
          at += 2;
          callback(...args);
        }
      } finally {
        if (at < batch.length) { ticks = batch.slice(at).concat(ticks); native.ticked(); }
      }
    };
  }

  // The first timer that is due at this moment, as a function.
  function takeTimer(now) {
    const timer = heap[0];
    if (timer === undefined || timer.due > now) return undefined;
    remove(timer);
    const { callback, args } = timer;
    if (!timer.repeats) { timer.callback = null; byId.delete(timer.id); }
    return () => {
      try {
        callback.apply(timer.owner, args);
      } finally {
        if (timer.repeats && timer.callback && timer.index < 0) insert(timer);
      }
    };
  }

  function takeImmediates() {
    const batch = immediates;
    immediates = [];
    return batch.map((immediate) => () => {
      const { callback, args, referenced } = immediate.state;
      if (!callback) return;
      if (referenced) immediatesAlive -= 1;
      immediate.state.callback = null;
      callback.apply(immediate, args);
    });
  }

  // When something is to be done: 0 at once, a moment, or nothing at all.
  function next() {
    if (immediatesAlive > 0) return 0;
    if (alive === 0 || heap.length === 0) return undefined;
    return heap[0].due;
  }

  return {
    globals: { setTimeout, clearTimeout, setInterval, clearInterval: clearTimeout, setImmediate, clearImmediate },
    nextTick, takeTick, takeTimer, takeImmediates, next, Timeout, Immediate,
  };
})

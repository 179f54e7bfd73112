import os from 'node:os';

export const order = async () => {
  const order = [];
  const say = (what) => () => order.push(what);
  setTimeout(say('timeout'), 0);
  setImmediate(say('immediate'));
  process.nextTick(say('tick'));
  Promise.resolve().then(say('promise')).then(() => process.nextTick(say('tick of a promise'))).then(say('promise again'));
  queueMicrotask(say('microtask'));
  order.push('now');
  await new Promise((resolve) => setTimeout(resolve, 10));
  return order.filter((what) => what !== 'timeout' && what !== 'immediate');
};
export const sleep = async () => { const start = Date.now(); await new Promise((resolve) => setTimeout(resolve, 50)); const took = Date.now() - start; return took >= 49; };
export const interval = async () => new Promise((resolve) => { let count = 0; const timer = setInterval(() => { if (++count === 3) { clearInterval(timer); resolve(count); } }, 1); });
export const sorted = async () => { const order = []; await Promise.all([90, 10, 50].map((ms) => new Promise((resolve) => setTimeout(() => { order.push(ms); resolve(); }, ms)))); return order; };
export const cleared = async () => { let fired = false; const timer = setTimeout(() => { fired = true; }, 1); clearTimeout(timer); clearTimeout(undefined); await new Promise((resolve) => setTimeout(resolve, 10)); return fired; };
export const args = async () => new Promise((resolve) => setTimeout((a, b) => resolve([a, b]), 1, 'a', 'b'));
export const unreferenced = () => new Promise((resolve) => setTimeout(resolve, 60000).unref());
export const refresh = async () => { let start; await new Promise((resolve) => { const timer = setTimeout(resolve, 30); for (const until = Date.now() + 15; Date.now() < until;); start = Date.now(); timer.refresh(); }); return Date.now() - start >= 29; };
export const number = async () => typeof +setTimeout(() => {}, 1);
export const left = async () => { setTimeout(() => console.log('never seen'), 30); return 'answered'; };
class Lazy extends Promise {
  then(resolved, rejected) { return Promise.resolve('only when it is asked for').then(resolved, rejected); }
}
export const lazy = () => new Lazy((resolve) => resolve('too early'));
export const thenable = () => ({ then(resolve) { setTimeout(resolve, 1, 'by then'); } });
export const rejecting = () => ({ then(_, reject) { reject(); } });
export const nothing = () => Promise.reject();
export const late = () => new Promise((_, reject) => setTimeout(() => reject(new RangeError('late')), 1));
export const both = async (event, context, callback) => { callback(null, 'by the callback'); return 'by the promise'; };
export const promiseFirst = async (event, context, callback) => {
  Promise.resolve().then(() => {}).then(() => {}).then(() => callback(new Error('too late')));
  setInterval(() => {}, 1000);
  return 'by the promise';
};
export const rejectedFirst = async (event, context) => {
  const first = new Promise((_, reject) => setTimeout(reject, 1, new RangeError('first')));
  setTimeout(() => context.succeed('too late'), 1);
  await first;
};
export const waitsNot = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = 0; callback(null, 'at once'); setInterval(() => {}, 1000); };
export const waitsSo = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = 'yes'; callback(null, 'after all'); setTimeout(() => {}, 5); };
export const noPromise = () => Object.create(Promise.prototype);
export const ownPromise = () => {
  globalThis.Promise = class { static resolve() { return { then() {} }; } };
  return (async () => 'of the language')();
};
export const twice = (event, context, callback) => { context.succeed('first'); callback(new Error('second')); };
export const clocks = async () => {
  const now = performance.now(), off = performance.timeOrigin + now - Date.now();
  return [now >= 0 && now < 60000, Math.abs(off) < 1000, process.uptime() >= 0, process.uptime() < 60, os.uptime() >= 0];
};

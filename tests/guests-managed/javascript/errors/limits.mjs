// Limits of the engine, each as an error that a handler can catch.
import { EventEmitter } from 'node:events';

const brackets = (depth) => '['.repeat(depth) + ']'.repeat(depth);
function nested(depth) {
  let value = [];
  for (let at = 0; at < depth; at++) value = [value];
  return value;
}

const emitter = new EventEmitter();
emitter.on('again', () => emitter.emit('again'));
class Holder { constructor() { this.inner = new Holder(); } }
const plain = () => plain() + 1;
const bound = plain.bind(null);
function applied(...all) { return applied.apply(this, all); }
function spread(...all) { return spread(...all); }
function* generator() { yield* generator(); }
async function asynchronous() { await asynchronous(); }
const getter = { get own() { return this.own; } };
const proxy = new Proxy({}, { get: (_, key, receiver) => receiver[key] });
const json = { toJSON: () => JSON.stringify(json) };
const primitive = { [Symbol.toPrimitive]: () => `${primitive}` };
const mapped = () => [1].map(mapped);
const replaced = () => 'a'.replace(/a/, replaced);
const sorted = () => [1, 2].sort(sorted);

const works = {
  plain, bound, applied, spread, asynchronous, mapped, replaced, sorted,
  generator: () => [...generator()],
  getter: () => getter.own,
  proxy: () => proxy.own,
  constructor: () => new Holder(),
  emitter: () => emitter.emit('again'),
  json: () => JSON.stringify(json),
  primitive: () => `${primitive}`,
  parsed: () => JSON.parse(brackets(200_000)),
  flat: () => nested(200_000).flat(Infinity),
  clone: () => structuredClone(nested(200_000)),
  brackets: () => (0, eval)(brackets(100_000)),
  blocks: () => (0, eval)('{'.repeat(100_000) + '}'.repeat(100_000)),
  operators: () => (0, eval)(`${'!'.repeat(100_000)}1`),
};

// The names of those that end in anything else.
export async function recursion() {
  const others = [];
  for (const [name, work] of Object.entries(works)) {
    try {
      await work();
      others.push(name);
    } catch (error) {
      if (error.name !== 'RangeError') others.push(`${name}: ${error}`);
    }
  }
  return others;
}

// As many polyfills do.
export function prototypes(event, context, callback) {
  BigInt.prototype.toJSON = function () { return this.toString(); };
  const all = [Object, Function, Promise, Map, Set, Number, Symbol, Uint8Array, ArrayBuffer, URL, Array, String, Error, Date];
  for (const { prototype } of all) {
    prototype.first = 1;
    prototype.second = 2;
    delete prototype.first;
  }
  Reflect.more = 3;
  callback(null, [JSON.stringify({ big: 10n }), all.map(({ prototype }) => prototype.second).join(''), Reflect.more]);
}

export async function memory() {
  const all = [];
  try {
    for (;;) all.push({ at: all.length, text: `k${all.length}` });
  } catch (error) {
    all.length = 0;
    return [error.name, error.message];
  }
}

export async function uncaught() {
  const all = [];
  for (;;) all.push({ at: all.length, text: `k${all.length}` });
}

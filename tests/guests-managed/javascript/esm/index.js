import { readFileSync } from 'node:fs';
import inner, { named } from '#inner';
import data from './lib/data.json' with { type: 'json' };
import counter, { next } from './lib/counter.cjs';

const waited = await Promise.resolve('top');

export const handler = async (event) => ({ waited, inner, named, data, next: next(), same: counter.next === next, event });
export const dynamic = async () => (await import('./lib/inner.js')).default;
export const meta = async () => [import.meta.url, import.meta.filename, import.meta.dirname, import.meta.resolve('./lib/inner.js')];
export const strict = async () => (function () { return this === undefined; })();
export const text = async () => readFileSync(new URL('./lib/text.txt', import.meta.url), 'utf8');
export const builtins = async () => [
  await Array.fromAsync((async function* () { yield 1; yield 2; })(), async (n) => n * 2),
  [...Iterator.zip([[1, 2], [3, 4]])],
  [...Iterator.zipKeyed({ a: [1], b: [2] })],
  [Array, Iterator, Object, Promise, Symbol].flatMap((of) => Object.getOwnPropertyNames(of).filter((name) => of[name] === undefined)),
  [[], () => 1, 'x', null].map((value) => Object.prototype.toString.call(value)),
];
export const a = { b: { c: async () => 'nested' } };
export default { inDefault: async () => 'default' };

import path, { join } from 'path';
import * as os from 'node:os';
import { readFileSync } from 'fs';
import def, { named, counter, inc } from './lib';
import c = require('./c.cjs');
export * from './lib/more';
export { named as again } from './lib';
interface E { n: string }
export const handler = async (e: E): Promise<unknown> => {
  inc();
  const own = require('./index');
  return [path.join('a', 'b'), join('c', 'd'), typeof os.EOL, typeof readFileSync, def(), named, counter, c.v, __dirname, Object.keys(own).sort(), (await import('./m.mjs')).m];
};
export const fails = async (): Promise<void> => {

  def(true);
};

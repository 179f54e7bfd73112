import conditional from 'conditional';
import sub from 'conditional/sub';
import scoped from '@scope/pkg';
import legacy from 'legacy';
import legacyFile from 'legacy/lib/file.js';
import feature from 'star/features/one';
import { createRequire } from 'node:module';
import { names, renamed } from './lib/names.cjs';

const require = createRequire(import.meta.url);
export const handler = async () => ({
  conditional, sub, scoped, legacy, legacyFile, feature, names, renamed,
  required: [require('conditional'), require('@scope/pkg'), require('legacy'), require('legacy/lib/file'), require('star/features/one')],
});
const code = async (load) => { try { await load(); return 'loaded'; } catch (error) { return error.code; } };
export const missing = async () => [
  await code(() => import('nowhere')),
  await code(() => import('./nowhere.mjs')),
  await code(() => import('./lib')),
  await code(() => import('closed/inner.js')),
  await code(() => import('#none')),
  await code(() => require('nowhere')),
  await code(() => require('./nowhere')),
  await code(() => require('closed/inner.js')),
  await code(() => import('node:nowhere')),
];

// Every module and every global is there and loads.
const names = ['assert', 'assert/strict', 'async_hooks', 'buffer', 'child_process', 'console', 'constants', 'crypto',
  'diagnostics_channel', 'dns', 'dns/promises', 'events', 'fs', 'fs/promises', 'http', 'http2', 'https', 'module', 'net', 'os',
  'path', 'path/posix', 'path/win32', 'perf_hooks', 'process', 'punycode', 'querystring', 'readline', 'readline/promises',
  'stream', 'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder', 'sys', 'timers', 'timers/promises', 'tls',
  'tty', 'url', 'util', 'util/types', 'v8', 'vm', 'worker_threads', 'zlib'];
const globals = ['TextEncoder', 'TextDecoder', 'URL', 'URLSearchParams', 'Event', 'EventTarget', 'AbortController',
  'AbortSignal', 'structuredClone', 'DOMException', 'MessageChannel', 'MessagePort', 'BroadcastChannel', 'Crypto', 'CryptoKey',
  'SubtleCrypto', 'crypto', 'Blob', 'Headers', 'Request', 'Response', 'FormData', 'fetch', 'ReadableStream',
  'WritableStream', 'TransformStream', 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream',
  'performance', 'Buffer', 'atob', 'btoa', 'process', 'global', 'queueMicrotask', 'setTimeout', 'setImmediate', 'clearTimeout'];

module.exports = [
  () => names.map((name) => `${name} ${typeof require(name)}`),
  () => names.filter((name) => require(name) !== require(`node:${name}`)),
  () => globals.map((name) => `${name} ${typeof globalThis[name]}`),
  () => globals.filter((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.enumerable && name === 'TextEncoder'),
  async () => (await import('node:path')).join('a', 'b'),
  async () => Object.keys(await import('fs')).includes('readFileSync'),
  async () => (await import('node:events')).once === require('events').once,
  async () => (await import('events')).default === require('events'),
  () => require('module').builtinModules.includes('fs'),
  () => require('module').isBuiltin('node:fs') && !require('module').isBuiltin('express'),
];

// What `table.json` asks of a handler, in JavaScript.
import { randomBytes, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { fail } from './helper.mjs';

let calls = 0;
let last;

class OrderError extends Error {
  constructor(message, options) { super(message, options); this.name = 'OrderError'; }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const recurse = (n) => recurse(n + 1) + 1;
const fails = (attempt) => { try { attempt(); return false; } catch { return true; } };

const operations = {
  echo: (event) => event.value,
  text: () => '{"a":1}',
  nothing: () => {},
  length: (event) => event.value.length,
  big: (event) => 'x'.repeat(event.bytes - 2),
  raise: (event) => { throw new OrderError(event.message); },
  'raise-standard': () => undefined.length,
  'raise-cause': () => {
    try { JSON.parse('three'); } catch (cause) { throw new OrderError('order 7 cannot be shipped', { cause }); }
  },
  'raise-elsewhere': () => fail(),
  'raise-other': () => { throw 'a text'; },
  unserialisable: () => { const value = []; value.push(value); return value; },
  print: () => {
    console.log('one');
    console.error('two');
    console.log('three\nfour');
    console.log('gr\u00fc\u00dfe \u4e2d \u{1f600}');
    console.log('');
    process.stdout.write('no end');
  },
  levels: () => { for (const level of ['debug', 'info', 'warn', 'error']) console[level](`at ${level}`); },
  'many-lines': () => console.error('one\ntwo'),
  context: (event, context) => ({
    requestId: context.awsRequestId,
    functionName: context.functionName,
    functionVersion: context.functionVersion,
    arn: context.invokedFunctionArn,
    memory: context.memoryLimitInMB,
    logGroup: context.logGroupName,
    logStream: context.logStreamName,
    clientContext: context.clientContext ? context.clientContext.custom : null,
    remaining: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 20000,
  }),
  env: (event) => Object.fromEntries(event.names.map((name) => [name, process.env[name] ?? null])),
  never: () => new Promise(() => {}),
  leave: () => { last = sleep(30).then(() => console.log('late')); return 'answered'; },
  count: () => { calls += 1; return [calls, last === undefined]; },
  wait: async (event) => { await sleep(event.ms); return 'waited'; },
  exit: (event) => { console.log('before'); process.exit(event.status); },
  recurse: () => recurse(0),
  'recurse-caught': () => { try { recurse(0); } catch (error) { if (error instanceof RangeError) return 'caught'; throw error; } },
  fill: () => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)); },
  spin: () => { for (;;); },
  tmp: () => {
    const before = fs.readdirSync('/tmp').sort();
    fs.writeFileSync('/tmp/one.txt', 'kept');
    return { before, read: fs.readFileSync('/tmp/one.txt', 'utf8'), after: fs.readdirSync('/tmp').sort(), usual: tmpdir() };
  },
  task: (event) => ({
    read: fs.readFileSync(event.file).length > 0,
    failed: [
      () => fs.writeFileSync('/var/task/new', ''),
      () => fs.appendFileSync(event.file, ' '),
      () => fs.unlinkSync(event.file),
      () => fs.renameSync(event.file, '/var/task/other'),
      () => fs.mkdirSync('/var/task/folder'),
    ].map(fails),
  }),
  outside: (event) => event.paths.map((path) => !fails(() => fs.closeSync(fs.openSync(path)))),
  random: () => [Math.random(), randomUUID(), randomBytes(8).toString('hex')],
  time: async () => {
    const [time, monotonic] = [Date.now(), performance.now()];
    await sleep(20);
    return Date.now() - time >= 19 && performance.now() - monotonic >= 19 && time > 1.7e12;
  },
};

export const handler = async (event, context) => operations[event.do](event, context);

export const kind = async (event) => (JSON.stringify(event) === '{}' ? 'object' : JSON.stringify(event));

export const stream = awslambda.streamifyResponse(async (event, stream) => {
  if (event.do === 'fail-before') throw new OrderError('before the head');
  if (event.status || event.headers || event.cookies) {
    const headers = { ...Object.fromEntries(event.headers ?? []) };
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: event.status, headers, cookies: event.cookies });
  } else if (event.content_type) {
    stream.setContentType(event.content_type);
  }
  if (event.do === 'fail-after') {
    stream.write('first');
    throw new OrderError('after the first byte');
  }
  for (const chunk of event.chunks ?? []) stream.write(chunk);
  stream.end();
});

// node:process, which is the global too.
const EventEmitter = require('events');
const { check, invalidArgType, notHere, withCode } = require('internal/errors');
const { bind, clock, host, sealings, began } = require('internal/host');
const native = natives('process');

function processPrototype() {}
Object.setPrototypeOf(processPrototype.prototype, EventEmitter.prototype);
Object.defineProperty(processPrototype, 'name', { value: 'process' });
Object.defineProperty(processPrototype.prototype, 'constructor', {
  value: processPrototype, writable: true, configurable: true, enumerable: false,
});
const process = Object.create(processPrototype.prototype);
EventEmitter.call(process);
for (const name of ['_events', '_eventsCount', '_maxListeners']) Object.defineProperty(process, name, { enumerable: false });

// Filled at its first use: most handlers never ask.
const plainEnv = {};
let filled = false;
function variables() {
  if (!filled) {
    filled = true;
    for (const key of Object.keys(plainEnv)) delete plainEnv[key];
    const pairs = native.env();
    for (let at = 0; at < pairs.length; at += 2) plainEnv[pairs[at]] = pairs[at + 1];
  }
  return plainEnv;
}
host.variable = (name) => variables()[name];

// The names and values are text, whatever is assigned.
const env = new Proxy(plainEnv, {
  get: (_, key) => variables()[key],
  has: (_, key) => key in variables(),
  ownKeys: () => Reflect.ownKeys(variables()),
  getOwnPropertyDescriptor: (_, key) => Object.getOwnPropertyDescriptor(variables(), key),
  deleteProperty: (_, key) => delete variables()[key],
  set(_, key, value) {
    if (typeof key === 'symbol' || typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
    variables()[key] = `${value}`;
    return true;
  },
  defineProperty(_, key, descriptor) {
    const target = variables();
    if ('value' in descriptor) {
      if (descriptor.configurable !== true || descriptor.writable !== true || descriptor.enumerable !== true) {
        if (!Object.hasOwn(target, key)) {
          throw withCode(TypeError, 'ERR_INVALID_OBJECT_DEFINE_PROPERTY', "'process.env' only accepts a configurable, writable,"
            + ' and enumerable data descriptor');
        }
      }
      target[key] = `${descriptor.value}`;
      return true;
    }
    throw withCode(TypeError, 'ERR_INVALID_OBJECT_DEFINE_PROPERTY',
      "'process.env' does not accept an accessor(getter/setter) descriptor");
  },
});

sealings.push(() => { filled = false; });

// The version that the runtime's name on Lambda promises: nodejs18.x to nodejs24.x.
const VERSIONS = { 18: '18.20.8', 20: '20.19.5', 22: '22.20.0', 24: '24.9.0' };
function version() {
  const major = /nodejs(\d+)/.exec(variables().AWS_EXECUTION_ENV ?? '')?.[1];
  return VERSIONS[major] ?? VERSIONS[22];
}

const ticks = [];
function runTicks() {
  while (ticks.length > 0) {
    const [callback, args] = ticks.shift();
    try {
      callback(...args);
    } catch (error) {
      if (ticks.length > 0) queueMicrotask(runTicks);
      throw error;
    }
  }
}
function nextTick(callback, ...args) {
  check.function(callback, 'callback');
  if (typeof host.nextTick === 'function') {
    host.nextTick(bind(callback), ...args);
    return;
  }
  ticks.push([bind(callback), args]);
  if (ticks.length === 1) queueMicrotask(runTicks);
}

function hrtime(before = undefined) {
  const now = native.nanoseconds();
  let seconds = Math.floor(now / 1e9);
  let rest = now % 1e9;
  if (before !== undefined) {
    if (!Array.isArray(before)) throw invalidArgType('time', 'an instance of Array', before);
    if (before.length !== 2) throw withCode(RangeError, 'ERR_OUT_OF_RANGE', `The value of "time" is out of range. It must be 2. Received ${before.length}`);
    seconds -= before[0];
    rest -= before[1];
    if (rest < 0) {
      seconds -= 1;
      rest += 1e9;
    }
  }
  return [seconds, Math.floor(rest)];
}
hrtime.bigint = () => BigInt(Math.floor(native.nanoseconds()));

function memoryUsage() {
  const used = 32 * 1024 * 1024;
  return { rss: used, heapTotal: used, heapUsed: used / 2, external: 1024 * 1024, arrayBuffers: 0 };
}
memoryUsage.rss = () => memoryUsage().rss;

function exit(code = undefined) {
  if (code !== undefined) process.exitCode = code;
  if (!process._exiting) {
    Object.defineProperty(process, '_exiting', { value: true, configurable: true, enumerable: false });
    process.emit('exit', process.exitCode ?? 0);
  }
  process.reallyExit(Number(process.exitCode ?? 0));
}

function emitWarning(warning, type = undefined, code = undefined) {
  let detail;
  if (type !== null && typeof type === 'object' && !Array.isArray(type)) ({ type, code, detail } = type);
  if (typeof type === 'function') type = undefined;
  if (typeof code === 'function') code = undefined;
  if (typeof warning === 'string') {
    const text = warning;
    warning = new Error(text);
    warning.name = type ?? 'Warning';
    if (code !== undefined) warning.code = code;
    if (detail !== undefined) warning.detail = detail;
  } else if (!(warning instanceof Error)) {
    throw invalidArgType('warning', 'of type string or an instance of Error', warning);
  }
  if (warning.name === 'DeprecationWarning') {
    if (process.noDeprecation) return;
    if (process.throwDeprecation) throw warning;
  }
  nextTick(() => {
    process.emit('warning', warning);
    const mark = warning.code ? `[${warning.code}] ` : '';
    native.write(2, require('buffer').Buffer.from(`(node:${process.pid}) ${mark}${warning.name}: ${warning.message}\n`));
  });
}

let umask = 0o22;
let title = 'node';
const signals = new Set(['SIGINT', 'SIGTERM', 'SIGKILL', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGABRT', 'SIGQUIT']);

Object.assign(process, {
  arch: 'x64',
  platform: native.platform(),
  release: { name: 'node', lts: 'Jod' },
  argv: ['/var/lang/bin/node', '/var/runtime/index.mjs'],
  argv0: 'node',
  execArgv: [],
  execPath: '/var/lang/bin/node',
  env,
  exitCode: undefined,
  ppid: 1,
  config: { target_defaults: {}, variables: {} },
  features: { inspector: false, debug: false, uv: false, ipv6: false, tls_alpn: false, tls_sni: false, tls_ocsp: false, tls: false },
  allowedNodeEnvironmentFlags: new Set(),
  nextTick,
  hrtime,
  memoryUsage,
  emitWarning,
  exit,
  reallyExit: (code) => (typeof host.exit === 'function' ? host.exit(code) : native.exit(code)),
  abort: () => process.reallyExit(134),
  uptime: () => (clock() - began()) / 1e3,
  cwd: () => native.cwd(),
  chdir(folder) {
    check.string(folder, 'directory');
    native.chdir(folder);
  },
  umask(mask = undefined) {
    const before = umask;
    if (mask !== undefined) umask = typeof mask === 'string' ? parseInt(mask, 8) : mask;
    return before;
  },
  kill(pid, signal = 'SIGTERM') {
    if (pid !== process.pid && pid !== 0) throw Object.assign(new Error('kill ESRCH'), { errno: -3, code: 'ESRCH', syscall: 'kill' });
    if (signal === 0) return true;
    if (!signals.has(signal)) throw withCode(TypeError, 'ERR_UNKNOWN_SIGNAL', `Unknown signal: ${signal}`);
    if (!process.emit(signal, signal)) process.reallyExit(143);
    return true;
  },
  getuid: () => 993,
  geteuid: () => 993,
  getgid: () => 990,
  getegid: () => 990,
  getgroups: () => [990],
  cpuUsage: (before = { user: 0, system: 0 }) => ({
    user: Math.floor((clock() - began()) * 1e3) - before.user, system: 0 - before.system,
  }),
  resourceUsage: () => ({ userCPUTime: Math.floor((clock() - began()) * 1e3), systemCPUTime: 0, maxRSS: 32768 }),
  constrainedMemory: () => Number(variables().AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1024 * 1024,
  availableMemory: () => Number(variables().AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1024 * 1024,
  getActiveResourcesInfo: () => [],
  setUncaughtExceptionCaptureCallback() {},
  hasUncaughtExceptionCaptureCallback: () => false,
  setSourceMapsEnabled() {},
  getBuiltinModule: (name) => require('module').getBuiltinModule(name),
  loadEnvFile() { throw notHere('process.loadEnvFile'); },
  binding(name) { throw notHere(`process.binding('${name}')`); },
  dlopen() { throw notHere('process.dlopen (native extensions)'); },
});
const lazily = (name, get) => Object.defineProperty(process, name, {
  enumerable: true,
  configurable: true,
  get() {
    const value = get();
    Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true });
    return value;
  },
});
for (const [name, get] of [['pid', () => native.pid()], ['version', () => `v${version()}`], ['versions', () => ({
  node: version(), 'quickjs-ng': '0.16.2', modules: '127', v8: '12.4.254.21', uv: '1.51.0', zlib: '1.3.0', openssl: '3.0.17',
})]]) Object.defineProperty(process, name, { enumerable: true, configurable: true, get });
lazily('stdout', () => require('internal/stdio').stdout);
lazily('stderr', () => require('internal/stdio').stderr);
lazily('stdin', () => require('internal/stdio').stdin);
lazily('report', () => ({ getReport: () => ({ header: { glibcVersionRuntime: '2.34' }, sharedObjects: [] }), writeReport() {} }));
Object.defineProperty(process, 'title', { enumerable: true, get: () => title, set(value) { title = `${value}`; } });
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
module.exports = process;

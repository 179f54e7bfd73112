// node:os: what a function's instance may say of the machine.
const process = require('process');
const { check } = require('internal/errors');
const { began, clock } = require('internal/host');

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGUSR1',
  'SIGSEGV', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN',
  'SIGTTOU', 'SIGURG', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGWINCH', 'SIGIO', 'SIGPWR', 'SIGSYS'];
const ERRNO = {
  E2BIG: 7, EACCES: 13, EADDRINUSE: 98, EADDRNOTAVAIL: 99, EAFNOSUPPORT: 97, EAGAIN: 11, EALREADY: 114, EBADF: 9,
  EBADMSG: 74, EBUSY: 16, ECANCELED: 125, ECHILD: 10, ECONNABORTED: 103, ECONNREFUSED: 111, ECONNRESET: 104, EDEADLK: 35,
  EDESTADDRREQ: 89, EDOM: 33, EDQUOT: 122, EEXIST: 17, EFAULT: 14, EFBIG: 27, EHOSTUNREACH: 113, EIDRM: 43, EILSEQ: 84,
  EINPROGRESS: 115, EINTR: 4, EINVAL: 22, EIO: 5, EISCONN: 106, EISDIR: 21, ELOOP: 40, EMFILE: 24, EMLINK: 31,
  EMSGSIZE: 90, EMULTIHOP: 72, ENAMETOOLONG: 36, ENETDOWN: 100, ENETRESET: 102, ENETUNREACH: 101, ENFILE: 23, ENOBUFS: 105,
  ENODATA: 61, ENODEV: 19, ENOENT: 2, ENOEXEC: 8, ENOLCK: 37, ENOLINK: 67, ENOMEM: 12, ENOMSG: 42, ENOPROTOOPT: 92,
  ENOSPC: 28, ENOSR: 63, ENOSTR: 60, ENOSYS: 38, ENOTCONN: 107, ENOTDIR: 20, ENOTEMPTY: 39, ENOTSOCK: 88, ENOTSUP: 95,
  ENOTTY: 25, ENXIO: 6, EOPNOTSUPP: 95, EOVERFLOW: 75, EPERM: 1, EPIPE: 32, EPROTO: 71, EPROTONOSUPPORT: 93,
  EPROTOTYPE: 91, ERANGE: 34, EROFS: 30, ESPIPE: 29, ESRCH: 3, ESTALE: 116, ETIME: 62, ETIMEDOUT: 110, ETXTBSY: 26,
  EWOULDBLOCK: 11, EXDEV: 18,
};

// Where Lambda's sandboxes have their user.
const HOME = ['', 'home', 'sbx_user1051'].join('/');

const memory = () => Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1024 * 1024;

module.exports = {
  EOL: '\n',
  devNull: '/dev/null',
  constants: {
    UV_UDP_REUSEADDR: 4,
    dlopen: { RTLD_LAZY: 1, RTLD_NOW: 2, RTLD_GLOBAL: 256, RTLD_LOCAL: 0, RTLD_DEEPBIND: 8 },
    errno: ERRNO,
    signals: Object.fromEntries([...SIGNALS.map((name, at) => [name, at + 1]), ['SIGIOT', 6], ['SIGPOLL', 29]]),
    priority: {
      PRIORITY_LOW: 19, PRIORITY_BELOW_NORMAL: 10, PRIORITY_NORMAL: 0, PRIORITY_ABOVE_NORMAL: -7, PRIORITY_HIGH: -14,
      PRIORITY_HIGHEST: -20,
    },
  },
  arch: () => process.arch,
  platform: () => process.platform,
  type: () => 'Linux',
  machine: () => 'x86_64',
  release: () => '5.10.0',
  version: () => '#1 SMP',
  hostname: () => 'localhost',
  homedir: () => process.env.HOME ?? HOME,
  tmpdir: () => (process.env.TMPDIR ?? process.env.TMP ?? process.env.TEMP ?? '/tmp').replace(/(.)\/$/, '$1'),
  endianness: () => 'LE',
  uptime: () => (clock() - began()) / 1000,
  loadavg: () => [0, 0, 0],
  totalmem: memory,
  freemem: () => Math.floor(memory() / 2),
  cpus: () => [0, 1].map(() => ({
    model: 'lamina', speed: 2500, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 },
  })),
  availableParallelism: () => 2,
  networkInterfaces: () => ({}),
  userInfo: () => ({ uid: 993, gid: 990, username: 'sbx_user1051', homedir: HOME, shell: '/sbin/nologin' }),
  getPriority: () => 0,
  setPriority(pid, priority) { check.integer(priority ?? pid, 'priority', -20, 19); },
};

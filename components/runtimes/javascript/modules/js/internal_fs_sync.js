// Files: all that node:fs does, at once. Callbacks and promises are made of it.
const { Buffer } = require('buffer');
const { check, invalidArgType, invalidArgValue, outOfRange, withCode } = require('internal/errors');
const native = natives('fs');

const constants = {
  UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, UV_DIRENT_UNKNOWN: 0,
  UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3, UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6,
  UV_DIRENT_BLOCK: 7, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096,
  S_IFLNK: 40960, S_IFSOCK: 49152, O_CREAT: 64, O_EXCL: 128, UV_FS_O_FILEMAP: 0, O_NOCTTY: 256, O_TRUNC: 512,
  O_APPEND: 1024, O_DIRECTORY: 65536, O_NOATIME: 262144, O_NOFOLLOW: 131072, O_SYNC: 1052672, O_DSYNC: 4096,
  O_DIRECT: 16384, O_NONBLOCK: 2048, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32,
  S_IWGRP: 16, S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1,
  UV_FS_COPYFILE_EXCL: 1, COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, COPYFILE_FICLONE: 2,
  UV_FS_COPYFILE_FICLONE_FORCE: 4, COPYFILE_FICLONE_FORCE: 4,
};

const FLAGS = {
  r: 1, rs: 1, sr: 1, 'r+': 3, 'rs+': 3, 'sr+': 3, w: 2 | 8 | 16, wx: 2 | 8 | 16 | 32, xw: 2 | 8 | 16 | 32,
  'w+': 3 | 8 | 16, 'wx+': 3 | 8 | 16 | 32, 'xw+': 3 | 8 | 16 | 32, a: 4 | 8, as: 4 | 8, sa: 4 | 8, ax: 4 | 8 | 32,
  xa: 4 | 8 | 32, 'a+': 5 | 8, 'as+': 5 | 8, 'sa+': 5 | 8, 'ax+': 5 | 8 | 32, 'xa+': 5 | 8 | 32,
};

function flagsOf(flags = 'r') {
  if (typeof flags === 'number') {
    let own = [1, 2, 3][flags & 3] ?? 1;
    if (flags & constants.O_APPEND) own = (own & 1) | 4;
    if (flags & constants.O_CREAT) own |= 8;
    if (flags & constants.O_TRUNC) own |= 16;
    if (flags & constants.O_EXCL) own |= 32;
    return own;
  }
  const own = FLAGS[flags ?? 'r'];
  if (own === undefined) throw invalidArgValue('flags', flags);
  return own;
}

function pathOf(path, name = 'path') {
  if (path instanceof URL) path = require('url').fileURLToPath(path);
  if (path instanceof Uint8Array) path = Buffer.from(path).toString();
  if (typeof path !== 'string') throw invalidArgType(name, 'of type string or an instance of Buffer or URL', path);
  if (path.includes('\0')) throw invalidArgValue(name, path, 'must be a string, Uint8Array, or URL without null bytes');
  return path;
}

function fdOf(fd) {
  check.integer(fd, 'fd', 0, 2 ** 31 - 1);
  return fd;
}

function optionsOf(options, fallback) {
  if (options === null || options === undefined || typeof options === 'function') return fallback;
  if (typeof options === 'string') options = { ...fallback, encoding: options };
  else if (typeof options === 'object') options = { ...fallback, ...options };
  else throw invalidArgType('options', 'one of type string or object', options);
  if (options.encoding && options.encoding !== 'buffer' && !Buffer.isEncoding(options.encoding)) {
    throw invalidArgValue('encoding', options.encoding, 'is invalid encoding');
  }
  return options;
}

function bytesOf(data, encoding) {
  if (typeof data === 'string') return Buffer.from(data, encoding || 'utf8');
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

const KINDS = { File: 32768, Directory: 16384, SymbolicLink: 40960, BlockDevice: 24576, CharacterDevice: 8192, FIFO: 4096, Socket: 49152 };

function Stats() {}
function BigIntStats() {}
for (const [name, kind] of Object.entries(KINDS)) {
  for (const Class of [Stats, BigIntStats]) {
    Class.prototype[`is${name}`] = function is() { return (Number(this.mode) & constants.S_IFMT) === kind; };
  }
}
function statsOf(numbers, big) {
  const [mode, size, atimeMs, mtimeMs, ctimeMs, birthtimeMs, dev, ino, nlink, uid, gid, rdev, blksize, blocks] = numbers;
  const plain = { dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks };
  const times = { atimeMs, mtimeMs, ctimeMs, birthtimeMs };
  if (!big) {
    const stats = Object.assign(new Stats(), plain, times);
    for (const [name, ms] of Object.entries(times)) stats[name.slice(0, -2)] = new Date(Math.round(ms));
    return stats;
  }
  const stats = new BigIntStats();
  for (const [name, value] of Object.entries(plain)) stats[name] = BigInt(value);
  for (const [name, ms] of Object.entries(times)) stats[name] = BigInt(Math.floor(ms));
  for (const [name, ms] of Object.entries(times)) stats[name.replace('Ms', 'Ns')] = BigInt(Math.floor(ms * 1e6));
  for (const [name, ms] of Object.entries(times)) stats[name.slice(0, -2)] = new Date(Math.round(ms));
  return stats;
}

class Dirent {
  #kind;
  constructor(name, parent, kind) {
    this.name = name;
    this.parentPath = parent;
    this.path = parent;
    this.#kind = kind;
  }
  isFile() { return this.#kind === 1; }
  isDirectory() { return this.#kind === 2; }
  isSymbolicLink() { return this.#kind === 3; }
  isFIFO() { return false; }
  isSocket() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
}

function modeOf(mode, name, fallback) {
  if (mode === undefined || mode === null) return fallback;
  if (typeof mode === 'string') {
    if (!/^[0-7]+$/.test(mode)) {
      throw invalidArgValue(name, mode, 'must be a 32-bit unsigned integer or an octal string');
    }
    return parseInt(mode, 8);
  }
  check.integer(mode, name, 0, 2 ** 32 - 1);
  return mode;
}

const sync = {
  access(path, mode = constants.F_OK) {
    path = pathOf(path);
    if (native.stat(path, false, true) == null) native.fail('ENOENT', 'access', path);
    if (mode & constants.W_OK && /^\/(var\/task|opt)(\/|$)/.test(require('path').resolve(path)) && natives('process').pid() === 8) {
      native.fail('EROFS', 'access', path);
    }
  },

  exists(path) {
    try {
      return native.stat(pathOf(path), false, true) != null;
    } catch {
      return false;
    }
  },

  open(path, flags = 'r', mode = 0o666) {
    return native.open(pathOf(path), flagsOf(flags), modeOf(mode, 'mode', 0o666));
  },
  close(fd) { native.close(fdOf(fd)); },

  read(fd, buffer, offsetOrOptions, length, position) {
    fdOf(fd);
    if (!ArrayBuffer.isView(buffer)) throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
    let offset = offsetOrOptions ?? 0;
    if (typeof offset === 'object') ({ offset = 0, length = buffer.byteLength - offset, position = null } = offset);
    check.integer(offset, 'offset', 0);
    length ??= buffer.byteLength - offset;
    if (length === 0) return 0;
    if (buffer.byteLength === 0) throw invalidArgValue('buffer', buffer, 'is empty and cannot be written');
    if (length < 0) throw outOfRange('length', '>= 0', length);
    if (length > buffer.byteLength - offset) throw outOfRange('length', `<= ${buffer.byteLength - offset}`, length);
    const target = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
    return native.read(fd, target, position == null ? -1 : Number(position));
  },

  write(fd, data, offsetOrOptions, length, position) {
    fdOf(fd);
    if (typeof data === 'string') {
      const bytes = Buffer.from(data, typeof length === 'string' ? length : 'utf8');
      return put(fd, bytes, offsetOrOptions == null ? -1 : Number(offsetOrOptions));
    }
    if (!ArrayBuffer.isView(data)) throw invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    let offset = offsetOrOptions ?? 0;
    if (typeof offset === 'object') ({ offset = 0, length = data.byteLength - offset, position = null } = offset);
    check.integer(offset, 'offset', 0, data.byteLength);
    length ??= data.byteLength - offset;
    if (length > data.byteLength - offset) throw outOfRange('length', `<= ${data.byteLength - offset}`, length);
    return put(fd, new Uint8Array(data.buffer, data.byteOffset + offset, length), position == null ? -1 : Number(position));
  },

  readv(fd, buffers, position = null) {
    let total = 0;
    for (const buffer of buffers) {
      const count = sync.read(fd, buffer, 0, buffer.byteLength, position === null ? null : position + total);
      total += count;
      if (count < buffer.byteLength) break;
    }
    return total;
  },
  writev(fd, buffers, position = null) {
    let total = 0;
    for (const buffer of buffers) total += sync.write(fd, buffer, 0, buffer.byteLength, position === null ? null : position + total);
    return total;
  },

  readFile(path, options) {
    options = optionsOf(options, { flag: 'r' });
    let bytes;
    if (Number.isInteger(path)) {
      const parts = [];
      for (;;) {
        const part = Buffer.alloc(65536);
        const count = sync.read(path, part, 0, part.length, null);
        if (count === 0) break;
        parts.push(part.subarray(0, count));
      }
      bytes = Buffer.concat(parts);
    } else {
      path = pathOf(path);
      if (options.flag !== 'r' && flagsOf(options.flag) & 8) sync.close(sync.open(path, options.flag));
      bytes = directory(path, () => native.readFile(path));
    }
    if (options.encoding && options.encoding !== 'buffer') {
      return options.encoding === 'utf8' || options.encoding === 'utf-8'
        ? natives('text').utf8Decode(bytes) : Buffer.prototype.toString.call(bytes, options.encoding);
    }
    return Object.setPrototypeOf(bytes, Buffer.prototype);
  },

  writeFile(path, data, options) {
    options = optionsOf(options, { encoding: 'utf8', mode: 0o666, flag: 'w' });
    const bytes = bytesOf(data, options.encoding);
    if (typeof path === 'number') {
      put(path, bytes, -1);
      return;
    }
    const fd = sync.open(path, options.flag, options.mode);
    try {
      if (bytes.length > 0) put(fd, bytes, -1);
    } finally {
      sync.close(fd);
    }
  },
  appendFile(path, data, options) {
    sync.writeFile(path, data, { flag: 'a', ...optionsOf(options, { encoding: 'utf8', mode: 0o666 }) });
  },

  stat(path, options) { return stat(path, options, false); },
  lstat(path, options) { return stat(path, options, true); },
  fstat(fd, options) { return statsOf(native.fstat(fdOf(fd)), options?.bigint); },
  statfs() {
    return { type: 61267, bsize: 4096, blocks: 131072, bfree: 131072, bavail: 131072, files: 65536, ffree: 65536 };
  },

  readdir(path, options) {
    options = optionsOf(options, {});
    const root = pathOf(path);
    const { join } = require('path');
    const found = [];
    const walk = (folder, prefix) => {
      const entries = native.readdir(folder);
      for (let at = 0; at < entries.length; at += 2) {
        const [name, kind] = [entries[at], entries[at + 1]];
        if (options.withFileTypes) found.push(new Dirent(name, folder, kind));
        else found.push(options.encoding === 'buffer' ? Buffer.from(prefix + name) : prefix + name);
        if (options.recursive && kind === 2) walk(join(folder, name), `${prefix}${name}/`);
      }
    };
    walk(root, '');
    return found;
  },

  mkdir(path, options) {
    const recursive = typeof options === 'object' && options !== null && options.recursive === true;
    path = pathOf(path);
    modeOf(typeof options === 'object' ? options?.mode : options, 'mode');
    if (!recursive) {
      native.mkdir(path);
      return undefined;
    }
    const { resolve, dirname } = require('path');
    const missing = [];
    let at = resolve(path);
    for (;;) {
      const numbers = native.stat(at, false, true);
      if (numbers != null) {
        if ((numbers[0] & constants.S_IFMT) !== constants.S_IFDIR) native.fail(missing.length > 0 ? 'ENOTDIR' : 'EEXIST', 'mkdir', path);
        break;
      }
      missing.push(at);
      if (dirname(at) === at) break;
      at = dirname(at);
    }
    const first = missing.at(-1);
    while (missing.length > 0) native.mkdir(missing.pop());
    return first;
  },
  mkdtemp(prefix) {
    prefix = pathOf(prefix, 'prefix');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    const random = new Uint8Array(6);
    natives('hash').random(random);
    const path = prefix + Array.from(random, (byte) => letters[byte % letters.length]).join('');
    try {
      native.mkdir(path);
    } catch (error) {
      native.fail(error.code, 'mkdtemp', `${prefix}XXXXXX`);
    }
    return path;
  },

  rmdir(path, options) {
    if (options?.recursive) sync.rm(path, { recursive: true, force: false });
    else native.rmdir(pathOf(path));
  },
  rm(path, options = {}) {
    path = pathOf(path);
    const numbers = native.stat(path, true, Boolean(options.force));
    if (numbers == null) return;
    if ((numbers[0] & constants.S_IFMT) !== constants.S_IFDIR) {
      native.unlink(path);
      return;
    }
    if (!options.recursive) {
      throw Object.assign(withCode(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${path}`), {
        name: 'SystemError', errno: 21, syscall: 'rm', path,
      });
    }
    for (const entry of sync.readdir(path)) sync.rm(require('path').join(path, entry), options);
    native.rmdir(path);
  },
  unlink(path) { native.unlink(pathOf(path)); },
  rename(from, to) { native.rename(pathOf(from, 'oldPath'), pathOf(to, 'newPath')); },
  copyFile(from, to, mode = 0) {
    from = pathOf(from, 'src');
    to = pathOf(to, 'dest');
    if (mode & constants.COPYFILE_EXCL && sync.exists(to)) {
      const error = withCode(Error, 'EEXIST', `EEXIST: file already exists, copyfile '${from}' -> '${to}'`);
      throw Object.assign(error, { errno: -17, syscall: 'copyfile', path: from, dest: to });
    }
    native.copyFile(from, to);
  },
  cp(from, to, options = {}) {
    from = pathOf(from, 'src');
    to = pathOf(to, 'dest');
    if (!sync.lstat(from).isDirectory()) {
      if (options.force === false && sync.exists(to)) return;
      sync.mkdir(require('path').dirname(to), { recursive: true });
      native.copyFile(from, to);
      return;
    }
    if (!options.recursive) {
      throw withCode(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: ${from}`);
    }
    sync.mkdir(to, { recursive: true });
    for (const entry of sync.readdir(from)) {
      sync.cp(require('path').join(from, entry), require('path').join(to, entry), options);
    }
  },

  link(from, to) { native.link(pathOf(from, 'existingPath'), pathOf(to, 'newPath')); },
  symlink(target, path) { native.symlink(pathOf(target, 'target'), pathOf(path)); },
  readlink(path) { return native.readlink(pathOf(path)); },
  realpath(path) {
    path = require('path').resolve(pathOf(path));
    native.stat(path, true, false);
    return native.realpath(path);
  },
  chmod(path, mode) { native.chmod(pathOf(path), modeOf(mode, 'mode')); },
  fchmod(fd, mode) { modeOf(mode, 'mode'); native.fstat(fdOf(fd)); },
  lchmod() {},
  chown(path) { sync.stat(path); },
  lchown(path) { sync.lstat(path); },
  fchown(fd) { native.fstat(fdOf(fd)); },
  truncate(path, length = 0) {
    const fd = typeof path === 'number' ? path : sync.open(path, 'r+');
    try {
      sync.ftruncate(fd, length);
    } finally {
      if (typeof path !== 'number') sync.close(fd);
    }
  },
  ftruncate(fd, length = 0) {
    check.integer(length, 'len');
    native.ftruncate(fdOf(fd), Math.max(0, length));
  },
  fsync(fd) { native.fsync(fdOf(fd)); },
  fdatasync(fd) { native.fsync(fdOf(fd)); },
  utimes(path, accessed, modified) {
    path = pathOf(path);
    sync.stat(path);
    const fd = sync.open(path, 'r+');
    try {
      sync.futimes(fd, accessed, modified);
    } finally {
      sync.close(fd);
    }
  },
  futimes(fd, accessed, modified) { native.futimes(fdOf(fd), seconds(accessed, 'atime'), seconds(modified, 'mtime')); },
  lutimes(path, accessed, modified) { sync.utimes(path, accessed, modified); },
};

function seconds(time, name) {
  if (typeof time === 'string' && `${+time}` === time) return +time;
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  if (time instanceof Date) return time.getTime() / 1000;
  throw invalidArgType(name, 'one of type number or string or an instance of Date', time);
}

function put(fd, bytes, position) {
  if (fd === 1 || fd === 2) {
    require('process')[fd === 1 ? 'stdout' : 'stderr'].write(bytes);
    return bytes.length;
  }
  return native.write(fd, bytes, position);
}

// Reading a folder fails where Node's does: when it is read, not when it is opened.
function directory(path, run) {
  try {
    return run();
  } catch (error) {
    if (error.code === 'EISDIR') {
      throw Object.assign(withCode(Error, 'EISDIR', 'EISDIR: illegal operation on a directory, read'), {
        errno: -21, syscall: 'read', code: 'EISDIR',
      });
    }
    throw error;
  }
}

function stat(path, options, links) {
  const numbers = native.stat(pathOf(path), links, options?.throwIfNoEntry === false);
  return numbers == null ? undefined : statsOf(numbers, options?.bigint);
}

module.exports = { BigIntStats, Dirent, Stats, constants, flagsOf, optionsOf, pathOf, sync };

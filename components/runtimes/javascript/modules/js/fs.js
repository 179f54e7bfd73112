// node:fs.
const process = require('process');
const { check, notHere } = require('internal/errors');
const { BigIntStats, Dirent, Stats, constants, sync } = require('internal/fs_sync');
const { bind } = require('internal/host');

const custom = Symbol.for('nodejs.util.promisify.custom');
const args = Symbol.for('nodejs.util.promisify.args');

// A folder that is read entry by entry.
class Dir {
  #entries;
  constructor(path, options = undefined) {
    this.path = path;
    try {
      this.#entries = sync.readdir(path, { ...options, withFileTypes: true });
    } catch (error) {
      if (error.syscall === undefined) throw error;
      natives('fs').fail(error.code, 'opendir', undefined);
    }
  }
  readSync() { return this.#entries.shift() ?? null; }
  read(callback = undefined) {
    if (callback === undefined) return Promise.resolve(this.readSync());
    return process.nextTick(callback, null, this.readSync());
  }
  closeSync() { this.#entries = []; }
  close(callback = undefined) {
    this.closeSync();
    return callback === undefined ? Promise.resolve() : process.nextTick(callback, null);
  }
  async* [Symbol.asyncIterator]() { yield* this.#entries; }
}
sync.opendir = (path, options) => new Dir(path, options);

const fs = { constants, Dirent, Stats, BigIntStats, Dir, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };

// What the operation throws of its arguments is thrown; what the system says comes back.
function withCallback(name) {
  const run = sync[name];
  return { [name](...given) {
    const callback = given.pop();
    check.function(typeof callback === 'function' ? callback : undefined, 'cb');
    const then = bind(callback);
    let result;
    try {
      result = run(...given);
    } catch (error) {
      if (error.syscall === undefined && error.code !== 'ERR_FS_EISDIR') throw error;
      setImmediate(then, error);
      return;
    }
    setImmediate(() => {
      if (name === 'read' || name === 'write' || name === 'readv' || name === 'writev') then(null, result, given[1]);
      else if (result === undefined) then(null);
      else then(null, result);
    });
  } }[name];
}
for (const name of Object.keys(sync)) {
  fs[name] = withCallback(name);
  fs[`${name}Sync`] = { [`${name}Sync`]: (...given) => sync[name](...given) }[`${name}Sync`];
}
fs.exists = function exists(path, callback) {
  check.function(callback, 'cb');
  setImmediate(callback, sync.exists(path));
};
Object.defineProperty(fs.exists, custom, { value: (path) => Promise.resolve(sync.exists(path)) });
for (const [name, names] of [['read', ['bytesRead', 'buffer']], ['write', ['bytesWritten', 'buffer']],
  ['readv', ['bytesRead', 'buffers']], ['writev', ['bytesWritten', 'buffers']]]) {
  Object.defineProperty(fs[name], args, { value: names });
}
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
for (const name of ['watch', 'watchFile', 'unwatchFile', 'openAsBlob']) {
  fs[name] = { [name]() { throw notHere(`fs.${name}`); } }[name];
}
for (const name of ['ReadStream', 'WriteStream']) {
  const descriptor = { enumerable: true, configurable: true, get: () => require('internal/fs_streams')[name] };
  Object.defineProperty(fs, name, descriptor);
  Object.defineProperty(fs, `File${name}`, descriptor);
  fs[`create${name}`] = { [`create${name}`](path, options) {
    return new (require('internal/fs_streams')[name])(path, options);
  } }[`create${name}`];
}
Object.defineProperty(fs, 'promises', { enumerable: true, configurable: true, get: () => require('fs/promises') });
module.exports = fs;

// node:fs/promises.
const EventEmitter = require('events');
const { AbortError, notHere } = require('internal/errors');
const { constants, optionsOf, sync } = require('internal/fs_sync');
const { Dir } = require('fs');

const later = () => new Promise((resolve) => { setImmediate(resolve); });

class FileHandle extends EventEmitter {
  #fd;
  constructor(fd) {
    super();
    this.#fd = fd;
  }
  get fd() { return this.#fd; }
  async #run(name, ...args) {
    const result = sync[name](this.#fd, ...args);
    await later();
    return result;
  }
  appendFile(data, options) { return this.#run('writeFile', data, options); }
  writeFile(data, options) { return this.#run('writeFile', data, options); }
  readFile(options) { return this.#run('readFile', options); }
  chmod(mode) { return this.#run('fchmod', mode); }
  chown() { return this.#run('fchown'); }
  datasync() { return this.#run('fdatasync'); }
  sync() { return this.#run('fsync'); }
  stat(options) { return this.#run('fstat', options); }
  truncate(length) { return this.#run('ftruncate', length); }
  utimes(accessed, modified) { return this.#run('futimes', accessed, modified); }
  async read(buffer, offset, length, position) {
    if (!ArrayBuffer.isView(buffer)) {
      const options = buffer ?? {};
      buffer = options.buffer ?? Buffer.alloc(16384);
      ({ offset = 0, length = buffer.byteLength - offset, position = null } = options);
    }
    return { bytesRead: await this.#run('read', buffer, offset, length, position), buffer };
  }
  async write(data, ...rest) { return { bytesWritten: await this.#run('write', data, ...rest), buffer: data }; }
  async readv(buffers, position) { return { bytesRead: await this.#run('readv', buffers, position), buffers }; }
  async writev(buffers, position) { return { bytesWritten: await this.#run('writev', buffers, position), buffers }; }
  async close() {
    if (this.#fd === -1) return;
    const fd = this.#fd;
    this.#fd = -1;
    sync.close(fd);
    await later();
    this.emit('close');
  }
  createReadStream(options) { return new (require('internal/fs_streams').ReadStream)(undefined, { ...options, fd: this.#fd }); }
  createWriteStream(options) { return new (require('internal/fs_streams').WriteStream)(undefined, { ...options, fd: this.#fd }); }
  async* readLines(options) { yield* require('readline').createInterface({ input: this.createReadStream(options) }); }
  readableWebStream() { return require('stream').Readable.toWeb(this.createReadStream()); }
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() { return this.close(); }
}

const promises = { constants };
for (const name of Object.keys(sync)) {
  if (name === 'exists' || /^f(stat|sync|datasync|truncate|utimes|chmod|chown)$/.test(name)
    || ['close', 'read', 'write', 'readv', 'writev'].includes(name)) continue;
  promises[name] = { async [name](...args) {
    const signal = name === 'readFile' ? args[1]?.signal : args[2]?.signal;
    if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
    if ((name.endsWith('File')) && args[0] instanceof FileHandle) args[0] = args[0].fd;
    const result = sync[name](...args);
    await later();
    if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
    return result;
  } }[name];
}
promises.open = async function open(path, flags, mode) {
  const fd = sync.open(path, flags, mode);
  await later();
  return new FileHandle(fd);
};
promises.opendir = async (path, options) => new Dir(path, options);
const { writeFile } = promises;
promises.writeFile = async function writeFileAny(path, data, options) {
  if (data && typeof data === 'object' && !ArrayBuffer.isView(data)
    && (data[Symbol.asyncIterator] || data[Symbol.iterator])) {
    const parts = [];
    const { encoding } = optionsOf(options, { encoding: 'utf8' });
    for await (const part of data) parts.push(typeof part === 'string' ? Buffer.from(part, encoding) : part);
    data = Buffer.concat(parts);
  }
  return writeFile(path, data, options);
};
Object.defineProperty(promises.writeFile, 'name', { value: 'writeFile' });
promises.watch = function watch() { throw notHere('fs.promises.watch'); };
module.exports = promises;

// Blob and File (https://w3c.github.io/FileAPI).
const { Buffer } = require('buffer');
const { invalidArgType } = require('internal/errors');
const types = require('util/types');

const custom = Symbol.for('nodejs.util.inspect.custom');
const make = Symbol('make');

function bytesOf(part, endings) {
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength));
  if (types.isAnyArrayBuffer(part)) return new Uint8Array(part.slice(0));
  if (part instanceof Blob) return part[make]();
  let text = `${part}`;
  if (endings === 'native') text = text.replace(/\r\n|\r/g, '\n');
  return Buffer.from(text);
}

class Blob {
  #bytes;
  #type;
  constructor(parts = [], { type = '', endings = 'transparent' } = {}) {
    if (parts === null || typeof parts !== 'object' || typeof parts[Symbol.iterator] !== 'function' || parts instanceof Blob) {
      throw invalidArgType('sources', 'a sequence', parts);
    }
    const all = Array.from(parts, (part) => bytesOf(part, endings));
    this.#bytes = all.length === 1 ? all[0] : Buffer.concat(all);
    this.#type = /[^\x20-\x7e]/.test(`${type}`) ? '' : `${type}`.toLowerCase();
  }
  get size() { return this.#bytes.length; }
  get type() { return this.#type; }
  [make]() { return this.#bytes; }
  slice(start = 0, end = this.size, type = '') {
    const made = new Blob([], { type });
    const at = (value) => (value < 0 ? Math.max(this.size + value, 0) : Math.min(value, this.size));
    made.#bytes = this.#bytes.subarray(at(start), Math.max(at(start), at(end)));
    return made;
  }
  async arrayBuffer() { return Uint8Array.from(this.#bytes).buffer; }
  async bytes() { return Uint8Array.from(this.#bytes); }
  async text() { return new TextDecoder().decode(this.#bytes); }
  stream() {
    const bytes = this.#bytes;
    return new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 65536) controller.enqueue(Uint8Array.from(bytes.subarray(at, at + 65536)));
        controller.close();
      },
    });
  }
  [Symbol.for('lamina.clone')]() { return this.slice(0, this.size, this.type); }
  [custom](depth, options, inspect) {
    return depth < 0 ? this.constructor.name : `${this.constructor.name} ${inspect({ size: this.size, type: this.type }, options)}`;
  }
}

class File extends Blob {
  #name;
  #modified;
  constructor(parts, name, options = {}) {
    super(parts, options);
    this.#name = `${name}`;
    this.#modified = options.lastModified === undefined ? Date.now() : Number(options.lastModified);
  }
  get name() { return this.#name; }
  get lastModified() { return this.#modified; }
}
for (const Class of [Blob, File]) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}

module.exports = { Blob, File };

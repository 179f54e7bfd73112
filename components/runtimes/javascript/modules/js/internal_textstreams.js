// Transform streams of text and of compression.
const { TransformStream } = require('internal/webstreams');
const { invalidArgValue } = require('internal/errors');

// A class around a transform stream.
class Around {
  #stream;
  constructor(transformer) { this.#stream = new TransformStream(transformer); }
  get readable() { return this.#stream.readable; }
  get writable() { return this.#stream.writable; }
}

class TextEncoderStream extends Around {
  constructor() {
    const encoder = new TextEncoder();
    let high = '';
    super({
      transform(chunk, controller) {
        let text = high + chunk;
        high = /[\ud800-\udbff]$/.test(text) ? text.at(-1) : '';
        if (high) text = text.slice(0, -1);
        if (text) controller.enqueue(encoder.encode(text));
      },
      flush(controller) { if (high) controller.enqueue(encoder.encode(high)); },
    });
  }
  get encoding() { return 'utf-8'; }
}

class TextDecoderStream extends Around {
  #decoder;
  constructor(label = 'utf-8', options = {}) {
    const decoder = new TextDecoder(label, options);
    super({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text) controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text) controller.enqueue(text);
      },
    });
    this.#decoder = decoder;
  }
  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
}

function coding(format, modes) {
  const mode = modes[`${format}`];
  if (mode === undefined) throw invalidArgValue('format', format, `must be one of: ${Object.keys(modes).map((n) => `'${n}'`).join(', ')}`);
  const step = natives('zlib').create(mode, -1);
  const run = (bytes, then, controller) => {
    const out = step(bytes, then);
    if (typeof out === 'string') throw new TypeError(out);
    if (out.length > 0) controller.enqueue(out);
  };
  return {
    transform(chunk, controller) {
      const bytes = ArrayBuffer.isView(chunk)
        ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : new Uint8Array(chunk);
      run(bytes, 0, controller);
    },
    flush(controller) { run(new Uint8Array(0), 2, controller); },
  };
}
class CompressionStream extends Around {
  constructor(format) { super(coding(format, { deflate: 'deflate', 'deflate-raw': 'deflateRaw', gzip: 'gzip' })); }
}
class DecompressionStream extends Around {
  constructor(format) { super(coding(format, { deflate: 'inflate', 'deflate-raw': 'inflateRaw', gzip: 'gunzip' })); }
}

module.exports = { TextEncoderStream, TextDecoderStream, CompressionStream, DecompressionStream };

// node:stream/consumers.
const { Buffer } = require('buffer');

async function bytes(stream) {
  const parts = [];
  for await (const chunk of stream) {
    if (typeof chunk === 'string') parts.push(Buffer.from(chunk));
    else if (ArrayBuffer.isView(chunk)) parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    else parts.push(new Uint8Array(chunk));
  }
  return Buffer.concat(parts);
}

async function text(stream) {
  const decoder = new TextDecoder();
  let result = '';
  for await (const chunk of stream) {
    result += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  }
  return result + decoder.decode();
}

module.exports = {
  arrayBuffer: async (stream) => {
    const all = await bytes(stream);
    return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength);
  },
  blob: async (stream) => new Blob([await bytes(stream)]),
  buffer: bytes,
  text,
  json: async (stream) => JSON.parse(await text(stream)),
};

import { Readable, pipeline as piped } from 'node:stream';
import { pipeline } from 'node:stream/promises';

// A generator at the end: nobody has to read what it gives.
export const handler = async () => {
  const seen = [];
  await pipeline(Readable.from(['a', 'b']), async function* (source) { for await (const part of source) { seen.push(part); yield part; } });
  await new Promise((resolve, reject) => { piped(['c'], async function* (source) { for await (const part of source) { seen.push(part); yield part; } }, (error) => (error ? reject(error) : resolve())); });
  const failed = await pipeline(['d'], async function* () { yield 1; throw new RangeError('within'); }).catch((error) => error.message);
  return [seen, failed];
};

import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

export const plain = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType('text/plain');
  stream.write('first ');
  await new Promise((resolve) => setTimeout(resolve, 5));
  stream.write(Buffer.from('second'));
  stream.end();
});
export const http = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'content-type': 'text/html', 'x-order': 7 }, cookies: ['a=1'] });
  stream.write('<p>made</p>');
  stream.end();
});
export const piped = awslambda.streamifyResponse(async (event, stream) => { await pipeline(Readable.from(['a', 'b', 'c']), stream); });
export const notEnded = awslambda.streamifyResponse(async (event, stream) => { stream.write('left open'); });
export const empty = awslambda.streamifyResponse(async () => {});
export const fails = awslambda.streamifyResponse(async (event, stream) => { stream.write('half'); throw new Error('broken off'); });
export const failsEarly = awslambda.streamifyResponse(async () => { throw new RangeError('before the head'); });
export const late = awslambda.streamifyResponse(async (event, stream) => { stream.write('x'); stream.setContentType('text/plain'); });
export const badStatus = awslambda.streamifyResponse(async (event, stream) => { awslambda.HttpResponseStream.from(stream, { statusCode: 99 }).end('x'); });
export const notAsync = awslambda.streamifyResponse(() => 'no promise');

// node:stream/promises.
const { finished: finishedCallback, runPipeline, isStream } = require('internal/stream_finished');

function pipeline(...streams) {
  return new Promise((resolve, reject) => {
    const last = streams.at(-1);
    let options;
    if (last !== null && typeof last === 'object' && !isStream(last) && !Array.isArray(last)
      && typeof last[Symbol.asyncIterator] !== 'function' && typeof last[Symbol.iterator] !== 'function'
      && typeof last.getWriter !== 'function') options = streams.pop();
    runPipeline(streams, (error, value) => (error ? reject(error) : resolve(value)), options);
  });
}

function finished(stream, options = undefined) {
  return new Promise((resolve, reject) => {
    const clean = finishedCallback(stream, options ?? {}, (error) => {
      if (options?.cleanup) clean();
      if (error) reject(error);
      else resolve();
    });
  });
}

module.exports = { pipeline, finished };

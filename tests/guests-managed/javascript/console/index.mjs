export const levels = async () => {
  for (const level of ['trace', 'debug', 'info', 'log', 'warn', 'error']) console[level](`a ${level}`);
};
export const formats = async () => {
  console.log('%s has %d of %i, %f, %j, %o, %O, %%, %c.', 'it', 1.5, 1.5, '1.5', { a: 1 }, [1], { b: { c: {} } }, 'css', 'rest');
  console.log({ a: [1, 'two', null, undefined], b: new Map([[1, { c: 2 }]]), d: new Date(0) });
  console.log('two\nlines');
  console.log();
};
export const object = async () => console.log({ order: 7 });
export const several = async () => console.log('order', { id: 7 });
export const errors = async () => { const error = new RangeError('logged'); error.stack = 'RangeError: logged\n    at here'; console.error(error); console.error('with', error); };
export const others = async () => {
  console.count(); console.count('a'); console.countReset(); console.count();
  console.assert(true, 'silent'); console.assert(false, 'said %s', 'so');
  console.group('group'); console.log('inside'); console.groupEnd();
  console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
  console.table([{ a: 1, b: 'x' }, { a: 2 }]);
};
export const written = async () => { process.stdout.write('raw '); process.stdout.write('text\n'); process.stderr.write('to error\n'); };
console.log('while loading');

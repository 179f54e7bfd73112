// A second file of the author's.
export const fail = () => { throw new EvalError('not here'); };

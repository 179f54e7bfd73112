class OrderError extends Error { constructor(message) { super(message); this.name = 'OrderError'; this.order = 7; } }
const deep = (n) => deep(n + 1) + 1;

export const thrown = () => { throw new TypeError('thrown'); };
export const rejected = async () => { throw new OrderError('no such order'); };
export const text = async () => { throw 'a text'; };
export const number = async () => { throw 7; };
export const object = async () => { throw { code: 7 }; };
export const nothing = async () => { throw undefined; };
export const unhandled = async () => { Promise.reject(new Error('lost')); await new Promise((resolve) => setTimeout(resolve, 5)); return 'not reached'; };
export const handledLate = async () => { const lost = Promise.reject(new Error('found')); await Promise.resolve(); lost.catch(() => {}); return 'fine'; };
export const inTimer = async () => { setTimeout(() => { throw new Error('in a timer'); }, 1); await new Promise((resolve) => setTimeout(resolve, 50)); };
export const listened = async () => { process.once('unhandledRejection', (reason) => { globalThis.reason = reason.message; }); Promise.reject(new Error('heard')); await new Promise((resolve) => setTimeout(resolve, 5)); return globalThis.reason; };
export const never = () => new Promise(() => {});
export const recursion = async () => { try { deep(0); } catch (error) { return [error.name, error.message]; } };
export const recursionUncaught = async () => deep(0);
export const memory = async () => { const all = []; for (;;) all.push('x'.repeat(1 << 20) + all.length); };
export const circular = async () => { const a = {}; a.a = a; return a; };
export const bigint = async () => 1n;
export const undefinedResult = async () => undefined;
export const functionResult = async () => () => {};
export const exit = async () => { process.exit(1); };
export const exitWell = async () => { process.exit(0); };
export const surrogates = async (event) => [event, '\ud800', '\u{1f600}'.length, 'gr\u00fc\u00dfe'];
export const large = async (event) => event.length;
export const largeAnswer = async () => 'x'.repeat(6 * 1024 * 1024 - 2);
export const cause = async () => { throw new Error('outer', { cause: new Error('inner') }); };
export const notAFunction = 7;

const path = require('node:path');
const { value } = require('./lib');
const data = require('./lib/data');

exports.handler = async (event) => ({
  value, data, event, here: path.basename(__filename), folder: __dirname, top: topThis === module.exports, main: require.main === module,
});
const topThis = this;
exports.sloppy = async () => (function () { return this === globalThis; })();
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, { got: event }), 1); };
exports.callbackError = (event, context, callback) => { callback(new RangeError('by callback')); };
exports.callbackText = (event, context, callback) => { callback('a text'); };
exports.waits = (event, context, callback) => {
  const order = [];
  setTimeout(() => { order.push('timer'); }, 20);
  order.push('called');
  callback(null, order);
};
exports.waitsNot = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => { throw new Error('too late'); }, 20);
  callback(null, 'at once');
};
exports.succeed = (event, context) => context.succeed('succeeded');
exports.fail = (event, context) => context.fail(new Error('failed'));
exports.done = (event, context) => context.done(null, 'done');
exports.nothing = () => 'not awaited';
exports.requiresModule = async () => require('./lib/module.mjs').default;
exports.requiresLater = async () => { try { require('./lib/waits.mjs'); } catch (error) { return error.code; } };
exports.again = async () => require('./lib') === require('./lib/index.js');
exports.cycle = async () => require('./lib/cycle-a').seen;
exports.resolved = async () => require.resolve('./lib');
exports.created = async () => require('module').createRequire(__filename)('./lib').value;
exports.context = async (event, context) => ({
  ...JSON.parse(JSON.stringify(context)), left: context.getRemainingTimeInMillis() > 0, functions: Object.keys(context).filter((name) => typeof context[name] === 'function'),
});

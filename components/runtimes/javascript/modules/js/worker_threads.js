// node:worker_threads: an instance has one thread.
const { classes, failing } = require('internal/absent');
const { MessageChannel, MessagePort, BroadcastChannel } = require('internal/messaging');

const environment = new Map();
module.exports = {
  isMainThread: true,
  parentPort: null,
  threadId: 0,
  workerData: null,
  resourceLimits: {},
  SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'),
  MessageChannel,
  MessagePort,
  BroadcastChannel,
  getEnvironmentData: (key) => environment.get(key),
  setEnvironmentData(key, value) {
    if (value === undefined) environment.delete(key);
    else environment.set(key, value);
  },
  markAsUntransferable() {},
  isMarkedAsUntransferable: () => false,
  receiveMessageOnPort: (port) => port.take(),
  ...classes('worker_threads', ['Worker']),
  ...failing('worker_threads', ['moveMessagePortToContext', 'postMessageToThread']),
};

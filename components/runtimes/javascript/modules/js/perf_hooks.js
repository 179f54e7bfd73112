// node:perf_hooks.
const { Performance, PerformanceEntry, performance } = require('internal/performance');
const { notHere } = require('internal/errors');

class PerformanceObserver {
  constructor() { throw notHere('PerformanceObserver'); }
  static get supportedEntryTypes() { return []; }
}

module.exports = {
  Performance,
  PerformanceEntry,
  PerformanceObserver,
  performance,
  createHistogram() { throw notHere('perf_hooks.createHistogram'); },
  monitorEventLoopDelay() { throw notHere('perf_hooks.monitorEventLoopDelay'); },
  constants: {},
};

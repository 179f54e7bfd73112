// node:v8: the engine is another one; what libraries read of it is there.
const { failing } = require('internal/absent');
const process = require('process');

module.exports = {
  getHeapStatistics() {
    const { heapTotal, heapUsed } = process.memoryUsage();
    return {
      total_heap_size: heapTotal, used_heap_size: heapUsed, heap_size_limit: process.constrainedMemory(),
      total_available_size: process.constrainedMemory() - heapUsed, total_physical_size: heapTotal, malloced_memory: 0,
    };
  },
  getHeapSpaceStatistics: () => [],
  cachedDataVersionTag: () => 0,
  setFlagsFromString() {},
  ...failing('v8', ['serialize', 'deserialize', 'getHeapSnapshot', 'writeHeapSnapshot', 'takeCoverage', 'stopCoverage']),
};

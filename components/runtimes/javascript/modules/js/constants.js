// node:constants, the old list of all.
const { constants } = require('os');

module.exports = {
  ...constants.dlopen, ...constants.errno, ...constants.priority, ...constants.signals, ...require('fs').constants,
};

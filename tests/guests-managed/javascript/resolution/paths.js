// Lambda's NODE_PATH has /var/task; a function may have its own.
let found;
try { found = require('placed'); } catch (error) { found = error.code; }
exports.handler = async () => [found, require('legacy')];

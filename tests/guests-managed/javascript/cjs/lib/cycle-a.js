exports.early = 1; exports.seen = require('./cycle-b').seen;

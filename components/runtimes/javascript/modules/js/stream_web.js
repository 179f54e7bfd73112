// node:stream/web.
module.exports = { ...require('internal/webstreams').classes, ...require('internal/textstreams') };

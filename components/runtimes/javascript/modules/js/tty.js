// node:tty: there is no terminal.
const { classes } = require('internal/absent');

module.exports = { isatty: () => false, ...classes('tty', ['ReadStream', 'WriteStream']) };

// Modules that libraries import and functions cannot use: they are there, and what
// they do fails by its name.
const EventEmitter = require('events');
const { noNetwork, notHere } = require('internal/errors');

// Functions of these names, each failing with `fail(MODULE.NAME)`.
function failing(module, names, fail = notHere) {
  return Object.fromEntries(names.map((name) => [name, { [name]() { throw fail(`${module}.${name}`); } }[name]]));
}

// Classes of these names that can be extended and not made.
function classes(module, names, fail = notHere, Base = EventEmitter) {
  return Object.fromEntries(names.map((name) => [name, { [name]: class extends Base {
    constructor() {
      super();
      throw fail(`${module}.${name}`);
    }
  } }[name]]));
}

module.exports = { classes, failing, noNetwork, notHere };

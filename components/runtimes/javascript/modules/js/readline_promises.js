// node:readline/promises.
const { Interface: Base } = require('readline');

class Interface extends Base {
  question(query) { return new Promise((resolve) => { super.question(query, resolve); }); }
}
module.exports = { Interface, createInterface: (input, output) => new Interface(input, output) };

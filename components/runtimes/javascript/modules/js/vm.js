// node:vm: code in the one context that there is.
const { failing } = require('internal/absent');
const { check } = require('internal/errors');

class Script {
  #code;
  constructor(code) {
    this.#code = `${code}`;
  }
  runInThisContext() { return (0, eval)(this.#code); }
  runInNewContext() { return failing('vm', ['Script.runInNewContext'])['Script.runInNewContext'](); }
  runInContext() { return failing('vm', ['Script.runInContext'])['Script.runInContext'](); }
}

module.exports = {
  Script,
  isContext(object) {
    check.object(object, 'object');
    return false;
  },
  runInThisContext: (code) => new Script(code).runInThisContext(),
  constants: {},
  ...failing('vm', ['createContext', 'runInContext', 'runInNewContext', 'compileFunction', 'measureMemory']),
};

// node:module.
const { host } = require('internal/host');
const { invalidArgValue, notHere } = require('internal/errors');

const builtinModules = natives('modules').names();

function isBuiltin(name) {
  return builtinModules.includes(`${name}`.replace(/^node:/, ''));
}

function createRequire(from) {
  let path = from;
  if (from instanceof URL || /^file:/.test(from)) path = require('url').fileURLToPath(from);
  else if (typeof from !== 'string' || !require('path').isAbsolute(from)) {
    throw invalidArgValue('filename', from, 'must be a file URL object, file URL string, or absolute path string');
  }
  if (typeof host.createRequire !== 'function') throw notHere('module.createRequire outside the engine');
  return host.createRequire(path);
}

function Module(id = '') {
  this.id = id;
  this.exports = {};
  this.loaded = false;
}
Object.assign(Module, {
  Module,
  builtinModules,
  isBuiltin,
  createRequire,
  getBuiltinModule: (name) => (isBuiltin(name) ? natives('modules').require(`${name}`) : undefined),
  findSourceMap: () => undefined,
  syncBuiltinESMExports() {},
  register() { throw notHere('module.register'); },
  wrap: (script) => `(function (exports, require, module, __filename, __dirname) { ${script}\n});`,
  _extensions: { '.js': undefined, '.json': undefined, '.node': undefined },
  _cache: {},
});
module.exports = Module;

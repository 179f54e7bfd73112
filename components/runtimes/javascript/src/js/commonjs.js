// CommonJS: the function around a module, its cache, and what `require` carries.
//
// `native` is what Rust gives: resolve(specifier, from), kind(path), compile(path),
// json(path), importSync(path), builtin(name).
(function (native) {
  'use strict';
  const COMMONJS = 0, MODULE = 1, JSON_FILE = 2, ADDON = 3;
  const BUILTINS = ['assert', 'assert/strict', 'async_hooks', 'buffer', 'child_process', 'console', 'constants', 'crypto',
    'diagnostics_channel', 'dns', 'dns/promises', 'events', 'fs', 'fs/promises', 'http', 'http2', 'https', 'module', 'net', 'os',
    'path', 'path/posix', 'path/win32', 'perf_hooks', 'process', 'punycode', 'querystring', 'readline', 'stream', 'stream/consumers',
    'stream/promises', 'stream/web', 'string_decoder', 'sys', 'timers', 'timers/promises', 'tls', 'tty', 'url', 'util', 'util/types',
    'v8', 'vm', 'worker_threads', 'zlib'];
  const cache = Object.create(null);
  const extensions = Object.create(null);
  for (const ending of ['.js', '.json', '.node']) extensions[ending] = (module, filename) => fill(module, filename);
  let main;

  function folder(path) {
    const at = path.lastIndexOf('/');
    return at > 0 ? path.slice(0, at) : '/';
  }

  function Module(id = '', parent) {
    this.id = id;
    this.path = folder(id);
    this.exports = {};
    this.filename = null;
    this.loaded = false;
    this.children = [];
    Object.defineProperty(this, 'parent', { value: parent, configurable: true, writable: true });
    if (parent) parent.children.push(this);
  }
  Object.defineProperty(Module.prototype, 'paths', {
    get() { return Module._nodeModulePaths(this.path); },
    set(value) { Object.defineProperty(this, 'paths', { value, writable: true, configurable: true }); },
    configurable: true,
  });
  Module.prototype.require = function (specifier) { return load(specifier, this); };
  Module.prototype._compile = function (source, filename) {
    return native.compileText(String(source), filename)
      .call(this.exports, this.exports, requireOf(this), this, filename, folder(filename));
  };

  function stackOf(parent) {
    const stack = [];
    for (let at = parent; at && stack.length < 32; at = at.parent) stack.push(at.filename ?? at.id);
    return stack;
  }

  function resolve(specifier, parent) {
    if (typeof specifier !== 'string') {
      const error = new TypeError(`The "id" argument must be of type string. Received ${specifier === null ? 'null' : typeof specifier}`);
      error.code = 'ERR_INVALID_ARG_TYPE';
      throw error;
    }
    if (specifier === '') {
      const error = new TypeError("The argument 'id' must be a non-empty string. Received ''");
      error.code = 'ERR_INVALID_ARG_VALUE';
      throw error;
    }
    const found = native.resolve(specifier, parent.filename ?? parent.id);
    if (typeof found === 'string') return found;
    const [code, text, advice] = found;
    if (code !== 'MODULE_NOT_FOUND') throw coded(code, text);
    const requireStack = stackOf(parent);
    requireStack.push('/var/runtime/index.mjs');
    const error = new Error(`${text}\nRequire stack:\n- ${requireStack.join('\n- ')}${advice ? `\n${advice}` : ''}`);
    error.code = code;
    error.requireStack = requireStack;
    throw error;
  }

  // An error as Node's own are: the code is in the stack's first line, not in the name.
  function coded(code, text, Type = Error) {
    const error = new Type(text);
    error.code = code;
    const name = error.name;
    Object.defineProperty(error, 'stack', {
      value: `${name} [${code}]${String(error.stack).slice(name.length)}`, writable: true, configurable: true,
    });
    return error;
  }

  function fill(module, filename) {
    switch (native.kind(filename)) {
      case JSON_FILE:
        try {
          module.exports = native.json(filename);
        } catch (error) {
          error.message = `${filename}: ${error.message}`;
          throw error;
        }
        break;
      case MODULE: {
        const namespace = native.importSync(filename);
        module.exports = 'module.exports' in namespace ? namespace['module.exports'] : interop(namespace);
        break;
      }
      case ADDON:
        throw coded('ERR_DLOPEN_FAILED', `${filename}: native addons cannot run here: the runtime is a WebAssembly component. Use a package in plain JavaScript or WebAssembly-free build instead`);
      default: {
        const wrapper = native.compile(filename);
        // A file that does not say what it is, and turned out to be an ES module.
        if (wrapper === undefined) { module.exports = interop(native.importSync(filename)); break; }
        wrapper.call(module.exports, module.exports, requireOf(module), module, filename, module.path);
      }
    }
  }

  // What `require` gives for an ES module with a default export: Node marks it.
  function interop(namespace) {
    if (!('default' in namespace) || '__esModule' in namespace) return namespace;
    const marked = Object.create(null, { __esModule: { value: true, enumerable: false } });
    for (const name of Object.keys(namespace)) {
      Object.defineProperty(marked, name, { get: () => namespace[name], enumerable: true });
    }
    return marked;
  }

  function load(specifier, parent) {
    const filename = resolve(specifier, parent);
    if (filename.startsWith('node:')) return native.builtin(filename.slice(5));
    return loadFile(filename, parent);
  }

  function loadFile(filename, parent) {
    const cached = cache[filename];
    if (cached !== undefined) {
      if (parent && !parent.children.includes(cached)) parent.children.push(cached);
      return cached.exports;
    }
    const module = new Module(filename, parent);
    module.filename = filename;
    if (main === undefined) { main = module; module.id = '.'; }
    cache[filename] = module;
    let done = false;
    try {
      fill(module, filename);
      done = true;
    } finally {
      if (!done) delete cache[filename];
    }
    module.loaded = true;
    return module.exports;
  }

  function requireOf(module) {
    const require = function require(specifier) { return load(specifier, module); };
    require.resolve = function (specifier, options) {
      if (options?.paths) {
        for (const path of options.paths) {
          try { return strip(resolve(specifier, new Module(`${path}/noop.js`))); } catch (error) {
            if (error.code !== 'MODULE_NOT_FOUND') throw error;
          }
        }
      }
      return strip(resolve(specifier, module));
    };
    require.resolve.paths = () => Module._nodeModulePaths(module.path);
    require.main = main;
    require.extensions = extensions;
    require.cache = cache;
    return require;
  }

  // A module of Node's own has no path, only its name.
  const strip = (found) => found;

  Module._nodeModulePaths = function (from) {
    const paths = [];
    for (let at = from; ; at = folder(at)) {
      if (!at.endsWith('/node_modules')) paths.push(at === '/' ? '/node_modules' : `${at}/node_modules`);
      if (at === '/') return paths;
    }
  };
  Module._cache = cache;
  Module._extensions = extensions;
  Module._load = (specifier, parent) => load(specifier, parent ?? new Module('/var/task/noop.js'));
  Module._resolveFilename = (specifier, parent) => resolve(specifier, parent ?? new Module('/var/task/noop.js'));
  Module.Module = Module;
  Module.createRequire = function (from) {
    let path = String(from?.href ?? from);
    if (path.startsWith('file://')) path = decodeURIComponent(path.slice(7));
    const module = new Module(path);
    module.filename = path;
    return requireOf(module);
  };
  Module.isBuiltin = (name) => native.isBuiltin(String(name));
  Object.defineProperty(Module, 'builtinModules', { get: () => BUILTINS.filter((name) => native.isBuiltin(name)), enumerable: true });
  Module.findSourceMap = () => undefined;
  Module.syncBuiltinESMExports = () => {};
  Module.SourceMap = class SourceMap {};

  return { Module, loadFile, coded, cache };
})

// util.parseArgs.
const { check, invalidArgType, withCode } = require('internal/errors');

const unknown = (name, positional) => withCode(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION',
  `Unknown option '${name}'${positional ? `. To specify a positional argument starting with a '-', place it at the `
  + `end of the command after '--', as in '-- "${name}"` : ''}`);

function shownName(name, option) {
  return option.short ? `-${option.short}, --${name}` : `--${name}`;
}

function tokens(args, options) {
  const found = [];
  const byShort = (letter) => Object.keys(options).find((name) => options[name].short === letter);
  const isText = (name) => options[name]?.type === 'string';
  const queue = args.map((value, index) => ({ value, index }));
  let rest = false;
  while (queue.length > 0) {
    const { value: arg, index } = queue.shift();
    const next = queue[0]?.value;
    if (rest || !/^-./.test(arg)) {
      found.push({ kind: 'positional', index, value: arg });
    } else if (arg === '--') {
      found.push({ kind: 'option-terminator', index });
      rest = true;
    } else if (/^--[^=]*$/.test(arg)) {
      const name = arg.slice(2);
      if (isText(name) && next !== undefined) {
        queue.shift();
        found.push({ kind: 'option', name, rawName: arg, index, value: next, inlineValue: false });
      } else found.push({ kind: 'option', name, rawName: arg, index, value: undefined, inlineValue: undefined });
    } else if (arg.startsWith('--')) {
      const at = arg.indexOf('=');
      found.push({
        kind: 'option', name: arg.slice(2, at), rawName: arg.slice(0, at), index, value: arg.slice(at + 1), inlineValue: true,
      });
    } else if (arg.length > 2) {
      const name = byShort(arg[1]);
      if (isText(name)) {
        found.push({ kind: 'option', name, rawName: `-${arg[1]}`, index, value: arg.slice(2), inlineValue: true });
      } else {
        const letters = [];
        for (let at = 1; at < arg.length; at += 1) {
          if (isText(byShort(arg[at])) && at < arg.length - 1) {
            letters.push(`-${arg.slice(at)}`);
            break;
          }
          letters.push(`-${arg[at]}`);
        }
        queue.unshift(...letters.map((value) => ({ value, index })));
      }
    } else {
      const name = byShort(arg[1]) ?? arg[1];
      if (isText(name) && next !== undefined) {
        queue.shift();
        found.push({ kind: 'option', name, rawName: arg, index, value: next, inlineValue: false });
      } else found.push({ kind: 'option', name, rawName: arg, index, value: undefined, inlineValue: undefined });
    }
  }
  return found;
}

function checkStrict(token, config, options) {
  const { name, value } = token;
  if (!Object.hasOwn(options, name)) throw unknown(token.rawName, config.allowPositionals);
  const shown = shownName(name, options[name]);
  const invalid = (text) => withCode(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', text);
  if (options[name].type === 'string' && typeof value !== 'string') {
    throw invalid(`Option '${shown} <value>' argument missing`);
  }
  if (options[name].type === 'boolean' && value != null) {
    throw invalid(`Option '${shown}' does not take an argument`);
  }
  if (token.inlineValue === false && value.startsWith('-') && value.length > 1) {
    throw invalid(`Option '${token.rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${
      token.rawName}'?\nTo specify an option argument starting with a dash use '${
      token.rawName.startsWith('--') ? `${token.rawName}=-XYZ` : `--${name}=-XYZ' or '${token.rawName}-XYZ`}'.`);
  }
}

function parseArgs(config = {}) {
  check.object(config, 'config');
  const { args = require('process').argv.slice(2), options = {}, strict = true } = config;
  const allowPositionals = config.allowPositionals ?? !strict;
  if (!Array.isArray(args)) throw invalidArgType('args', 'an instance of Array', args);
  check.object(options, 'options');
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'string' && option.type !== 'boolean') {
      throw invalidArgType(`options.${name}.type`, "('string|boolean')", option.type);
    }
  }
  const values = Object.create(null);
  const positionals = [];
  const found = tokens(args, options);
  for (const token of found) {
    if (token.kind === 'positional') {
      if (!allowPositionals) {
        throw withCode(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
          `Unexpected argument '${token.value}'. This command does not take positional arguments`);
      }
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      if (strict) checkStrict(token, { allowPositionals }, options);
      const value = token.value ?? true;
      if (token.name === '__proto__') continue;
      if (options[token.name]?.multiple) (values[token.name] ??= []).push(value);
      else values[token.name] = value;
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
  }
  return config.tokens ? { values, positionals, tokens: found } : { values, positionals };
}

module.exports = { parseArgs };

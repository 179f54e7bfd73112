// node:path, for both kinds of system.
const { check } = require('internal/errors');

// The parts of a path without `.` and `..`; `above`: `..` at the start stay.
function normalParts(text, isSeparator, above) {
  const parts = [];
  for (const part of text.split(isSeparator)) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
      else if (above) parts.push('..');
    } else parts.push(part);
  }
  return parts;
}

function make({ sep, delimiter, split, isSep, rootOf, cwd }) {
  const ends = (path) => path.length > 0 && isSep(path.at(-1));

  function basename(path, suffix = undefined) {
    if (suffix !== undefined) check.string(suffix, 'ext');
    check.string(path, 'path');
    let end = path.length;
    const { drive } = rootOf(path);
    while (end > drive.length && isSep(path[end - 1])) end -= 1;
    let start = end;
    while (start > drive.length && !isSep(path[start - 1])) start -= 1;
    const name = path.slice(start, end);
    if (suffix !== undefined && suffix === path) return '';
    return suffix !== undefined && name !== suffix && name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name;
  }

  function extname(path) {
    check.string(path, 'path');
    const name = basename(path);
    const at = name.lastIndexOf('.');
    return at <= 0 || name === '..' ? '' : name.slice(at);
  }

  function dirname(path) {
    check.string(path, 'path');
    if (path.length === 0) return '.';
    const { root } = rootOf(path);
    let end = path.length;
    while (end > root.length && isSep(path[end - 1])) end -= 1;
    while (end > root.length && !isSep(path[end - 1])) end -= 1;
    if (end === 2 && sep === '/' && path.startsWith('//')) return '//';
    if (end <= root.length) return root === '' ? '.' : root;
    while (end > root.length + 1 && isSep(path[end - 1])) end -= 1;
    return isSep(path[end - 1]) ? path.slice(0, end - 1) || root : path.slice(0, end);
  }

  function normalize(path) {
    check.string(path, 'path');
    if (path.length === 0) return '.';
    const { root, drive, absolute } = rootOf(path);
    let tail = normalParts(path.slice(root.length), split, !absolute).join(sep);
    if (tail === '' && !absolute) tail = '.';
    if (tail !== '' && ends(path)) tail += sep;
    if (absolute) return `${drive}${sep}${tail}`;
    return drive + tail;
  }

  function join(...paths) {
    let all;
    for (const path of paths) {
      check.string(path, 'path');
      if (path.length > 0) all = all === undefined ? path : `${all}${sep}${path}`;
    }
    return all === undefined ? '.' : normalize(all);
  }

  function resolve(...paths) {
    let tail = '';
    let drive = '';
    let absolute = false;
    for (let at = paths.length - 1; at >= -1 && !(absolute && (sep === '/' || drive !== '')); at -= 1) {
      const path = at >= 0 ? paths[at] : cwd(drive);
      if (at >= 0) check.string(path, `paths[${at}]`);
      if (path.length === 0) continue;
      const root = rootOf(path);
      if (root.drive && drive && root.drive.toLowerCase() !== drive.toLowerCase()) continue;
      if (!drive) drive = root.drive;
      if (!absolute) {
        tail = `${path.slice(root.root.length)}${sep}${tail}`;
        absolute = root.absolute;
      }
    }
    const text = normalParts(tail, split, !absolute).join(sep);
    return `${drive}${absolute ? sep : ''}${text}` || '.';
  }

  function relative(from, to) {
    check.string(from, 'from');
    check.string(to, 'to');
    if (from === to) return '';
    const a = resolve(from);
    const b = resolve(to);
    const fold = (text) => (sep === '/' ? text : text.toLowerCase());
    if (fold(a) === fold(b)) return '';
    const left = a.split(sep).filter(Boolean);
    const right = b.split(sep).filter(Boolean);
    if (sep !== '/' && fold(left[0] ?? '') !== fold(right[0] ?? '')) return b;
    let same = 0;
    while (same < left.length && same < right.length && fold(left[same]) === fold(right[same])) same += 1;
    return [...left.slice(same).map(() => '..'), ...right.slice(same)].join(sep);
  }

  function parse(path) {
    check.string(path, 'path');
    const { root } = rootOf(path);
    const base = path.length <= root.length ? '' : basename(path);
    const ext = extname(base);
    let dir = path.length <= root.length ? root : dirname(path);
    if (dir === '.' && !path.startsWith('.')) dir = '';
    if (dir === '.' && !path.slice(0, 2).includes(sep) && !isSep(path[1] ?? '')) dir = '';
    return { root, dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
  }

  function format(object) {
    check.object(object, 'pathObject');
    const dir = object.dir || object.root;
    const ext = object.ext ? `${object.ext.startsWith('.') ? '' : '.'}${object.ext}` : '';
    const base = object.base || `${object.name || ''}${ext}`;
    if (!dir) return base;
    return dir === object.root ? `${dir}${base}` : `${dir}${sep}${base}`;
  }

  return {
    sep, delimiter, basename, extname, dirname, normalize, join, resolve, relative, parse, format,
    isAbsolute(path) {
      check.string(path, 'path');
      return rootOf(path).absolute;
    },
    toNamespacedPath: (path) => path,
    posix: null,
    win32: null,
  };
}

const posix = make({
  sep: '/',
  delimiter: ':',
  split: '/',
  isSep: (c) => c === '/',
  rootOf: (path) => (path.startsWith('/') ? { root: '/', drive: '', absolute: true } : { root: '', drive: '', absolute: false }),
  cwd: () => require('process').cwd(),
});

const win32 = make({
  sep: '\\',
  delimiter: ';',
  split: /[\\/]/,
  isSep: (c) => c === '/' || c === '\\',
  rootOf(path) {
    const share = /^[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)[\\/]?/.exec(path);
    if (share) return { root: share[0], drive: `\\\\${share[1]}\\${share[2]}`, absolute: true };
    const drive = /^[A-Za-z]:/.exec(path)?.[0] ?? '';
    const absolute = /^[\\/]/.test(path.slice(drive.length));
    return { root: path.slice(0, drive.length + (absolute ? 1 : 0)), drive, absolute };
  },
  cwd: (drive) => (drive ? `${drive}\\` : require('process').cwd()),
});

for (const each of [posix, win32]) Object.assign(each, { posix, win32 });
module.exports = posix;

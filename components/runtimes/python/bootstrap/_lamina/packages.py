"""The author's modules: from the sources at `/var/task` and `/opt`, or from the bundle.

A path hook before Python's own gives finders for paths, so that `sys.path`, packages,
namespace packages and `pkgutil` work as ever. The bundle's form stands in
`host/ARCHITECTURE.md`, "Managed runtimes".
"""

import builtins
import marshal
import os
import sys
import types
from importlib import machinery

from . import advice

TASK = "/var/task"
LAYERS = ("/opt/python/lib/python3.14/site-packages", "/opt/python")
_MAGIC = b"lamina python bundle 1\n"
# Files below the package: more are left to the sources.
_FILES_MAX = 20_000
_SOURCE_BYTES_MAX = 8 << 20
_TOTAL_BYTES_MAX = 128 << 20
_DEPTH_MAX = 40
# Ends of names that compiled extensions have: any release, any machine.
_NATIVE = (".so", ".pyd")
_NATIVE_TAGS = ("cpython-", "abi3", "pypy", "cp3")

# Names that most functions have: a name that nobody had is entered in tables.
_USUAL = [sys.intern(name) for name in ("lambda_function", "lambda_handler", "app", "handler", "index", "main")]
_USUAL += [sys.intern(f"{TASK}/{name}.py") for name in _USUAL]

# Of the modules that are imported already, those that an author's may replace.
_coverable = frozenset()
# Of the package's bundle: paths of folders to their modules, or to where those stand;
# the bytes, and where what is placed begins.
_folders = None
_bytes = b""
_base = 0


class NativeLoader:
    """A compiled extension: it is found, and refused when it is imported."""

    def __init__(self, name, path):
        self.name = name
        self.path = path

    def create_module(self, spec):
        raise ImportError(advice.native(self.name, os.path.basename(self.path)), name=self.name, path=self.path)

    def exec_module(self, module):
        raise NotImplementedError

    def get_filename(self, name=None):
        return self.path


class SourceLoader(machinery.SourceFileLoader):
    """From the source always: what lies in `__pycache__` was made elsewhere."""

    def get_code(self, fullname):
        path = self.path
        return compile(self.get_data(path), path, "exec", dont_inherit=True, optimize=0)

    def get_data(self, path):
        # A fifth of the host's calls that a file object makes.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            parts = []
            while part := os.read(descriptor, 1 << 18):
                parts.append(part)
            return b"".join(parts)
        finally:
            os.close(descriptor)


class BundleLoader(machinery.SourceFileLoader):
    """From the bundle; resources and source text are read from the package's files."""

    def __init__(self, fullname, path, start, end):
        super().__init__(fullname, path)
        self._start = start
        self._end = end

    def get_code(self, fullname):
        code = _read(self._start, self._end)
        if isinstance(code, types.CodeType):
            return code
        return SourceLoader(fullname, self.path).get_code(fullname)


class FolderFinder(machinery.FileFinder):
    """Modules of one folder: by the bundle, which touches no file, or by its names,
    which are read once, as nothing below changes."""

    def __init__(self, path):
        super().__init__(path)
        self._names = None

    def names(self):
        """What is in the folder."""
        if self._names is None:
            try:
                self._names = frozenset(os.listdir(self.path))
            except OSError:
                self._names = frozenset()
        return self._names

    def find_spec(self, fullname, target=None):
        name = fullname.rpartition(".")[2]
        if _folders is not None and (modules := bundled(self.path)) is not None:
            entry = modules.get(name)
            return self._bundled(fullname, *entry) if entry else None
        return self._listed(fullname, name)

    def _bundled(self, fullname, kind, file, start, end):
        path = f"{self.path}/{file}"
        if kind == "module":
            return _spec(fullname, BundleLoader(fullname, path, start, end), path, False)
        if kind == "package":
            return _spec(fullname, BundleLoader(fullname, path, start, end), path, True)
        if kind == "namespace":
            return _namespace(fullname, path)
        if kind == "native":
            return _spec(fullname, NativeLoader(fullname, path), path, False)
        if kind == "compiled":
            return _spec(fullname, machinery.SourcelessFileLoader(fullname, path), path, False)
        # Left out of the bundle: the source says why.
        return _spec(fullname, SourceLoader(fullname, path), path, kind == "source package")

    def _listed(self, fullname, name):
        names = self.names()
        path = f"{self.path}/{name}"
        if name in names and os.path.isfile(f"{path}/__init__.py"):
            init = f"{path}/__init__.py"
            return _spec(fullname, SourceLoader(fullname, init), init, True)
        if f"{name}.py" in names:
            return _spec(fullname, SourceLoader(fullname, f"{path}.py"), f"{path}.py", False)
        if f"{name}.pyc" in names:
            loader = machinery.SourcelessFileLoader(fullname, f"{path}.pyc")
            return _spec(fullname, loader, f"{path}.pyc", False)
        if native := _native(name, names):
            native = f"{self.path}/{native}"
            return _spec(fullname, NativeLoader(fullname, native), native, False)
        if name in names and os.path.isdir(path):
            return _namespace(fullname, path)
        return None

    def invalidate_caches(self):
        self._names = None


def _spec(name, loader, path, package):
    spec = machinery.ModuleSpec(name, loader, origin=path, is_package=package)
    spec.has_location = True
    # Else it would work out a place in `__pycache__`.
    spec.cached = path
    if package:
        spec.submodule_search_locations[:] = [path.rpartition("/")[0]]
    return spec


def _namespace(name, path):
    spec = machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations[:] = [path]
    return spec


def _native(name, names):
    for each in names:
        if each.startswith(name) and each.endswith(_NATIVE):
            middle = each[len(name) : each.rindex(".")]
            if not middle or middle[0] == "." and middle[1:].startswith(_NATIVE_TAGS):
                return each
    return None


def _hook(path):
    if path.startswith(("/var/task", "/opt/")) and not path.endswith((".zip", ".egg", ".whl")):
        return FolderFinder(path)
    raise ImportError(path=path)


def install(core):
    """In the snapshot: after everything is imported. `core` cannot be replaced."""
    global _coverable
    keep = core | set(sys.builtin_module_names) | {"_lamina", "lamina_app", "wit_world", "componentize_py_types"}
    _coverable = frozenset(name for name in sys.modules if "." not in name and name not in keep)
    sys.path_hooks.insert(0, _hook)
    sys.path[:] = [TASK, *LAYERS]
    sys.path_importer_cache.clear()
    sys.path_importer_cache[TASK] = FolderFinder(TASK)


def open_bundle(data):
    """Serves modules from it from now on; of one that cannot be read the sources serve."""
    global _folders, _bytes, _base
    if not data or not data.startswith(_MAGIC):
        return
    try:
        start = len(_MAGIC)
        size = int.from_bytes(data[start : start + 4], "little")
        tag, folders = marshal.loads(data[start + 4 : start + 4 + size])
        if tag == sys.version and isinstance(folders, dict):
            _folders, _bytes, _base = folders, data, start + 4 + size
    except (ValueError, EOFError, TypeError):
        pass


def close_bundle():
    """Serves modules from the sources again."""
    global _folders, _bytes, _base
    _folders, _bytes, _base = None, b"", 0


def bundled(folder):
    """The modules of one folder by the bundle; none when it does not know the folder."""
    modules = _folders.get(folder)
    if type(modules) is tuple:
        modules = _read(*modules)
        _folders[folder] = modules if isinstance(modules, dict) else None
    return _folders.get(folder)


def _read(start, end):
    """What stands at a place of the bundle; none when it is damaged."""
    try:
        return marshal.loads(memoryview(_bytes)[_base + start : _base + end])
    except (ValueError, EOFError, TypeError):
        return None


def extend(own):
    """The folders of the function's own PYTHONPATH: behind its package, as CPython has
    them behind the program's folder. Relative ones begin at the package."""
    sys.path[1:1] = [os.path.normpath(os.path.join(TASK, each)) for each in own.split(":") if each]


def uncover():
    """An author's module stands in for one of the library, as it would on Lambda."""
    if _folders is not None:
        names = (bundled(TASK) or {}).keys()
    else:
        names = {entry.partition(".")[0] for entry in sys.path_importer_cache[TASK].names()}
    for name in _coverable & names:
        for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[loaded]


def direct(name):
    """Imports a module that lies in the bundle's first folder, as an import would but
    without the search; none where there may be anything to search for."""
    entry = (bundled(TASK) or {}).get(name) if _folders is not None else None
    if entry is None or entry[0] != "module" or name in sys.modules or sys.path[0] != TASK:
        return None
    path = f"{TASK}/{entry[1]}"
    loader = BundleLoader(name, path, *entry[2:])
    module = type(sys)(name)
    vars(module).update(
        __file__=path, __loader__=loader, __package__="", __spec__=_spec(name, loader, path, False), __builtins__=builtins
    )
    sys.modules[name] = module
    try:
        exec(loader.get_code(name), vars(module))
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules.get(name, module)


def derive():
    """The bundle of what lies at `/var/task`."""
    folders, codes = {}, []
    budget = {"files": _FILES_MAX, "bytes": _TOTAL_BYTES_MAX, "at": 0}
    _derive(TASK, folders, codes, budget, 0)
    places = {}
    for folder, modules in folders.items():
        if modules:
            written = marshal.dumps(modules)
            places[folder] = (budget["at"], budget["at"] + len(written))
            budget["at"] += len(written)
            codes.append(written)
        else:
            # Data only: known, so that nobody looks into it.
            places[folder] = {}
    return packed(places, codes)


def packed(places, codes):
    """A bundle's bytes: where the modules of each folder stand, and what stands there."""
    head = marshal.dumps((sys.version, places))
    return b"".join([_MAGIC, len(head).to_bytes(4, "little"), head, *codes])


def _derive(folder, folders, codes, budget, depth):
    """Answers whether there are modules in it or below."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return False
    modules = folders[folder] = {}
    for name in names:
        stem, dot, end = name.rpartition(".")
        path = f"{folder}/{name}"
        if end == "py" and dot and stem.isidentifier() and os.path.isfile(path):
            kind, start, finish = _compiled(path, codes, budget)
            modules[stem] = ("module" if kind else "source", name, start, finish)
        elif end == "pyc" and dot and stem.isidentifier():
            modules.setdefault(stem, ("compiled", name, 0, 0))
        elif end in ("so", "pyd") and dot:
            short = name.partition(".")[0]
            if _native(short, (name,)):
                modules.setdefault(short, ("native", name, 0, 0))
    for name in names:
        path = f"{folder}/{name}"
        if not name.isidentifier() or name == "__pycache__" or depth >= _DEPTH_MAX or not os.path.isdir(path):
            continue
        _derive(path, folders, codes, budget, depth + 1)
        inner = folders[path]
        if "__init__" in inner:
            kind, _, start, finish = inner["__init__"]
            if kind in ("module", "source"):
                kind = "package" if kind == "module" else "source package"
                modules[name] = (kind, f"{name}/__init__.py", start, finish)
        elif name not in modules:
            modules[name] = ("namespace", name, 0, 0)
    return True


def _compiled(path, codes, budget):
    if budget["files"] <= 0 or budget["bytes"] <= 0:
        return False, 0, 0
    budget["files"] -= 1
    try:
        if os.stat(path).st_size > _SOURCE_BYTES_MAX:
            return False, 0, 0
        with open(path, "rb") as file:
            source = file.read()
        code = marshal.dumps(compile(source, path, "exec", dont_inherit=True, optimize=0))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        # The import says what is wrong with it.
        return False, 0, 0
    start = budget["at"]
    budget["at"] = end = start + len(code)
    budget["bytes"] -= len(code)
    codes.append(code)
    return True, start, end

"""The standard library without files: code in memory, loaded when it is imported.

While the component is built the library lies at `/python`. Each module is compiled and
kept as bytes, a few megabytes of memory that an instance does not touch until it imports
one. Those that are imported by then are kept as well: some packages load a module of the
library once more, by its `__spec__`, to have one of their own (`markdown` does).
"""

import importlib.abc
import importlib.machinery
import marshal
import os
import sys

ROOT = "/python"
# Not for functions: tests, a graphical editor, installers, a demo.
_LEFT_OUT = frozenset(
    "ensurepip idlelib lib-dynload lib2to3 pydoc_data site-packages test tests tkinter turtle turtledemo venv".split()
)

# Name to (is a package, path, code).
_modules = {}


def gather():
    """In the snapshot, once everything else is imported."""
    _walk(ROOT, "")
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        # Its loader would read a file that is gone.
        if name in _modules and spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = module.__loader__ = Finder


def provide(name, path):
    """Takes in one more module from a file of the build."""
    with open(path, "rb") as file:
        _keep(name, os.path.basename(path) == "__init__.py", path, file.read())


def _walk(folder, prefix):
    for entry in sorted(os.listdir(folder)):
        path = f"{folder}/{entry}"
        if entry in _LEFT_OUT or entry.startswith("config-"):
            continue
        if entry.endswith(".py"):
            name = entry.removesuffix(".py")
            package = name == "__init__"
            full = prefix.rstrip(".") if package else prefix + name
            if full:
                with open(path, "rb") as file:
                    _keep(full, package, path, file.read())
        elif os.path.isfile(f"{path}/__init__.py"):
            _walk(path, f"{prefix}{entry}.")


def _keep(name, package, path, source):
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError:
        # A template that only looks like a module.
        return
    _modules[name] = (package, path, marshal.dumps(code))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Asked last, as the library comes after the author's paths on Lambda."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        found = _modules.get(name)
        if found is None:
            return None
        package, origin, _ = found
        spec = importlib.machinery.ModuleSpec(name, Finder, origin=origin, is_package=package)
        if package:
            spec.submodule_search_locations[:] = [origin.rpartition("/")[0]]
        spec.has_location = True
        return spec

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(Finder.get_code(module.__name__), vars(module))

    @staticmethod
    def is_package(name):
        return _modules[name][0]

    @staticmethod
    def get_code(name):
        return marshal.loads(_modules[name][2])

    @staticmethod
    def get_source(name):
        return None

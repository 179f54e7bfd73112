"""SnapStart: the author's hooks, and what must be new in every instance.

The hooks are registered by `snapshot_restore_py`, Lambda's module of that name, which
the runtime has and a package may bring.
"""

import gc
import io
import os
import sys
import tempfile
import types
import uuid

from wit_world.imports import environment, preopens

from . import instance, memory
from .errors import Fault

NAME = "snapshot_restore_py"
_before = []
_after = []
# Kept for the life of the instance: see `reopen`.
_directories = []


def install():
    """In the snapshot: the module, for packages that bring none."""
    module = types.ModuleType(NAME, "Hooks before a snapshot and after a restore.")

    def register_before_snapshot(func, *args, **kwargs):
        """Runs `func` before the snapshot; what was registered last runs first."""
        _before.append((func, args, kwargs))
        return func

    def register_after_restore(func, *args, **kwargs):
        """Runs `func` in every instance, in the order of registration."""
        _after.append((func, args, kwargs))
        return func

    vars(module).update(
        register_before_snapshot=register_before_snapshot,
        register_after_restore=register_after_restore,
        get_before_snapshot=lambda: _before,
        get_after_restore=lambda: _after,
    )
    return module


def run_before():
    """The hooks before a snapshot; refuses what a snapshot cannot hold."""
    hooks = _registered("get_before_snapshot")
    while hooks:
        func, args, kwargs = hooks.pop()
        func(*args, **kwargs)
    gc.collect()
    for value in gc.get_objects():
        if isinstance(value, io.FileIO) and not value.closed:
            raise Fault(
                "Runtime.BeforeSnapshotError",
                f"a snapshot cannot hold an open file: {value.name!r} was opened and not closed; "
                "close it in the module, or by a hook of register_before_snapshot",
            )
    gc.freeze()
    try:
        memory.seal(memory.room())
    except MemoryError:
        # It costs the calls a little more.
        pass


def run_after():
    """What a snapshot froze, anew; then the hooks after a restore."""
    reopen()
    renew()
    for func, args, kwargs in list(_registered("get_after_restore")):
        func(*args, **kwargs)


def reopen():
    """Gives the C library its directories back.

    It asked for them when the first file was touched, and keeps their handles, which a
    snapshot does not hold. They were the first handles of that instance; asked for in
    a new one before anything else, they get the same numbers.
    """
    _directories.extend(descriptor for descriptor, _ in preopens.get_directories())


def renew():
    """Environment, randomness and ids of this instance alone."""
    # What is as it was is not written: that would be a page for each instance.
    fresh, known = dict(environment.get_environment()), os.environ
    for name, value in fresh.items():
        if known.get(name) != value:
            known[name] = value
    if len(known) != len(fresh):
        for name in [name for name in known if name not in fresh]:
            del known[name]
    instance.renew_randomness()
    if uuid._node is not None or uuid._last_timestamp is not None:
        uuid._node = uuid._last_timestamp = None
    if tempfile._name_sequence is not None:
        tempfile._name_sequence = None


def _registered(getter):
    module = sys.modules.get(NAME)
    return getattr(module, getter)() if module is not None else []

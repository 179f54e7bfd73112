"""What componentize-py gives every handle of the host: `weakref.finalize`, which writes
to its own class each time, and so to pages that nobody else touches.
"""

import weakref

from . import instance

_alive = set()


class Finalizer:
    """As much of `weakref.finalize` as handles need."""

    __slots__ = ("_arguments", "_reference", "_work")

    def __init__(self, value, work, *arguments):
        self._reference = weakref.ref(value, self)
        self._work = work
        self._arguments = arguments
        _alive.add(self)

    def __call__(self, _=None):
        if self in _alive:
            _alive.discard(self)
            self._work(*self._arguments)

    def detach(self):
        """What it would have done; not any more."""
        value = self._reference()
        if value is None or self not in _alive:
            return None
        _alive.discard(self)
        return value, self._work, self._arguments, {}


def install():
    """In the snapshot, when nothing but componentize-py will ask for `finalize`."""
    global _alive
    _alive = set()
    instance.once(weakref, "finalize", lambda: Finalizer)

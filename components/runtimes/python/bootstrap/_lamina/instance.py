"""What componentize-py does for each instance before its first call, made cheap.

It sets every variable by `os.environ[...]`, and calls what `random.seed` was when the
component was built. CPython's own take 0.4 ms for that, of 2.
"""

import os
import random
import sys
import types


class Environment(os._Environ):
    """`os.environ` of text. The C library, which nothing here asks, is not told."""

    def __init__(self):
        super().__init__({}, _text, str, _text, str)

    def __setitem__(self, key, value):
        if type(key) is not str or type(value) is not str:
            key, value = _text(key), _text(value)
        self._data[key] = value

    def __delitem__(self, key):
        key = _text(key)
        try:
            del self._data[key]
        except KeyError:
            raise KeyError(key) from None


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"str expected, not {type(value).__name__}")
    return value


class _Unseeded(types.ModuleType):
    """The module `random` until somebody touches it: then it is seeded."""

    def __getattribute__(self, name):
        if _armed:
            _armed.clear()
            self.__class__ = types.ModuleType
            random.seed()
        return types.ModuleType.__getattribute__(self, name)


unseeded = _Unseeded.__getattribute__
# What is not needed any more: nothing becomes free behind what is sealed.
_kept = []
# Not empty in an instance whose `random` is not seeded yet.
_armed = []


def once(module, name, answer):
    """The next one to ask the module for the name gets what `answer` makes."""

    class Asked(types.ModuleType):
        def __getattribute__(self, asked):
            if asked != name:
                return kind.__getattribute__(self, asked)
            self.__class__ = kind
            return answer()

    kind = module.__class__
    module.__class__ = Asked
    _kept.append(Asked)


def install():
    """In the snapshot, last but for the memory's own settings."""
    global _armed
    _armed = []
    _kept.extend((os.environ, os.environb))
    os.environ = Environment()
    os.environb = os._Environ(os.environ._data, os.fsdecode, os.fsencode, os.fsdecode, os.fsencode)
    _check_nobody_kept_a_method()
    seed = random.seed
    module = sys.modules["random"]

    def arm():
        vars(module)["seed"] = seed
        _armed.append(True)

    random.seed = arm
    module.__class__ = _Unseeded


def _check_nobody_kept_a_method():
    # `from random import choice` in the snapshot would go on with the build's numbers.
    for name, module in list(sys.modules.items()):
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__self__", None) is random._inst and name != "random":
                raise RuntimeError(f"{name}.{attribute} is a method of random's own generator")


def is_unseeded():
    """Whether `random` waits for somebody to touch it."""
    return type(sys.modules["random"]) is _Unseeded


def renew_randomness():
    """After a restore. One that nobody has touched is seeded when somebody does."""
    if not _armed:
        random.seed()

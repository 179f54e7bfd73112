"""Small calls while the component is built: the interpreter then has specialized what
every call runs, and its caches know the names. An instance would write them anew.
"""

import marshal
import os
import sys

from componentize_py_types import Ok
from wit_world.imports import environment, managed_host, preopens
from wit_world.imports.lamina_function_types import Context
from wit_world.imports.response import ResponseWriter

from . import handler, handles, instance, logs, packages
from .world import WitWorld

# CPython specializes code after some runs of it.
CALLS = 40
_NAME = "lamina_rehearsal"
_SOURCE = """
import json
import logging
import os

logger = logging.getLogger()

def handler(event, context):
    print("Hello")
    logger.warning("Hello")
    return {"message": "Hello, world!"}
"""


def rehearse(calls=CALLS):
    """Leaves nothing behind that a function could see."""
    # The build's own, which is no function's.
    os.environ.pop("PYTHONPATH", None)
    bundle = _bundle()
    kept = managed_host.bundle, managed_host.log, environment.get_environment, preopens.get_directories
    managed_host.bundle, managed_host.log = lambda: bundle, lambda message: None
    environment.get_environment, preopens.get_directories = _environment, lambda: []
    # Seeds that the build makes are no instance's.
    instance._armed.append(True)
    facts = Context("id", _NAME, "$LATEST", "arn", 128, 0, "group", "stream", "trace", None, None)
    for _ in range(calls):
        Ok(WitWorld().after_restore())
    del os.environ[_NAME]
    for _ in range(calls):
        _call(facts)
    managed_host.bundle, managed_host.log, environment.get_environment, preopens.get_directories = kept
    instance._armed.clear()
    packages.close_bundle()
    handler.function = None
    logs.request_id = ""


def _environment():
    """One of an instance that differs in one value, as they do."""
    fresh = dict(os.environ)
    fresh[_NAME] = "other" if fresh.get(_NAME) == "value" else "value"
    return list(fresh.items())


def _call(facts):
    os.environ[_NAME] = "value"
    Ok(WitWorld().preload(f"{_NAME}.handler"))
    writer = ResponseWriter.__new__(ResponseWriter)
    writer.handle = 0
    writer.finalizer = handles.Finalizer(writer, int, 0)
    Ok(WitWorld().handle(b'{"name": ["value", 1, 2.5, true, null]}', facts, writer))
    del sys.modules[_NAME], os.environ[_NAME]


def _bundle():
    path = f"{packages.TASK}/{_NAME}.py"
    code = marshal.dumps(compile(_SOURCE, path, "exec", dont_inherit=True, optimize=0))
    modules = marshal.dumps({_NAME: ("module", f"{_NAME}.py", 0, len(code))})
    return packages.packed({packages.TASK: (len(code), len(code) + len(modules))}, [code, modules])

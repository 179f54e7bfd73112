"""Small calls while the component is built: the interpreter then has specialized what
every call runs, and its caches know the names. An instance would write them anew.
"""

import marshal
import os
import sys

from wit_world.imports.lamina_function_types import Context

from . import handler, logs, packages
from .world import _guarded

# CPython specializes code after some runs of it.
_CALLS = 40
_NAME = "lamina_rehearsal"
_SOURCE = "import json\n\ndef handler(event, context):\n    return {'message': 'Hello, world!'}\n"


def rehearse():
    """Leaves nothing behind that a function could see."""
    bundle = _bundle()
    facts = Context("id", _NAME, "$LATEST", "arn", 128, 0, "group", "stream", "trace", None, None)
    for _ in range(_CALLS):
        os.environ[_NAME] = "value"
        logs.configure()
        packages.open_bundle(bundle)
        _guarded(handler.load, f"{_NAME}.handler")
        logs.request_id = facts.request_id
        _guarded(handler.call, b'{"name": ["value", 1, 2.5, true, null]}', facts, None)
        del sys.modules[_NAME], os.environ[_NAME]
    packages.close_bundle()
    handler.function = None
    logs.request_id = ""


def _bundle():
    path = f"{packages.TASK}/{_NAME}.py"
    code = marshal.dumps(compile(_SOURCE, path, "exec", dont_inherit=True, optimize=0))
    modules = marshal.dumps({_NAME: ("module", f"{_NAME}.py", 0, len(code))})
    return packages.packed({packages.TASK: (len(code), len(code) + len(modules))}, [code, modules])

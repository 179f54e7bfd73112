"""Finds the handler, and calls it."""

import asyncio
import importlib
import os
import sys
import types

from . import answer, errors, packages, stream
from .context import Context
from .errors import Fault

function = None


def load(name):
    """Imports the handler's module and finds the function in it."""
    global function
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    if module_name.partition(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    packages.uncover()
    if own := os.environ.get("PYTHONPATH"):
        packages.extend(own)
    try:
        # Where relative paths begin; without a package there is none.
        os.chdir(packages.TASK)
    except OSError:
        pass
    try:
        path = module_name.replace("/", ".")
        module = packages.direct(path) or importlib.import_module(path)
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {errors.text(error)}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    try:
        # Else what caches look-ups would keep each call's own text.
        function = getattr(module, sys.intern(function_name))
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None


def call(event, facts, writer):
    """The answer's bytes, or none when it was streamed."""
    context = Context(facts)
    result = function(answer.read(event), context)
    if isinstance(result, types.CoroutineType):
        result = asyncio.run(result)
    if stream.is_stream(result):
        stream.send(result, writer)
        return None
    return answer.write(result)

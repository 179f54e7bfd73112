"""The world's exports: `wit/managed.wit`.

componentize-py makes an object of the class for each export, so state is in modules.
"""

import sys

from componentize_py_types import Err
from wit_world.imports import managed_host
from wit_world.imports.lamina_function_types import FunctionError

from . import errors, handler, hooks, logs, packages


def _fail(failure):
    logs.failed(failure)
    logs.flush()
    raise Err(FunctionError(failure.kind, failure.message, failure.trace))


def _guarded(work, *arguments):
    """Runs the author's code: whatever it raises ends as a failure, logged."""
    failure = None
    try:
        result = work(*arguments)
    except Exception as error:
        failure = errors.of(error)
    except BaseException as error:
        failure = _ended(error)
    if failure is not None:
        _fail(failure)
    logs.flush()
    return result


def _ended(error):
    """The process's end, had it been one."""
    if not isinstance(error, SystemExit):
        logs.interrupted(error)
    elif error.code is not None and not isinstance(error.code, int):
        print(error.code, file=sys.stderr)
    return errors.exited(error, logs.request_id)


class WitWorld:
    """The exports."""

    def preload(self, handler_name):
        logs.configure()
        packages.open_bundle(managed_host.bundle())
        _guarded(handler.load, handler_name)

    def handle(self, event, context, response):
        logs.request_id = context.request_id
        return _guarded(handler.call, event, context, response)

    def before_snapshot(self):
        _guarded(hooks.run_before)

    def after_restore(self):
        _guarded(hooks.run_after)

    def derive(self, handler_name):
        return packages.derive()

"""What went wrong, in Lambda's words: type, message, and the author's own lines.

The text for the log is made here too. Rules: Lambda reference, failures as the caller
sees them; `logs` writes the lines.
"""

import os
import traceback

from . import advice

_OWN = os.path.dirname(__file__)
# Frames of the bootstrap and of the import system are not the author's.
_HIDDEN = (_OWN, "<frozen importlib", "/python/importlib/")
# What the bootstrap calls a handler through.
_CALLERS = ("/python/asyncio/", "/python/contextlib.py")
# What people read of a chain of causes, and of one cause.
_CAUSES_MAX = 10
_FRAMES_MAX = 200


class Fault(Exception):
    """An error of Lambda's own, with the type that callers see."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = list(trace)


class Failure:
    """A failure as the caller and the log see it."""

    __slots__ = ("kind", "message", "trace", "causes")

    def __init__(self, kind, message, trace=(), causes=()):
        self.kind = kind
        self.message = message
        self.trace = list(trace)
        self.causes = list(causes)

    def lines(self):
        """The event of the log, line by line; indents are U+00A0, as Lambda writes them."""
        yield "[ERROR]" + (f" {self.kind}" if self.kind else "") + (f": {self.message}" if self.message else "")
        yield "Traceback (most recent call last):"
        yield from map(_indented, self._frames(self.trace))
        for kind, message, trace in self.causes:
            yield f"Caused by {kind}: {message}" if message else f"Caused by {kind}"
            yield from map(_indented, self._frames(trace))

    @staticmethod
    def _frames(trace):
        for frame in trace:
            yield from frame.splitlines() or [""]


def _indented(line):
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


def of(error):
    """The failure that an exception is."""
    if isinstance(error, Fault):
        return Failure(error.kind, error.message, error.trace)
    return Failure(type(error).__name__, text(error), frames(error.__traceback__), _causes(error))


def text(error):
    """An exception's message; an exception may fail to say it."""
    try:
        return str(error) + advice.of(error)
    except Exception as other:
        return f"<the exception's message cannot be had: {type(other).__name__}>"


def frames(trace):
    """The author's lines of a traceback, outermost first."""
    try:
        summary = traceback.extract_tb(trace)
    except Exception:
        return []
    shown = [frame for frame in summary if not frame.filename.startswith(_HIDDEN)]
    while shown and shown[0].filename.startswith(_CALLERS):
        del shown[0]
    if len(shown) > _FRAMES_MAX:
        # Both ends of a recursion say more than its middle.
        half = _FRAMES_MAX // 2
        left_out = f"  ... {len(shown) - 2 * half} more frames ...\n"
        return [*_listed(shown[:half]), left_out, *_listed(shown[-half:])]
    return _listed(shown)


def _listed(shown):
    # As Lambda lists them: without the markers under a line.
    return traceback.format_list([(each.filename, each.lineno, each.name, each.line) for each in shown])


def _causes(error):
    seen, found = {id(error)}, []
    while len(found) < _CAUSES_MAX:
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is None or id(error) in seen:
            break
        seen.add(id(error))
        found.append((type(error).__name__, text(error), frames(error.__traceback__)))
    return found


def exited(error, request_id):
    """The failure that the end of the process is on Lambda: `sys.exit`, or an exception
    that a handler's caller does not catch there."""
    code = error.code if isinstance(error, SystemExit) else 1
    if code is None or code == 0:
        said = "Runtime exited without providing a reason"
    else:
        status = code & 0xFF if isinstance(code, int) else 1
        said = f"Runtime exited with error: exit status {status}"
    prefix = f"RequestId: {request_id} Error: " if request_id else ""
    return Failure("Runtime.ExitError", prefix + said)

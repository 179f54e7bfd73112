"""Logging as Lambda sets it up, and where `print` goes.

Every line, and every event of `logging`, is one call of the host's `log`, in the order
in which they were made. No stream of WASI is opened for it: its handle would not
survive a snapshot.
"""

import io
import json
import logging
import os
import sys
import time
import traceback
from datetime import datetime, timezone

from wit_world.imports import managed_host

from . import errors

# A line without an end is passed on when it has grown to this.
_PARTIAL_BYTES_MAX = 64 << 10
# Members of a record that are not the author's own.
_KNOWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "aws_request_id", "message", "asctime", "tenant_id",
}  # fmt: skip

request_id = ""


def event(text):
    """One event of the log, after what was printed before it."""
    for raw in _OUTPUTS:
        if raw.held:
            raw.pass_on()
    managed_host.log(text.removesuffix("\n"))


class _Output(io.RawIOBase):
    """Standard output or standard error: whole lines are passed on at once."""

    def __init__(self, descriptor, name):
        super().__init__()
        self.held = bytearray()
        self._descriptor = descriptor
        self.name = name
        self.mode = "w"

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def isatty(self):
        return False

    def write(self, data):
        data = bytes(data)
        if data == b"\n":
            managed_host.log(self.held.decode("utf-8", "replace"))
            self.held.clear()
            return 1
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self.held) + lines[0]
            self.held.clear()
            for line in lines:
                managed_host.log(line.decode("utf-8", "replace"))
        self.held += rest
        if len(self.held) >= _PARTIAL_BYTES_MAX:
            self.pass_on()
        return len(data)

    def pass_on(self):
        """What has no end yet becomes a line."""
        if self.held:
            held = bytes(self.held)
            self.held.clear()
            managed_host.log(held.decode("utf-8", "replace"))


_OUTPUTS = (_Output(1, "<stdout>"), _Output(2, "<stderr>"))
# The text layers of both, whatever the author puts in `sys`.
_texts = []


def flush():
    """At the end of a call: nothing that was printed stays behind."""
    for stream in (sys.stdout, sys.stderr):
        if stream not in _texts:
            try:
                stream.flush()
            except Exception:
                # The author's own object, and his own error.
                pass
    for raw in _OUTPUTS:
        if raw.held:
            raw.pass_on()


class _Text(io.TextIOWrapper):
    """Nothing closes it: a program that does so at its end must not lose later lines."""

    def close(self):
        pass


class Handler(logging.Handler):
    """The root logger's handler."""

    log_sink = None

    def emit(self, record):
        try:
            event(self.format(record))
        except Exception:
            self.handleError(record)


class _RequestId(logging.Filter):
    def filter(self, record):
        record.aws_request_id = request_id
        return True


class JsonFormatter(logging.Formatter):
    """Lambda's JSON: its members first, then those of `extra`."""

    def format(self, record):
        failure = record.exc_info or None
        members = {
            "timestamp": timestamp(record.created),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(failure[2]) if failure else None,
            "errorType": failure[0].__name__ if failure and failure[0] else None,
            "errorMessage": str(failure[1]) if failure else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if failure else None,
        }
        for name, value in vars(record).items():
            if name not in _KNOWN and name not in members:
                members[name] = value
        members = {name: value for name, value in members.items() if value is not None}
        return json.dumps(members, ensure_ascii=False, default=str)


def timestamp(seconds):
    """UTC with milliseconds, as Lambda writes it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


_TEXT = logging.Formatter(
    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
)
_HANDLER = Handler()
_state = {"json": False}


def install():
    """In the snapshot: the handler of the root logger, in Lambda's text form."""
    logging.Formatter.converter = time.gmtime
    _HANDLER.addFilter(_RequestId())
    _HANDLER.setFormatter(_TEXT)
    root = logging.getLogger()
    root.handlers[:] = [_HANDLER]
    # Neither the text layer nor anything below it buffers.
    for raw, errors_of in zip(_OUTPUTS, ("strict", "backslashreplace")):
        _texts.append(_Text(raw, encoding="utf-8", errors=errors_of, newline="\n", write_through=True))
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = _texts


def configure():
    """For this instance: the form and level that its environment asks for."""
    settings = os.environ._data
    if settings.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        _state["json"] = True
        _HANDLER.setFormatter(JsonFormatter())
    level = settings.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if level:
        level = {"TRACE": "DEBUG"}.get(level, level)
        if level in logging.getLevelNamesMapping():
            logging.getLogger().setLevel(level)


def failed(failure):
    """The event of a failure that ended the call."""
    if not _state["json"]:
        event("\n".join(failure.lines()))
        return
    members = {
        "timestamp": timestamp(time.time()),
        "level": "ERROR",
        "errorMessage": failure.message,
        "errorType": failure.kind,
        "requestId": request_id,
        "stackTrace": failure.trace,
    }
    if failure.causes:
        members["causes"] = [
            {"errorType": kind, "errorMessage": message, "stackTrace": trace} for kind, message, trace in failure.causes
        ]
    event(json.dumps(members, ensure_ascii=False))


def interrupted(error):
    """What an interpreter prints when an exception ends it."""
    for line in traceback.format_exception_only(error):
        event(line)
    for frame in errors.frames(error.__traceback__):
        event(frame)

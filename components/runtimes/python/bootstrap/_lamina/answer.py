"""From the event's bytes to a value, and from what the handler returned to bytes.

As Lambda's own client does it: bytes pass as they are, a Decimal is a number, bytes
inside are text, a named tuple is an object.
"""

import collections
import functools
import json
import json.encoder
import sys
from decimal import Decimal

from .errors import Fault, text

_ENCODER = json.JSONEncoder(ensure_ascii=False)
# Whether a named tuple was made since the snapshot, so that there may be one in an
# answer. To look for one in every answer would take longer than most handlers.
_named_tuples = []


def install():
    """In the snapshot, when everything is imported."""
    make = collections.namedtuple

    def namedtuple(typename, field_names, *, rename=False, defaults=None, module=None):
        _named_tuples.append(typename)
        module = module or sys._getframemodulename(1) or "__main__"
        return make(typename, field_names, rename=rename, defaults=defaults, module=module)

    collections.namedtuple = functools.wraps(make)(namedtuple)


def read(event):
    """The event."""
    try:
        return json.loads(event.decode())
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


def write(value):
    """The answer's bytes."""
    if isinstance(value, bytes):
        return value
    try:
        if _named_tuples:
            try:
                value = _plain(value)
            except RecursionError:
                # The encoder says whether it is a circle.
                pass
        try:
            written = _ENCODER.encode(value)
        except TypeError:
            written = _slowly(value)
        try:
            return written.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair has no UTF-8, but has an escape.
            return json.dumps(json.loads(written)).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {text(error)}") from None


class _Number(float):
    """A number that keeps its digits."""

    __slots__ = ("digits",)


def _default(value):
    if isinstance(value, Decimal):
        number = _Number()
        number.digits = "NaN" if value.is_nan() else str(value)
        return number
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _float(value):
    if isinstance(value, _Number):
        return value.digits
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


def _slowly(value):
    # The encoder in C has no way to write a number with all its digits.
    string = json.encoder.encode_basestring
    encode = json.encoder._make_iterencode({}, _default, string, None, _float, ": ", ", ", False, False, True)
    return "".join(encode(value, 0))


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple) and callable(getattr(value, "_asdict", None)):
        return _plain(value._asdict())
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value

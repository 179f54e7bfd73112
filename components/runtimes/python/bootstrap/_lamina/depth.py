"""Ends of recursion: an exception where the engine's stack would end the instance.

CPython checks its own stack in linear memory (1 MiB here). What recurses without using
it is bounded by the engine's stack alone, 16 MiB: JSON that is nested some 30,000
levels deep, and freeing what is nested more than 40,000 levels.
"""

import json
import re
import sys

# Python calls, whatever `sys.setrecursionlimit` is given: their tracebacks, one object
# linked to the next, must be freed.
_CALLS_MAX = 50_000
_JSON_DEPTH_MAX = 20_000
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def _refuse_deep(text):
    depth = 0
    for found in _BRACKETS.finditer(text):
        character = found.group()
        if character in "[{":
            depth += 1
            if depth > _JSON_DEPTH_MAX:
                raise RecursionError("maximum recursion depth exceeded while decoding JSON")
        elif character in "]}":
            depth -= 1


def _quick_depth(text):
    """An upper bound that is cheap for what is wide: how often brackets cancel out."""
    brackets = re.sub(r"[^\[\]{}]+", "", text)
    for level in range(64):
        shorter = brackets.replace("[]", "").replace("{}", "")
        if len(shorter) == len(brackets):
            return level + len(brackets)
        brackets = shorter
    return 64 + len(brackets)


def install():
    """In the snapshot."""
    decoder = json.JSONDecoder
    decode = decoder.raw_decode
    set_limit = sys.setrecursionlimit

    def raw_decode(self, s, idx=0):
        if len(s) > 2 * _JSON_DEPTH_MAX and s.count("[") + s.count("{") > _JSON_DEPTH_MAX:
            if _quick_depth(s) > _JSON_DEPTH_MAX:
                _refuse_deep(s)
        return decode(self, s, idx)

    def setrecursionlimit(limit, /):
        """Sets the limit, to 50,000 at most in this runtime."""
        set_limit(min(limit, _CALLS_MAX) if isinstance(limit, int) else limit)

    decoder.raw_decode = raw_decode
    sys.setrecursionlimit = setrecursionlimit

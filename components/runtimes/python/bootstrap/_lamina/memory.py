"""The memory of the snapshot: what is free in it is taken, so that what an instance
allocates lies together. An instance pays for each page that it touches.
"""

import gc
import sys
import types

# What an instance has before it needs more.
ROOM_BYTES = 4 << 20
# For what every call runs and changes.
HOT_BYTES = 512 << 10
# For `immortal`: a bit for each place of an object there may be, and as much for notes.
NOTES_BYTES = 2 << 20
# Most blocks that are taken; what is over stays free.
_BLOCKS_MAX = 1 << 16
# Of a number that is not one of CPython's own.
_NUMBER = 1 << 20
# Objects that CPython keeps for reuse, of each kind: fewer.
_REUSED = 120
# Of `bytes`, before its own; it ends in a NUL.
_HEAD_BYTES = 17
# Blocks smaller than any `bytes` has.
_SMALLEST = 24

_kept = [None] * _BLOCKS_MAX
_count = 0
_reused = []
# What stays where something was moved from.
_moved = {}


def room(size=ROOM_BYTES):
    """Room that `seal` gives back; to be taken before what it is to lie before."""
    return [bytes(size)]


def seal(taken):
    """Gives the room back and takes all other free blocks: all comes from the room."""
    begin = id(taken[0])
    room = range(begin, begin + len(taken[0]))
    taken.clear()
    first = []
    # So that all that is kept of it here leaves much of it.
    size = len(room) // 8
    while size >= _SMALLEST:
        first.append(_fill(room, bytes, size - _HEAD_BYTES))
        size = size // 2 if size > 512 else size - 8
    first.append(_fill(room, object))
    for number in range(_REUSED):
        _reused.extend((_NUMBER + number, [], {number: number}, (number,), (number, number), (number, number, number)))
    # These themselves are in holes.
    _reused.extend((begin, room, first))
    first.clear()


def _fill(room, make, *arguments):
    """Answers the first block of the room; while it is kept, the others are smaller."""
    global _count
    while _count < _BLOCKS_MAX:
        block = make(*arguments)
        if id(block) in room:
            return block
        _kept[_count] = block
        _count += 1
    return None


def restless(work):
    """Functions whose code every `work` writes to: CPython counts how often what it
    cannot specialize was run."""
    functions = [value for value in gc.get_objects() if type(value) is types.FunctionType]
    before = [hash(each.__code__._co_code_adaptive) for each in functions]
    work()
    return [
        each
        for each, then in zip(functions, before)
        if each not in _moved and hash(each.__code__._co_code_adaptive) != then
    ]


def move_code(functions):
    """To where memory is taken from now. Calls of these are not specialized any more."""
    for function in functions:
        _moved.setdefault(function, []).append(function.__code__)
        function.__code__ = function.__code__.replace()


def move_entries(table):
    """The same for a dict, but for its head."""
    entries = dict(table)
    size = sys.getsizeof(table) - sys.getsizeof({})
    table.clear()
    _moved[id(table)] = bytes(size - _HEAD_BYTES)
    table.update(entries)

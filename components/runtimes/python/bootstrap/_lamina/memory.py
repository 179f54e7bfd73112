"""The memory of the snapshot: what is free in it is taken, so that what an instance
allocates lies together. An instance pays for each page that it touches.
"""

import gc
import sys
import types

# What an instance has before it needs more.
ROOM_BYTES = 4 << 20
# For `immortal`: a bit for each place of an object there may be, and as much for notes.
NOTES_BYTES = 2 << 20
# Larger than any free block: it lies behind all of them.
_BARRIER_BYTES = 2 << 20
# Most blocks that are taken; what is over stays free.
_BLOCKS_MAX = 1 << 16
_LARGEST = 1 << 16
# Numbers that CPython keeps for reuse.
_NUMBERS = 60
# Of `bytes`, before its own; it ends in a NUL.
_HEAD_BYTES = 17
# Blocks smaller than any `bytes` has.
_SMALLEST = 24

_kept = [None] * _BLOCKS_MAX
_count = 0
# What stays where something was moved from.
_moved = []


def room(size=ROOM_BYTES):
    """Room that `seal` gives back; to be taken before what it is to lie before."""
    return bytearray(size)


def seal(taken=None):
    """Takes every free block, then gives the room back: all comes from there."""
    # The numbers that are made here lie in front of the barrier, so that nothing stays
    # behind it, and it becomes unused memory again.
    numbers = [_BARRIER_BYTES + number for number in range(_NUMBERS)]
    barrier = bytes(_BARRIER_BYTES)
    end = id(barrier)
    numbers.clear()
    behind = []
    size = _LARGEST
    while size >= _SMALLEST:
        behind.append(_fill(end, bytes, size - _HEAD_BYTES))
        size = size // 2 if size > 512 else size - 8
    behind.append(_fill(end, object))
    if taken is not None:
        taken.clear()


def _fill(end, make, *arguments):
    """Answers the first block behind the end; while it is kept, the next will not stand
    where it was."""
    global _count
    while _count < _BLOCKS_MAX:
        block = make(*arguments)
        if id(block) > end:
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
        if hash(each.__code__._co_code_adaptive) != then or _is_own(each)
    ]


def _is_own(function):
    """Whether it is the bootstrap's, and has run: it meets other things in an instance."""
    code = function.__code__
    return str(function.__module__).startswith("_lamina.") and code._co_code_adaptive != code.co_code


def move_code(functions):
    """To where memory is taken from now."""
    _moved.extend(each.__code__ for each in functions)
    for function in functions:
        function.__code__ = function.__code__.replace()


def move_entries(table):
    """The same for a dict, but for its head."""
    entries = dict(table)
    size = sys.getsizeof(table) - sys.getsizeof({})
    table.clear()
    _moved.append(bytes(size - _HEAD_BYTES))
    table.update(entries)

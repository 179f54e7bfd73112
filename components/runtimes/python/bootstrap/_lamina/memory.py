"""The memory of the snapshot: what is free in it is taken, so that what an instance
allocates lies together. An instance pays for each page that it touches.
"""

# What an instance has before it needs more.
ROOM_BYTES = 4 << 20
# Larger than any free block: it lies behind all of them.
_BARRIER_BYTES = 2 << 20
# Most blocks that are taken; what is over stays free.
_BLOCKS_MAX = 1 << 16
_LARGEST = 1 << 20
# Of `bytes`, before its own; it ends in a NUL.
_HEAD_BYTES = 17
# Blocks smaller than any `bytes` has.
_SMALLEST = 24

_kept = [None] * _BLOCKS_MAX
_count = 0


def room():
    """Room that `seal` gives back; to be taken before what it is to lie before."""
    return bytearray(ROOM_BYTES)


def seal(taken):
    """Takes every free block, then gives the room back: all comes from there."""
    barrier = bytes(_BARRIER_BYTES)
    end = id(barrier)
    size = _LARGEST
    while size >= _SMALLEST:
        _fill(end, bytes, size - _HEAD_BYTES)
        size = size // 2 if size > 512 else size - 8
    _fill(end, object)
    taken.clear()


def _fill(end, make, *arguments):
    global _count
    while _count < _BLOCKS_MAX:
        block = make(*arguments)
        if id(block) > end:
            return
        _kept[_count] = block
        _count += 1

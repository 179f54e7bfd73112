"""Tells the build where the snapshot's objects are, so that it can make them immortal:
a count of references that changes is a page that every instance has to copy.

`image.py` reads what `note` leaves in memory, and says how the two understand each
other. No object is made that would stay.
"""

import gc
import opcode
import types
import weakref

from . import memory

# Twice in a row it marks the notes; once is this very constant.
_MARK = b"lamina: objects;"
# Objects begin at multiples of it.
_ALIGNMENT = 8
_SEEN_BYTES = memory.NOTES_BYTES // 2
_HEAP_TYPE = 1 << 9

_DESCRIPTORS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.ClassMethodDescriptorType,
)
_CODE_PARTS = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")


def note(taken):
    """Leaves in the room, for when it is given back: two counts, what becomes of each
    operation, and addresses, of all objects that there are but those made here, and of
    all instructions that would write to their code when they run first."""
    place = _SEEN_BYTES
    words = memoryview(taken).cast("I")
    seen = memoryview(taken)[:_SEEN_BYTES]
    codes = []
    pending = gc.get_objects()
    for own in (taken, words, seen, codes, pending):
        _is_new(seen, id(own))
    table = _operations()
    # In place: what is put together elsewhere stays in memory, too.
    for part in (_MARK, _MARK, bytes(8), table):
        taken[place : place + len(part)] = part
        place += len(part)
    objects = at = place // 4
    counts = at - len(table) // 4 - 2
    while pending:
        value = pending.pop()
        if _is_new(seen, id(value)):
            words[at] = id(value)
            at += 1
            _reach(value, pending)
            if type(value) is types.CodeType:
                codes.append(value)
    instructions = at
    while codes:
        code = codes.pop()
        first = id(code) + types.CodeType.__basicsize__
        for offset in _changing(code, table):
            words[at] = first + offset
            at += 1
    words[counts] = instructions - objects
    words[counts + 1] = at - instructions
    words.release()
    seen[:] = bytes(_SEEN_BYTES)
    seen.release()


def _is_new(seen, address):
    place, bit = divmod(address // _ALIGNMENT, 8)
    if seen[place] >> bit & 1:
        return False
    seen[place] |= 1 << bit
    return True


def _reach(value, pending):
    """What the value holds. `gc.get_referents` leaves out what is in no cycle."""
    pending += gc.get_referents(value)
    kind = type(value)
    pending.append(kind)
    if kind.__weakrefoffset__:
        pending += weakref.getweakrefs(value)
    if issubclass(kind, dict):
        pending += dict.keys(value)
    elif kind is types.CodeType:
        pending += [getattr(value, part) for part in _CODE_PARTS]
    elif issubclass(kind, type):
        pending += gc.get_referents(type.__dict__["__dict__"].__get__(value))
        pending += (type.__dict__["__mro__"].__get__(value), type.__dict__["__bases__"].__get__(value))
        if type.__dict__["__flags__"].__get__(value) & _HEAP_TYPE:
            pending += (type.__dict__["__name__"].__get__(value), type.__dict__["__qualname__"].__get__(value))
    elif kind in _DESCRIPTORS:
        pending.append(value.__name__)


def _operations():
    """What every operation is to become, by its number."""
    table = bytearray(range(256))
    special = opcode._specialized_opmap
    # Whether a constant is immortal, code learns when it runs first; and that nobody
    # traces it.
    table[opcode.opmap["LOAD_CONST"]] = table[special["LOAD_CONST_MORTAL"]] = special["LOAD_CONST_IMMORTAL"]
    table[opcode.opmap["RESUME"]] = special["RESUME_CHECK"]
    return bytes(table)


def _changing(code, table):
    """Offsets of the instructions that become others."""
    # In the first, what instructions cache is zero.
    plain, now = code.co_code, code._co_code_adaptive
    offset, found = 0, []
    while offset < len(plain):
        if table[now[offset]] != now[offset]:
            found.append(offset)
        offset += 2 + 2 * opcode._inline_cache_entries.get(opcode.opname[plain[offset]], 0)
    return found

#!/usr/bin/env python3
"""Edits the memory that a component of Python begins with: every object in it becomes
immortal, so that no count of references changes and no page is written for one.

`bootstrap/_lamina/immortal.py` left the addresses in that memory; they are cleared.

usage: image.py COMPONENT
"""

import bisect
import struct
import sys

CORE_MODULE = 1  # of a component's sections
DATA = 11  # of a core module's
I32_CONST, END = 0x41, 0x0B

MARK = b"lamina: objects;" * 2
# CPython's Include/refcount.h for 32 bits.
IMMORTAL = 5 << 28
IMMORTAL_MINIMUM = 1 << 30
# Less than any address: where a pointer stands, an object was freed.
COUNT_MAX = 500_000
# Objects that lived while addresses were taken, and died before the build's end.
DEAD_MAX = 500
# What a component of CPython has at least.
OBJECTS_MIN = 50_000
# Zeros that are not worth a segment's head.
GAP = 64


class Unknown(Exception):
    """The component is not what this program was written for."""


def unsigned(data, at):
    """A number in LEB128, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def signed(data, at):
    """The same, of a number that has a sign."""
    value, end = unsigned(data, at)
    bits = 7 * (end - at)
    return (value - (1 << bits) if value >> (bits - 1) else value), end


def leb(value):
    """An unsigned number in LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value):
    """A signed one."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def sections(data):
    """Number and content of each section of a component or module."""
    at = 8
    while at < len(data):
        size, start = unsigned(data, at + 1)
        yield data[at], data[start : start + size]
        at = start + size


def section(number, content):
    """A section's bytes."""
    return bytes([number]) + leb(len(content)) + content


def loaded(content):
    """The memory that a data section makes, from its address 0 on."""
    count, at = unsigned(content, 0)
    memory = bytearray()
    for _ in range(count):
        if content[at] != 0 or content[at + 1] != I32_CONST:
            raise Unknown("a data segment without a constant place")
        place, at = signed(content, at + 2)
        if content[at] != END:
            raise Unknown("a data segment without a constant place")
        size, at = unsigned(content, at + 1)
        if len(memory) < place + size:
            memory.extend(bytes(place + size - len(memory)))
        memory[place : place + size] = content[at : at + size]
        at += size
    return memory


def saved(memory):
    """A data section that makes this memory."""
    segments = []
    gap = bytes(GAP)
    at = 0
    while True:
        # Whole gaps are skipped without looking at each byte.
        while memory.startswith(gap, at):
            at += GAP
        while at < len(memory) and memory[at] == 0:
            at += 1
        if at >= len(memory):
            break
        end = memory.find(gap, at)
        end = len(memory) if end < 0 else end
        content = bytes(memory[at:end])
        segments.append(b"\0" + bytes([I32_CONST]) + sleb(at) + bytes([END]) + leb(len(content)) + content)
        at = end
    return leb(len(segments)) + b"".join(segments)


def edited(memory):
    """Makes the objects of the notes immortal; answers how many."""
    at = memory.find(MARK)
    if at < 0 or memory.find(MARK, at + 1) >= 0:
        raise Unknown("the addresses are not there once")
    head = at + len(MARK)
    objects, instructions = struct.unpack_from("<2I", memory, head)
    table = bytes(memory[head + 8 : head + 264])
    first = head + 264
    end = first + 4 * (objects + instructions)
    addresses = struct.unpack_from(f"<{objects + instructions}I", memory, first)
    memory[at:end] = bytes(end - at)
    made = immortalized(memory, sorted(addresses[:objects]))
    for address in addresses[objects:]:
        memory[address] = table[memory[address]]
    return made


def immortalized(memory, addresses):
    """Sets the counts, having looked whether they are counts."""
    made = dead = 0
    for address in addresses:
        count, kind = struct.unpack_from("<2I", memory, address)
        place = bisect.bisect_left(addresses, kind)
        if count >= IMMORTAL_MINIMUM:
            continue
        if not 0 < count <= COUNT_MAX or place == len(addresses) or addresses[place] != kind:
            dead += 1
            continue
        struct.pack_into("<I", memory, address, IMMORTAL)
        made += 1
    print(f"image.py: {made} objects are immortal, {dead} were gone, {len(addresses)} in all", file=sys.stderr)
    if dead > DEAD_MAX or made < OBJECTS_MIN:
        raise Unknown("objects are not where they were said to be")
    return made


def module(content):
    """A core module with its memory edited; none when it has no data."""
    parts, found = [content[:8]], False
    for number, inner in sections(content):
        if number == DATA:
            memory = loaded(inner)
            edited(memory)
            inner, found = saved(memory), True
        parts.append(section(number, inner))
    return b"".join(parts) if found else None


def main():
    """Edits the file in place."""
    path = sys.argv[1]
    with open(path, "rb") as file:
        component = file.read()
    parts, found = [component[:8]], 0
    for number, content in sections(component):
        made = module(content) if number == CORE_MODULE else None
        found += made is not None
        parts.append(section(number, made or content))
    if found != 1:
        raise Unknown(f"{found} modules have data")
    with open(path, "wb") as file:
        file.write(b"".join(parts))


try:
    main()
except (Unknown, IndexError, struct.error) as error:
    print(f"image.py: {error}", file=sys.stderr)
    sys.exit(1)

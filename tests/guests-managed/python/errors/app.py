"""Handlers that fail."""

import json
import os
import re
import sys


class Declined(Exception):
    pass


class Last(BaseException):
    pass


class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")


def raises(event, context):
    raise Declined("card 42")


def empty(event, context):
    raise Declined


def inner(event, context):
    return json.loads("{")


def chained(event, context):
    try:
        {}["key"]
    except KeyError as error:
        raise Declined("outer") from error


def leaves(event, context):
    print("before")
    sys.exit(event)


def interrupts(event, context):
    raise KeyboardInterrupt


def last(event, context):
    raise Last("gone")


def mute(event, context):
    raise Mute


def group(event, context):
    raise ExceptionGroup("both", [ValueError("a"), TypeError("b")])


def recursion(event, context):
    return recursion(event, context)


def deep_json(event, context):
    return json.loads("[" * 100000 + "]" * 100000)


def deep_dump(event, context):
    value = []
    for _ in range(30000):
        value = [value]
    return value


def deep_repr(event, context):
    value = []
    for _ in range(40000):
        value = [value]
    return repr(value)


def deep_regex(event, context):
    return re.match("(" * 5000 + "a" + ")" * 5000, "a") and "matched"


def deep_parse(event, context):
    return eval("(" * 5000 + "1" + ")" * 5000)


def deep_ast(event, context):
    return eval("+".join(["1"] * 20000))


def deep_compare(event, context):
    a, b = [], []
    for _ in range(30000):
        a, b = [a], [b]
    return a == b


def deep_free(event, context):
    value = []
    for _ in range(30000):
        value = [value]
    del value
    return "freed"


def deep_method(event, context):
    class Node:
        def __getattr__(self, name):
            return getattr(self, name + "x")

    return Node().a


def deep_sort(event, context):
    def key(n):
        return sorted([n], key=key)

    return key(1)


def limit(event, context):
    sys.setrecursionlimit(10**6)

    def count(n):
        return n if n == 0 else 1 + count(n - 1)

    return count(event)


def limit_c(event, context):
    sys.setrecursionlimit(10**6)

    def count(n):
        return max([n], key=lambda _: n and count(n - 1))

    return count(event)


def memory(event, context):
    return len(bytearray(1 << 30))


def memory_slow(event, context):
    held = []
    while True:
        held.append("x" * 1000000)


def process_exit(event, context):
    os._exit(3)


async def later(event, context):
    raise Declined("later")


wrong_arguments = lambda event: event
not_callable = 3

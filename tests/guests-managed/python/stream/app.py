"""Handlers that stream."""

import asyncio


def words(event, context):
    yield "one "
    yield b"two "
    yield bytearray(b"three")


def page(event, context):
    yield {"statusCode": 201, "headers": {"content-type": "text/html", "x-many": ["a", "b"]}, "cookies": ["c=1"]}
    yield "<p>"
    yield "body"


def typed(event, context):
    yield {"contentType": "text/plain"}
    yield "text"


def empty(event, context):
    return
    yield


async def later(event, context):
    for n in range(3):
        await asyncio.sleep(0.001)
        yield f"{n};"


def generator(event, context):
    return (str(n) for n in range(3))


def breaks(event, context):
    yield "begun"
    raise ValueError("half-way")


def wrong_chunk(event, context):
    yield 3


def wrong_head(event, context):
    yield {"status": 200}
    yield "x"


def large(event, context):
    for _ in range(4):
        yield "x" * 50000


def gone(event, context):
    for n in range(5):
        yield "x" * 4000
    print("went on to the end")

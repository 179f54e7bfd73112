"""A handler that is a generator streams its answer.

What it yields are the chunks, str or bytes. A dict as the first of them is the head:
`{"statusCode": 200, "headers": {...}, "cookies": [...], "contentType": "..."}`, each
member optional.
"""

import asyncio
import types

from componentize_py_types import Err
from wit_world.imports import response as wit

_STREAMS = (types.GeneratorType, types.AsyncGeneratorType)
_MEMBERS = ("statusCode", "headers", "cookies", "contentType")


def is_stream(value):
    """Whether what the handler returned is streamed."""
    return isinstance(value, _STREAMS)


def send(chunks, writer):
    """Streams every chunk; a caller who leaves does not stop the function."""
    if isinstance(chunks, types.AsyncGeneratorType):
        asyncio.run(_send_later(chunks, writer))
        return
    body = None
    try:
        for chunk in chunks:
            body = _next(body, chunk, writer)
        _end(body, writer)
    finally:
        _release(body)


async def _send_later(chunks, writer):
    body = None
    try:
        async for chunk in chunks:
            body = _next(body, chunk, writer)
        _end(body, writer)
    finally:
        _release(body)


def _next(body, chunk, writer):
    if body is None:
        head = isinstance(chunk, dict)
        body = _Body(writer, _head(chunk) if head else wit.Head(None, None))
        if head:
            return body
    body.write(chunk)
    return body


def _end(body, writer):
    if body is None:
        _release(_Body(writer, wit.Head(None, None)))


def _release(body):
    if body is not None:
        body.release()


class _Body:
    def __init__(self, writer, head):
        self._stream = None
        try:
            self._stream = writer.start(head)
        except Err as error:
            if isinstance(error.value, wit.StartError_InvalidHead):
                raise ValueError(f"the head of the stream cannot be used: {error.value.value}") from None
            if not isinstance(error.value, wit.StartError_Closed):
                raise

    def write(self, chunk):
        if isinstance(chunk, str):
            data = chunk.encode()
        elif isinstance(chunk, (bytes, bytearray, memoryview)):
            data = bytes(chunk)
        else:
            raise TypeError(f"a streamed chunk is str or bytes, not {type(chunk).__name__}")
        at = 0
        try:
            while self._stream is not None and at < len(data):
                room = self._stream.check_write()
                if not room:
                    with self._stream.subscribe() as ready:
                        ready.block()
                    continue
                self._stream.write(data[at : at + room])
                at += room
            if self._stream is not None:
                self._stream.flush()
        except Err:
            # The caller is gone; the rest goes nowhere.
            self.release()

    def release(self):
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.__exit__(None, None, None)


def _head(members):
    unknown = [name for name in members if name not in _MEMBERS]
    if unknown:
        raise ValueError(f"the head of the stream has {unknown[0]!r}; it may have {', '.join(_MEMBERS)}")
    status = members.get("statusCode", 200)
    if not isinstance(status, int) or not 0 <= status < 65536:
        raise ValueError(f"the stream's statusCode is {status!r}; it is a number from 200 to 599")
    headers = []
    for name, value in dict(members.get("headers") or {}).items():
        values = value if isinstance(value, (list, tuple)) else [value]
        headers += [(str(name), str(each)) for each in values]
    cookies = [str(each) for each in members.get("cookies") or []]
    kind = members.get("contentType")
    if not members.keys() - {"contentType"}:
        return wit.Head(kind, None)
    return wit.Head(kind, wit.HttpPrelude(status, headers, cookies))

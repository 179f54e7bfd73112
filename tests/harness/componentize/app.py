"""An HTTP server on wasi:http, as people write them with componentize-py."""

import sys

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import types
from wit_world.imports.streams import StreamError_Closed


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: types.IncomingRequest, response_out: types.ResponseOutparam) -> None:
        target = request.path_with_query() or "/"
        method = type(request.method()).__name__.removeprefix("Method_").upper()
        if target.startswith("/fail"):
            raise ValueError("no answer from here")
        echoes = target.startswith("/echo")
        body = read(request) if echoes else [b"one\n", b"two\n", b"three\n"]
        headers = types.Fields.from_list(
            [
                ("content-type", b"text/plain"),
                ("x-method", method.encode()),
                ("x-target", target.encode()),
                ("x-python", ".".join(map(str, sys.version_info[:2])).encode()),
            ]
        )
        response = types.OutgoingResponse(headers)
        response.set_status_code(201 if echoes else 200)
        outgoing = response.body()
        types.ResponseOutparam.set(response_out, Ok(response))
        with outgoing.write() as stream:
            for piece in body:
                for at in range(0, len(piece), 4096):
                    stream.blocking_write_and_flush(piece[at : at + 4096])
        types.OutgoingBody.finish(outgoing, None)


def read(request: types.IncomingRequest) -> list[bytes]:
    pieces = []
    body = request.consume()
    with body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(65536))
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    break
                raise
    types.IncomingBody.finish(body)
    return pieces

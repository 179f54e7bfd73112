"""gRPC's own client on a function: all four kinds of calls, and an error.

Arguments: HOST:PORT, the function's authority, and perhaps the file of an
authority, for TLS, or `buffered`: then no answer comes before its call's end. A
message is a number as text.
"""

import queue
import sys

import grpc

target, authority, *more = sys.argv[1:]
buffered = more == ["buffered"]
roots = [] if buffered else more
options = [("grpc.default_authority", authority)]
if roots:
    with open(roots[0], "rb") as file:
        credentials = grpc.ssl_channel_credentials(root_certificates=file.read())
    options.append(("grpc.ssl_target_name_override", authority.rsplit(":", 1)[0]))
    channel = grpc.secure_channel(target, credentials, options=options)
else:
    channel = grpc.insecure_channel(target, options=options)

write, read = (lambda number: str(number).encode()), int
double = channel.unary_unary("/test.Talk/Double", write, read)
count = channel.unary_stream("/test.Talk/Count", write, read)
total = channel.stream_unary("/test.Talk/Sum", write, read)
chat = channel.stream_stream("/test.Talk/Chat", write, read)
fail = channel.unary_unary("/test.Talk/Fail", write, read)

assert double(21, timeout=60) == 42
assert total(iter(range(100)), timeout=60) == sum(range(100))
assert list(count(200, timeout=60)) == list(range(1, 201))

# Both directions at a time: the next message is sent when the last is answered.
messages = queue.Queue()
answers = chat(iter(messages.get, None), timeout=60)
for number in range(20):
    messages.put(number)
    assert buffered or next(answers) == 2 * number, number
messages.put(None)
assert list(answers) == ([2 * number for number in range(20)] if buffered else [])
assert answers.code() == grpc.StatusCode.OK

try:
    fail(1, timeout=60)
    raise AssertionError("it did not fail")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
    assert error.details() == "not today", error

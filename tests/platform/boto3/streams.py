"""InvokeWithResponseStream."""

import base64
import json
import pathlib
import sys
import time

import boto3
import botocore.exceptions

stream, whole = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")

for name, code in {"stream": stream, "whole": whole}.items():
    client.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="bootstrap.wasm",
        Code={"ZipFile": code},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def call(event, name="stream", **arguments):
    """The answer, its chunks with the times they came at, and its last event."""
    answer = client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event), **arguments)
    events = [(time.monotonic(), event) for event in answer["EventStream"]]
    assert [kind for _, event in events[:-1] for kind in event] == ["PayloadChunk"] * (len(events) - 1), events
    chunks = [(at, event["PayloadChunk"]["Payload"]) for at, event in events[:-1]]
    return answer, chunks, events[-1][1]["InvokeComplete"]


def joined(chunks):
    return b"".join(payload for _, payload in chunks)


# Chunks come while the function runs.
answer, chunks, end = call({"do": "chunks", "count": 3, "pause_ms": 300})
assert answer["ExecutedVersion"] == "$LATEST", answer
assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream", answer
assert len(chunks) == 3 and chunks[2][0] - chunks[0][0] > 0.3, chunks
assert end == {}, end
_, chunks, end = call({"do": "chunks", "count": 30, "bytes": 500_000})
assert len(joined(chunks)) >= 15_000_000, len(joined(chunks))

# The log, when it is asked for.
_, _, end = call({"do": "chunks", "count": 1}, LogType="Tail")
log = base64.b64decode(end["LogResult"]).decode()
assert log.startswith("START RequestId: ") and "\nREPORT RequestId: " in log, log

# What fails says so in the last event, and what came before stays.
for event, came, kind in [
    ({"do": "fail-before"}, b"", "Test.Failed"),
    ({"do": "fail-after"}, b"first", "Test.Failed"),
    ({"do": "panic-after"}, b"first", "Runtime.Panic"),
]:
    answer, chunks, end = call(event, LogType="Tail")
    assert joined(chunks) == came, (event, chunks)
    assert end["ErrorCode"] == "Unhandled", end
    assert json.loads(end["ErrorDetails"])["errorType"] == kind, end
    assert "REPORT RequestId: " in base64.b64decode(end["LogResult"]).decode(), end

# A prelude is passed on as it is, and eight NULs after it.
_, chunks, end = call({"do": "prelude"})
prelude, body = joined(chunks).split(b"\0" * 8)
prelude = json.loads(prelude)
assert (prelude["statusCode"], prelude["cookies"], body, end) == (201, ["id=7"], b"made", {}), (prelude, body)

# Functions that do not stream answer with one chunk.
_, chunks, end = call([1, 2], name="whole")
assert [payload for _, payload in chunks] == [b"[1, 2]"] and end == {}, (chunks, end)

# Errors before the first byte are ordinary ones.
try:
    call({}, name="none")
    raise SystemExit("a function that is not there was called")
except client.exceptions.ResourceNotFoundException:
    pass
try:
    call({}, InvocationType="Event")
    raise SystemExit("an asynchronous stream was taken")
except botocore.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error
dry = client.invoke_with_response_stream(FunctionName="stream", InvocationType="DryRun")
assert dry["ResponseMetadata"]["HTTPStatusCode"] == 204, dry

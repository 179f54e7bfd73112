"""Each limit of a call, as the exceptions that botocore makes of it.

One call of a function may run at a time, a head has 8,192 bytes and 40 fields.
"""

import base64
import json
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MOST = 6_291_456
client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}, read_timeout=120))


def refused(kind, code, status, text, call, **arguments):
    """The call must raise this class, which need not be of the model."""
    try:
        call(**arguments)
    except kind as error:
        got, meta = error.response["Error"], error.response["ResponseMetadata"]
        assert got["Code"] == code, error.response
        assert meta["HTTPStatusCode"] == status, error.response
        assert text in got["Message"], got
        return error
    raise SystemExit(f"{code} was not raised")


# The event. On the wire it is no exception of the model, so botocore has no class of
# its own for it.
payload = b'"' + b"x" * (MOST - 2) + b'"'
for call in [client.invoke, client.invoke_with_response_stream]:
    refused(
        ClientError, "RequestEntityTooLargeException", 413, f"Request must be smaller than {MOST} bytes",
        call, FunctionName="echo", Payload=payload + b" ",
    )
answer = client.invoke(FunctionName="echo", Payload=payload)
assert answer["Payload"].read() == payload
context = base64.b64encode(json.dumps({"custom": {"k": "x" * 3_600}}).encode()).decode()
refused(
    client.exceptions.InvalidRequestContentException, "InvalidRequestContentException", 400, "3583 bytes",
    client.invoke, FunctionName="echo", Payload=b"{}", ClientContext=context,
)

# The answer: the function's failure, not the client's.
endless = json.dumps({"do": "endless", "bytes": 65_536})
answer = client.invoke(FunctionName="streams", Payload=endless)
assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled"), answer
failure = json.loads(answer["Payload"].read())
assert failure["errorType"] == "Function.ResponseSizeTooLarge", failure
assert "6291556" in failure["errorMessage"], failure

# Calls at a time.
deadline = time.monotonic() + 60


def hold():
    other = boto3.client("lambda")
    while time.monotonic() < deadline:
        try:
            other.invoke(FunctionName="busy", Payload=b'{"do": "sleep", "ms": 8000}')
            return
        except other.exceptions.TooManyRequestsException:
            # A call of those below was there first.
            pass


held = threading.Thread(target=hold)
held.start()
while True:
    try:
        client.invoke(FunctionName="busy", Payload=b'{"do": "echo"}')
    except client.exceptions.TooManyRequestsException as error:
        response = error.response
        break
    assert time.monotonic() < deadline, "the call is never throttled"
assert response["ResponseMetadata"]["HTTPStatusCode"] == 429, response
assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1", response
assert response["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}, response
assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", response
refused(
    client.exceptions.TooManyRequestsException, "TooManyRequestsException", 429, "Rate Exceeded.",
    client.invoke_with_response_stream, FunctionName="busy", Payload=b"{}",
)
assert client.invoke(FunctionName="echo", Payload=b"1")["Payload"].read() == b"1", "others are served"
held.join()
assert client.invoke(FunctionName="busy", Payload=b'{"do": "echo"}')["StatusCode"] == 200


# The head: an answer of the connection's, before a request is known. botocore has only
# the status of it.
def with_headers(fields):
    crowded = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))

    def add(request, **_):
        for name, value in fields.items():
            request.headers[name] = value

    crowded.meta.events.register("before-sign.lambda.Invoke", add)
    return crowded.invoke


for fields in [{"x-large": "x" * 9_000}, {f"x-{number}": "1" for number in range(60)}]:
    error = refused(ClientError, "431", 431, "", with_headers(fields), FunctionName="echo", Payload=b"{}")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 431
assert with_headers({"x-small": "x"})(FunctionName="echo", Payload=b"{}")["StatusCode"] == 200

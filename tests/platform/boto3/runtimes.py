"""Managed runtimes: names, versions, modes, and functions that are only a zip."""

import io
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

first, second = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")
ROLE = "arn:aws:iam::000000000000:role/r"


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name + ".txt", content)
    return file.getvalue()


def install(component, language):
    """Our own operation, signed as botocore signs."""
    import base64

    body = json.dumps({"Component": base64.b64encode(component).decode(), "Language": language, "Description": "tested"})
    url = client.meta.endpoint_url + "/lamina/v1/runtimes"
    request = AWSRequest(method="POST", url=url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(boto3.Session().get_credentials(), "lambda", client.meta.region_name).add_auth(request)
    send = urllib.request.Request(url, data=body.encode(), headers=dict(request.headers), method="POST")
    with urllib.request.urlopen(send, timeout=300) as answer:
        return answer.status, json.load(answer)


def create(name, runtime, code, handler="main.run", **more):
    client.create_function(FunctionName=name, Runtime=runtime, Role=ROLE, Handler=handler, Code={"ZipFile": code}, **more)
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def invoke(name, event=None):
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return answer.get("FunctionError"), answer["Payload"].read().decode()


def refused(exception, status, text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == exception, answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
        assert text in answer["Error"]["Message"], answer
        assert isinstance(error, getattr(client.exceptions, exception)), error
    else:
        raise SystemExit(f"{arguments} was taken, {exception} was expected")


def version_of(name, **more):
    return client.get_function_configuration(FunctionName=name, **more).get("RuntimeVersionConfig", {}).get("RuntimeVersionArn")


# Before anything is installed: accepted, and refused when called.
create("greet", "python3.13", zipped(main="run: say hello; env AWS_EXECUTION_ENV"))
refused("InvalidRuntimeException", 502, "lamina runtime build python", client.invoke, FunctionName="greet")
assert version_of("greet") is None
create("java", "java21", zipped(main="x"))
refused("InvalidRuntimeException", 502, "no managed runtime of that name", client.invoke, FunctionName="java")
refused(
    "InvalidParameterValueException", 400, "python3.7 is no longer supported", create, name="old", runtime="python3.7", code=b"x"
)

status, installed = install(first, "python")
assert status == 201 and installed["Current"] and installed["Functions"] == 1, installed
assert install(first, "python")[0] == 200
arn = installed["RuntimeVersionArn"]
assert arn.startswith("arn:aws:lambda:us-east-1::runtime:"), arn
assert invoke("greet") == (None, "hello\nAWS_Lambda_python3.13\n"), invoke("greet")
assert version_of("greet") == arn
assert client.get_function(FunctionName="greet")["Configuration"]["RuntimeVersionConfig"]["RuntimeVersionArn"] == arn
(listed,) = [one for one in client.list_functions()["Functions"] if one["FunctionName"] == "greet"]
assert "RuntimeVersionConfig" not in listed, listed

# The modes.
latest = "arn:aws:lambda:us-east-1:000000000000:function:{}:$LATEST"
for name in ("auto", "update", "manual"):
    create(name, "python3.12", zipped(main=f"run: say {name}"))
answer = client.get_runtime_management_config(FunctionName="auto")
assert (answer["UpdateRuntimeOn"], answer["FunctionArn"]) == ("Auto", latest.format("auto")), answer
assert "RuntimeVersionArn" not in answer, answer
answer = client.put_runtime_management_config(FunctionName="update", UpdateRuntimeOn="FunctionUpdate")
assert answer["UpdateRuntimeOn"] == "FunctionUpdate", answer
answer = client.put_runtime_management_config(FunctionName="manual", UpdateRuntimeOn="Manual", RuntimeVersionArn=arn)
assert (answer["UpdateRuntimeOn"], answer["RuntimeVersionArn"]) == ("Manual", arn), answer
client.publish_version(FunctionName="manual")
_, installed = install(second, "python")
newer = installed["RuntimeVersionArn"]
assert newer != arn
assert [version_of(name) for name in ("auto", "update", "manual")] == [newer, arn, arn]
assert version_of("manual", Qualifier="1") == arn
for name in ("update", "manual"):
    client.update_function_configuration(FunctionName=name, Description="touched")
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
assert [version_of(name) for name in ("auto", "update", "manual")] == [newer, newer, arn]
# Rolling back one function.
client.put_runtime_management_config(FunctionName="auto", UpdateRuntimeOn="Manual", RuntimeVersionArn=arn)
assert version_of("auto") == arn and invoke("auto") == (None, "auto\n")
gone = arn[:-64] + "0" * 64
refused(
    "ResourceNotFoundException",
    404,
    "is not installed",
    client.put_runtime_management_config,
    FunctionName="auto",
    UpdateRuntimeOn="Manual",
    RuntimeVersionArn=gone,
)
refused("ResourceNotFoundException", 404, "Function not found", client.get_runtime_management_config, FunctionName="none")

# Failed inits and errors, as callers see them.
for handler, kind in (
    ("none.run", "Runtime.ImportModuleError"),
    ("main.none", "Runtime.HandlerNotFound"),
):
    name = kind.rpartition(".")[2]
    create(name, "python3.11", zipped(main="run: say a"), handler)
    error, payload = invoke(name)
    assert error == "Unhandled" and json.loads(payload)["errorType"] == kind, payload

# Another language, and a component's runtime, as Lambda lets them be changed.
client.update_function_configuration(FunctionName="greet", Runtime="nodejs22.x")
client.get_waiter("function_updated_v2").wait(FunctionName="greet")
refused("InvalidRuntimeException", 502, "lamina runtime build javascript", client.invoke, FunctionName="greet")
client.update_function_configuration(FunctionName="greet", Runtime="python3.9")
client.get_waiter("function_updated_v2").wait(FunctionName="greet")
assert invoke("greet") == (None, "hello\nAWS_Lambda_python3.9\n"), invoke("greet")

# Streams: of a handler that streams, and of one that does not.
create("stream", "python3.13", zipped(main="run: stream as it comes"))
for name, expect in (("stream", "as it comes"), ("auto", "auto\n")):
    events = client.invoke_with_response_stream(FunctionName=name)["EventStream"]
    chunks = [event["PayloadChunk"]["Payload"].decode() for event in events if "PayloadChunk" in event]
    assert "".join(chunks).endswith(expect), chunks
assert invoke("stream") == (None, "as it comes"), invoke("stream")

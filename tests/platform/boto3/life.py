"""The life of a function: made, called, changed, published, deleted."""

import base64
import hashlib
import io
import json
import pathlib
import sys
import urllib.request
import zipfile

import boto3
from botocore.exceptions import ClientError

hello, other = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")
arn = "arn:aws:lambda:us-east-1:000000000000:function:greeter"


def sha256(code):
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def zipped(component):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bootstrap.wasm", component)
    return package.getvalue()


def settled():
    client.get_waiter("function_active_v2").wait(FunctionName="greeter")
    client.get_waiter("function_updated_v2").wait(FunctionName="greeter")
    return client.get_function(FunctionName="greeter")["Configuration"]


def call(**arguments):
    answer = client.invoke(FunctionName="greeter", **arguments)
    return answer, answer["Payload"].read()


# Made.
made = client.create_function(
    FunctionName="greeter",
    Runtime="provided.al2023",
    Role="arn:aws:iam::000000000000:role/greeter",
    Handler="bootstrap.wasm",
    Code={"ZipFile": hello},
    Description="greets",
    Timeout=10,
    MemorySize=256,
    Environment={"Variables": {"GREETING": "Hello"}},
    Tags={"team": "tests"},
)
assert made["FunctionArn"] == arn, made
assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating"), made
assert made["StateReason"] == "The function is being created.", made
assert "LastUpdateStatus" not in made, made
assert (made["Version"], made["MemorySize"], made["Timeout"]) == ("$LATEST", 256, 10), made
assert (made["CodeSize"], made["CodeSha256"]) == (len(hello), sha256(hello)), made
assert made["Environment"] == {"Variables": {"GREETING": "Hello"}}, made
assert made["Role"] == "arn:aws:iam::000000000000:role/greeter", made
active = settled()
assert (active["State"], active["LastUpdateStatus"]) == ("Active", "Successful"), active
assert active["RevisionId"] != made["RevisionId"], "the revision changes when the function is ready"

# Read: the code comes back as it was sent, from a URL that needs no credentials.
function = client.get_function(FunctionName=arn)
assert function["Tags"] == {"team": "tests"}, function
assert function["Code"]["RepositoryType"] == "S3", function
with urllib.request.urlopen(function["Code"]["Location"]) as answer:
    assert answer.read() == hello, "the code is not what was uploaded"
assert client.get_function_configuration(FunctionName="greeter")["Description"] == "greets"

# Called.
answer, payload = call(Payload=json.dumps({"name": "Ada"}), LogType="Tail")
assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST"), answer
assert "FunctionError" not in answer, answer
assert payload == b'{"message":"Hello, Ada!"}', payload
tail = base64.b64decode(answer["LogResult"]).decode()
request_id = answer["ResponseMetadata"]["RequestId"]
lines = tail.splitlines()
assert lines[0] == f"START RequestId: {request_id} Version: $LATEST", tail
assert "greeting Ada" in lines[1] and request_id in lines[1], tail
assert lines[2] == f"END RequestId: {request_id}", tail
assert lines[3].startswith(f"REPORT RequestId: {request_id}\tDuration: "), tail
assert "\tMemory Size: 256 MB\tMax Memory Used: " in lines[3] and "\tFuel Used: " in lines[3], tail

answer, payload = call()
assert payload == b'{"message":"Hello, world!"}', "no payload is an empty object"

answer, payload = call(Payload=json.dumps({"name": ""}))
assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled"), answer
failure = json.loads(payload)
assert (failure["errorType"], failure["errorMessage"]) == ("Hello.NoName", "the name is empty"), failure

answer, payload = call(InvocationType="DryRun")
assert (answer["StatusCode"], payload) == (204, b""), answer

# Its configuration changed: what is left out stays.
changed = client.update_function_configuration(FunctionName="greeter", MemorySize=512)
assert (changed["MemorySize"], changed["Timeout"], changed["Description"]) == (512, 10, "greets"), changed
assert changed["RevisionId"] != active["RevisionId"], changed
settled()

# A version keeps what it was made of.
first = client.publish_version(FunctionName="greeter", Description="the first")
assert (first["Version"], first["FunctionArn"]) == ("1", arn + ":1"), first
assert (first["State"], first["Description"]) == ("Active", "the first"), first
again = client.publish_version(FunctionName="greeter")
assert again["Version"] == "1", "nothing changed: no new version"

# Its code changed, as a zip this time. A second change while the first is under way
# is a conflict; when the first is through already, it is a change.
package = zipped(other)
update = client.update_function_code(FunctionName="greeter", ZipFile=package)
assert update["LastUpdateStatus"] == "InProgress", update
assert (update["CodeSize"], update["CodeSha256"]) == (len(package), sha256(package)), update
try:
    client.update_function_code(FunctionName="greeter", ZipFile=package)
except client.exceptions.ResourceConflictException as error:
    text = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    assert error.response["Error"]["Message"] == text, error
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409, error
updated = settled()
assert (updated["LastUpdateStatus"], updated["CodeSha256"]) == ("Successful", sha256(package)), updated
_, payload = call(Payload=json.dumps({"do": "echo", "value": 7}))
echoed = json.loads(payload)
assert echoed["event"] == 7, echoed
assert echoed["context"]["functionName"] == "greeter", echoed
assert echoed["context"]["memoryLimitMb"] == 512, echoed
assert echoed["context"]["invokedFunctionArn"] == arn, echoed
answer, payload = call(Qualifier="1", Payload=json.dumps({"name": "Grace"}))
assert (answer["ExecutedVersion"], payload) == ("1", b'{"message":"Hello, Grace!"}'), payload

# A dry run validates, answers, and changes nothing.
dry = client.update_function_code(FunctionName="greeter", ZipFile=hello, DryRun=True)
assert dry["CodeSha256"] == sha256(hello), dry
assert client.get_function_configuration(FunctionName="greeter")["CodeSha256"] == sha256(package)

# Guards.
try:
    client.update_function_configuration(FunctionName="greeter", Timeout=11, RevisionId=made["RevisionId"])
    raise SystemExit("a stale revision passed")
except client.exceptions.PreconditionFailedException as error:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412, error
second = client.publish_version(FunctionName="greeter", CodeSha256=sha256(package))
assert second["Version"] == "2", second
versions = client.list_versions_by_function(FunctionName="greeter")["Versions"]
assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"], versions
assert versions[1]["FunctionArn"] == arn + ":1" and "State" not in versions[1], versions

# Tags.
client.tag_resource(Resource=arn, Tags={"stage": "test", "team": "platform"})
assert client.list_tags(Resource=arn)["Tags"] == {"stage": "test", "team": "platform"}
client.untag_resource(Resource=arn, TagKeys=["team", "unknown"])
assert client.list_tags(Resource=arn)["Tags"] == {"stage": "test"}

# Deleted: a version first, then everything.
client.delete_function(FunctionName="greeter", Qualifier="1")
try:
    call(Qualifier="1")
    raise SystemExit("a deleted version was called")
except client.exceptions.ResourceNotFoundException as error:
    assert error.response["Error"]["Message"] == f"Function not found: {arn}:1", error
client.delete_function(FunctionName="greeter")
try:
    client.get_function(FunctionName="greeter")
    raise SystemExit("a deleted function was found")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
assert client.list_functions()["Functions"] == []

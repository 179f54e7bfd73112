"""What is refused, as the exceptions that botocore makes of it."""

import pathlib
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

signed, unsigned, core = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")
arn = "arn:aws:lambda:us-east-1:000000000000:function:"


def creation(name, code, **more):
    return dict(
        FunctionName=name,
        Runtime="provided.al2023",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="bootstrap.wasm",
        Code={"ZipFile": code},
    ) | more


def refused(name, status, text, call, **arguments):
    """The call must raise this exception, by its class where the model has one."""
    kind = getattr(client.exceptions, name, ClientError)
    try:
        call(**arguments)
    except kind as error:
        got = error.response["Error"]
        assert got["Code"] == name, got
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        assert text in got["Message"], got
        return
    raise SystemExit(f"{name} was not raised by {arguments.keys()}")


# Code.
refused("CodeVerificationFailedException", 400, "", client.create_function, **creation("f", unsigned))
refused("InvalidParameterValueException", 400, "lamina:function/handler", client.create_function, **creation("f", core))
refused("InvalidParameterValueException", 400, "", client.create_function, **creation("f", b"garbage"))
tampered = signed[:-1] + bytes([signed[-1] ^ 1])
refused("InvalidCodeSignatureException", 400, "", client.create_function, **creation("f", tampered))
assert client.list_functions()["Functions"] == [], "what was refused is there"

# Functions that are not there.
missing = f"Function not found: {arn}none"
for call in [
    client.get_function,
    client.get_function_configuration,
    client.invoke,
    client.delete_function,
    client.publish_version,
    client.update_function_configuration,
    client.list_versions_by_function,
]:
    refused("ResourceNotFoundException", 404, missing, call, FunctionName="none")
refused("ResourceNotFoundException", 404, missing, client.update_function_code, FunctionName="none", ZipFile=signed)
refused("ResourceNotFoundException", 404, "", client.get_policy, FunctionName="none")
refused("ResourceNotFoundException", 404, "", client.list_tags, Resource=arn + "none")

# One that is.
client.create_function(**creation("f", signed))
refused("ResourceConflictException", 409, "Function already exist: f", client.create_function, **creation("f", signed))
client.get_waiter("function_active_v2").wait(FunctionName="f")
refused("ResourceNotFoundException", 404, f"Function not found: {arn}f:7", client.invoke, FunctionName="f", Qualifier="7")
refused(
    "InvalidParameterValueException", 400, "$LATEST version cannot be deleted without deleting the function.",
    client.delete_function, FunctionName="f", Qualifier="$LATEST",
)
refused("CodeVerificationFailedException", 400, "", client.update_function_code, FunctionName="f", ZipFile=unsigned)
refused("InvalidParameterValueException", 400, "CodeSHA256", client.publish_version, FunctionName="f", CodeSha256="x")

# Values. Those that the client checks itself never leave it.
unchecked = boto3.client("lambda", config=Config(parameter_validation=False))
refused(
    "ValidationException", 400, "Value '127' at 'memorySize' failed to satisfy constraint: "
    "Member must have value greater than or equal to 128",
    unchecked.create_function, **creation("g", signed, MemorySize=127),
)
refused("InvalidParameterValueException", 400, "10240", client.create_function, **creation("g", signed, MemorySize=10241))
refused("InvalidParameterValueException", 400, "900", client.create_function, **creation("g", signed, Timeout=901))
refused(
    "InvalidParameterValueException", 400, "AWS_REGION",
    client.create_function, **creation("g", signed, Environment={"Variables": {"AWS_REGION": "x"}}),
)
refused(
    "InvalidRequestContentException", 400, "Could not parse request body into json",
    client.invoke, FunctionName="f", Payload=b"{",
)

# What is not there yet is refused, not pretended.
refused("InvalidParameterValueException", 400, "Event", client.invoke, FunctionName="f", InvocationType="Event")
refused("InvalidParameterValueException", 400, "AWS_IAM", client.create_function_url_config, FunctionName="f", AuthType="AWS_IAM")
refused("InvalidParameterValueException", 400, "Layers", client.create_function, **creation("g", signed, Layers=[arn + "x:1"]))
refused("InvalidParameterValueException", 400, "not supported yet", client.list_aliases, FunctionName="f")
refused("InvalidParameterValueException", 400, "not supported yet", client.list_event_source_mappings)
refused(
    "InvalidParameterValueException", 400, "not supported yet",
    client.put_function_concurrency, FunctionName="f", ReservedConcurrentExecutions=1,
)

# Callers.
stranger = boto3.client("lambda", aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x" * 40)
refused("UnrecognizedClientException", 403, "security token", stranger.list_functions)
liar = boto3.client("lambda", aws_secret_access_key="x" * 40, aws_access_key_id=boto3.Session().get_credentials().access_key)
refused("InvalidSignatureException", 403, "The request signature we calculated does not match", liar.list_functions)
refused("InvalidSignatureException", 403, "", liar.invoke, FunctionName="f")
elsewhere = boto3.client("lambda", region_name="eu-west-1")
refused("InvalidSignatureException", 403, "valid region, not 'eu-west-1'", elsewhere.list_functions)

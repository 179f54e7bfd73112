"""Function URLs and permissions."""

import json
import pathlib
import re
import sys

import boto3

(signed,) = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")
arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
missing = client.exceptions.ResourceNotFoundException
conflict = client.exceptions.ResourceConflictException


def refused(kind, text, call, **arguments):
    try:
        call(**arguments)
    except kind as error:
        assert error.response["Error"]["Message"] == text, error
        return
    raise SystemExit(f"{kind} was not raised: {arguments}")


client.create_function(
    FunctionName="f",
    Runtime="provided.al2023",
    Role="arn:aws:iam::000000000000:role/r",
    Handler="bootstrap.wasm",
    Code={"ZipFile": signed},
)
client.get_waiter("function_active_v2").wait(FunctionName="f")

# URL configs.
refused(missing, "The resource you requested does not exist.", client.get_function_url_config, FunctionName="f")
refused(missing, "Function does not exist", client.create_function_url_config, FunctionName="none", AuthType="NONE")
cors = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"], "MaxAge": 60}
made = client.create_function_url_config(FunctionName="f", AuthType="NONE", Cors=cors)
assert re.fullmatch(r"http://[a-z0-9]+\.lambda-url\.us-east-1\.localhost:\d+/", made["FunctionUrl"]), made
assert (made["AuthType"], made["FunctionArn"], made["Cors"]) == ("NONE", arn, cors), made
assert "InvokeMode" not in made and "LastModifiedTime" not in made, made
refused(
    conflict,
    f"Failed to create function url config for [functionArn = {arn}]. "
    "Error message:  FunctionUrlConfig exists for this Lambda function",
    client.create_function_url_config, FunctionName="f", AuthType="NONE",
)
got = client.get_function_url_config(FunctionName="f")
assert (got["FunctionUrl"], got["InvokeMode"]) == (made["FunctionUrl"], "BUFFERED"), got
changed = client.update_function_url_config(FunctionName="f", InvokeMode="RESPONSE_STREAM")
assert (changed["FunctionUrl"], changed["InvokeMode"]) == (made["FunctionUrl"], "RESPONSE_STREAM"), changed
assert changed["Cors"] == cors, "what is left out stays"
client.delete_function_url_config(FunctionName="f")
refused(missing, "The resource you requested does not exist.", client.delete_function_url_config, FunctionName="f")

# Permissions.
refused(missing, "The resource you requested does not exist.", client.get_policy, FunctionName="f")
added = client.add_permission(
    FunctionName="f",
    StatementId="bucket",
    Action="lambda:InvokeFunction",
    Principal="s3.amazonaws.com",
    SourceArn="arn:aws:s3:::bucket",
    SourceAccount="123456789012",
)
statement = json.loads(added["Statement"])
assert statement == {
    "Sid": "bucket",
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": arn,
    "Condition": {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
        "StringEquals": {"AWS:SourceAccount": "123456789012"},
    },
}, statement
client.add_permission(
    FunctionName="f", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
)
refused(
    conflict,
    "The statement id (url) provided already exists. Please provide a new statement id, or remove the existing statement.",
    client.add_permission, FunctionName="f", StatementId="url", Action="lambda:InvokeFunction", Principal="*",
)
policy = client.get_policy(FunctionName="f")
document = json.loads(policy["Policy"])
assert (document["Version"], document["Id"]) == ("2012-10-17", "default"), document
assert [entry["Sid"] for entry in document["Statement"]] == ["bucket", "url"], document
assert document["Statement"][1]["Principal"] == "*", document
refused(
    missing, "Statement none is not found in resource policy.",
    client.remove_permission, FunctionName="f", StatementId="none",
)
try:
    client.remove_permission(FunctionName="f", StatementId="url", RevisionId="00000000-0000-4000-8000-000000000000")
    raise SystemExit("a stale revision passed")
except client.exceptions.PreconditionFailedException:
    pass
client.remove_permission(FunctionName="f", StatementId="url", RevisionId=policy["RevisionId"])
client.remove_permission(FunctionName="f", StatementId="bucket")
refused(missing, "The resource you requested does not exist.", client.get_policy, FunctionName="f")

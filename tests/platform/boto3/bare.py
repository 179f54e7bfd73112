"""A zip as it always was, without a signature: taken under `warn` and `off`."""

import io
import json
import pathlib
import sys
import zipfile

import boto3

policy = pathlib.Path(sys.argv[1]).read_text()
client = boto3.client("lambda")
file = io.BytesIO()
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("main.txt", "run: say bare; echo")
    archive.writestr("lib/more.txt", "x" * 1000)
settings = dict(Runtime="python3.13", Role="arn:aws:iam::000000000000:role/r", Handler="main.run")
code = {"ZipFile": file.getvalue()}
try:
    client.create_function(FunctionName="bare", Code=code, **settings)
except client.exceptions.CodeVerificationFailedException as error:
    assert policy == "enforce", error
    assert "the package is not signed" in str(error), error
    try:
        client.get_function(FunctionName="bare")
    except client.exceptions.ResourceNotFoundException:
        sys.exit()
    sys.exit("a function is left of what was refused")
assert policy != "enforce", "enforce took it"
client.get_waiter("function_active_v2").wait(FunctionName="bare")
answer = client.invoke(FunctionName="bare", Payload=json.dumps({"a": 1}))
payload = answer["Payload"].read().decode()
assert "FunctionError" not in answer and payload == 'bare\n{"a": 1}\n', (answer, payload)
updated = client.update_function_code(FunctionName="bare", **code)
assert updated["CodeSha256"], updated

"""Lists and their pages."""

import pathlib
import sys

import boto3

(signed,) = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
client = boto3.client("lambda")

names = [f"f{number}" for number in range(5)]
for name in names:
    client.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="bootstrap.wasm",
        Code={"ZipFile": signed},
        Publish=True,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, Qualifier="1")

pages = list(client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
assert [len(page["Functions"]) for page in pages] == [2, 2, 1], pages
assert "NextMarker" not in pages[-1], pages[-1]
listed = [function for page in pages for function in page["Functions"]]
assert [function["FunctionName"] for function in listed] == names, listed
assert all("State" not in function and "LastUpdateStatus" not in function for function in listed), listed

everything = client.list_functions(FunctionVersion="ALL", MaxItems=50)["Functions"]
got = {(function["FunctionName"], function["Version"]) for function in everything}
assert got == {(name, version) for name in names for version in ("$LATEST", "1")}, got
arns = {function["FunctionArn"] for function in everything}
assert "arn:aws:lambda:us-east-1:000000000000:function:f0:$LATEST" in arns, arns

versions = list(client.get_paginator("list_versions_by_function").paginate(FunctionName="f0", PaginationConfig={"PageSize": 1}))
assert [page["Versions"][0]["Version"] for page in versions] == ["$LATEST", "1"], versions

try:
    client.list_functions(Marker="nowhere at all")
    raise SystemExit("an unusable marker passed")
except client.exceptions.InvalidParameterValueException:
    pass

settings = client.get_account_settings()
assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000, settings
assert settings["AccountUsage"]["FunctionCount"] == 5, settings
assert settings["AccountUsage"]["TotalCodeSize"] == 10 * len(signed), settings

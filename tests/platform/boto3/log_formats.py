"""LoggingConfig: JSON logs, their levels, and a group of the function's own."""

import json
import pathlib
import re
import sys

import boto3
from botocore.exceptions import ClientError

(code,) = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
functions, logs = boto3.client("lambda"), boto3.client("logs")


def refused(text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response["Error"]
        assert answer["Code"] == "InvalidParameterValueException" and text in answer["Message"], answer
    else:
        raise SystemExit(f"{arguments} was taken")


def update(**logging):
    functions.update_function_configuration(FunctionName="f", LoggingConfig=logging)
    functions.get_waiter("function_updated_v2").wait(FunctionName="f")
    return functions.get_function_configuration(FunctionName="f")["LoggingConfig"]


def invoke(event, group="/aws/lambda/f"):
    """The lines of a call: objects where they are JSON."""
    answer = functions.invoke(FunctionName="f", Payload=json.dumps(event))
    request_id = answer["ResponseMetadata"]["RequestId"]
    stream = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"][0]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    lines = [event["message"] for event in events]
    lines = [json.loads(line) if line.startswith("{") else line for line in lines]
    mine = lambda line: request_id in (json.dumps(line) if isinstance(line, dict) else line)
    first = next((at for at, line in enumerate(lines) if mine(line)), len(lines))
    return request_id, lines[first:]


base = dict(Runtime="provided.al2023", Role="arn:aws:iam::000000000000:role/r", Handler="bootstrap.wasm", Code={"ZipFile": code})
text = "LogLevel is not supported when LogFormat is set to \"Text\"."
refused(text, functions.create_function, FunctionName="g", LoggingConfig={"ApplicationLogLevel": "INFO"}, **base)
made = functions.create_function(FunctionName="f", LoggingConfig={"LogFormat": "JSON"}, **base)
expect = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/f"}
assert made["LoggingConfig"] == expect, made["LoggingConfig"]
functions.get_waiter("function_active_v2").wait(FunctionName="f")

# The platform's lines are events, the function's own objects with a level.
request_id, (start, own, report) = invoke({"do": "log", "message": "two\nlines"})
assert (start["type"], start["record"]) == ("platform.start", {"requestId": request_id, "version": "$LATEST"}), start
assert start["time"].endswith("Z"), start
assert {name: own[name] for name in own if name != "timestamp"} == {"level": "WARN", "requestId": request_id, "message": "two\nlines"}, own
assert own["timestamp"].endswith("Z"), own
record = report["record"]
assert (report["type"], record["requestId"], record["status"]) == ("platform.report", request_id, "success"), report
metrics = record["metrics"]
assert metrics["durationMs"] > 0 and metrics["billedDurationMs"] >= 1 and metrics["memorySizeMB"] == 128, metrics
assert metrics["maxMemoryUsedMB"] >= 1 and metrics["fuelUsed"] > 0, metrics

# Levels: both kinds apart, and each is merged into the rest.
assert update(ApplicationLogLevel="ERROR") == {**expect, "ApplicationLogLevel": "ERROR"}
_, lines = invoke({"do": "log", "message": "left out"})
assert [line["type"] for line in lines] == ["platform.start", "platform.report"], lines
assert update(SystemLogLevel="DEBUG", ApplicationLogLevel="WARN") == {**expect, "ApplicationLogLevel": "WARN", "SystemLogLevel": "DEBUG"}
_, lines = invoke({"do": "log", "message": "there"})
assert [line.get("type", line.get("message")) for line in lines] == ["platform.start", "there", "platform.runtimeDone", "platform.report"], lines
_, lines = invoke({"do": "print", "lines": 1})
assert "line 1" not in lines, "a line without a level is INFO"
update(SystemLogLevel="WARN")
_, lines = invoke({"do": "log", "message": "alone"})
assert [line["message"] for line in lines] == ["alone"], lines
request_id, lines = invoke({"do": "fail", "message": "broken"})
failed, done, report = lines
assert (done["type"], done["record"]["status"], done["record"]["errorType"]) == ("platform.runtimeDone", "failure", "Test.Failed"), done
assert (failed["level"], failed["errorType"], failed["errorMessage"]) == ("ERROR", "Test.Failed", "broken"), failed
assert (report["record"]["status"], report["record"]["errorType"]) == ("failure", "Test.Failed"), report
found = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='{ $.level = "ERROR" && $.errorType = "Test.*" }')["events"]
assert [json.loads(event["message"])["requestId"] for event in found] == [request_id], found

# What fails otherwise: the levels are those of warnings, the words Lambda's.
for event, status, kind in [({"do": "panic", "message": "the sky fell"}, "error", "Runtime.Panic"), ({"do": "exit", "status": 3}, "error", "Runtime.ExitError"), ({"do": "sleep", "ms": 60_000}, "timeout", "Sandbox.Timedout")]:
    request_id, (failed, done, report) = invoke(event)
    assert failed["errorType"] == kind and failed["level"] == "ERROR", failed
    for line in (done, report):
        assert (line["record"]["requestId"], line["record"]["status"], line["record"]["errorType"]) == (request_id, status, kind), line
assert report["record"]["metrics"]["billedDurationMs"] == 3_000, report

# Back to text the levels go; a group of one's own is made with the first line.
assert update(LogFormat="Text", LogGroup="/mine") == {"LogFormat": "Text", "LogGroup": "/mine"}
refused(text, functions.update_function_configuration, FunctionName="f", LoggingConfig={"SystemLogLevel": "INFO"})
request_id, lines = invoke({"do": "log", "message": "text"}, group="/mine")
assert lines[0] == f"START RequestId: {request_id} Version: $LATEST" and lines[1].endswith("\tWARN\ttext"), lines
(stream,) = logs.describe_log_streams(logGroupName="/mine")["logStreams"]
assert re.fullmatch(r"\d{4}/\d\d/\d\d/f\[\$LATEST\][0-9a-f]{32}", stream["logStreamName"]), stream
(stream,) = logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream["logStreamName"]), stream

"""CloudWatch Logs: groups, streams, events, filters, retention, live tail."""

import json
import pathlib
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

(code,) = (pathlib.Path(path).read_bytes() for path in sys.argv[1:])
functions = boto3.client("lambda")
# StartLiveTail has a host of its own, which a local endpoint has not.
logs = boto3.client("logs", config=Config(inject_host_prefix=False))
GROUP = "/aws/lambda/does"
ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"


def refused(name, text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response["Error"]
        assert answer["Code"] == name and text in answer["Message"], answer
        assert isinstance(error, getattr(logs.exceptions, name, ClientError)), error
    else:
        raise SystemExit(f"{arguments} was taken, {name} was expected")


def invoke(event):
    answer = functions.invoke(FunctionName="does", Payload=json.dumps(event))
    return answer["ResponseMetadata"]["RequestId"]


def messages(answer):
    return [event["message"] for event in answer["events"]]


functions.create_function(
    FunctionName="does",
    Runtime="provided.al2023",
    Role="arn:aws:iam::000000000000:role/r",
    Handler="bootstrap.wasm",
    Code={"ZipFile": code},
    Timeout=20,
)
functions.get_waiter("function_active_v2").wait(FunctionName="does")
refused("ResourceNotFoundException", "The specified log group does not exist.", logs.describe_log_streams, logGroupName=GROUP)

# What a function writes is there at once, in a group and a stream named as on Lambda.
before = int(time.time() * 1000)
request_id = invoke({"do": "print", "lines": 3})
(group,) = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
assert (group["logGroupName"], group["arn"], group["logGroupArn"]) == (GROUP, ARN + ":*", ARN), group
assert group["storedBytes"] > 0 and "retentionInDays" not in group, group
assert before - 1 <= group["creationTime"] <= int(time.time() * 1000), group
(stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
name = stream["logStreamName"]
assert name[4] == name[7] == "/" and "[$LATEST]" in name, stream
assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"] <= stream["lastIngestionTime"] + 1, stream
assert stream["arn"] == f"{ARN}:log-stream:{name}", stream

# Read forward, in pages, and to the end.
page = logs.get_log_events(logGroupName=GROUP, logStreamName=name, startFromHead=True, limit=2)
assert messages(page) == [f"START RequestId: {request_id} Version: $LATEST", "line 1"], page
read, token = messages(page), page["nextForwardToken"]
while True:
    page = logs.get_log_events(logGroupIdentifier=ARN, logStreamName=name, nextToken=token, limit=2)
    read += messages(page)
    if page["nextForwardToken"] == token:
        break
    token = page["nextForwardToken"]
assert read[1:5] == ["line 1", "line 2", "line 3", f"END RequestId: {request_id}"], read
assert len(read) == 6 and read[5].startswith(f"REPORT RequestId: {request_id}\tDuration: "), read
assert messages(page) == [], page
# What comes later is found from the same token.
again = invoke({"do": "print", "lines": 1})
page = logs.get_log_events(logGroupName=GROUP, logStreamName=name, nextToken=token)
assert messages(page)[0] == f"START RequestId: {again} Version: $LATEST" and len(page["events"]) == 4, page
# Without startFromHead the newest come first, and pages go backward.
page = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=2)
assert messages(page)[0] == f"END RequestId: {again}" and len(page["events"]) == 2, page
page = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=2, nextToken=page["nextBackwardToken"])
assert messages(page) == [f"START RequestId: {again} Version: $LATEST", "line 1"], page
backward, token = messages(page), page["nextBackwardToken"]
while True:
    page = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=4, nextToken=token)
    backward = messages(page) + backward
    if page["nextBackwardToken"] == token:
        break
    token = page["nextBackwardToken"]
assert backward[:6] == read, backward
refused("InvalidParameterException", "nextToken is invalid", logs.get_log_events, logGroupName=GROUP, logStreamName=name, nextToken="f/x")
refused("ResourceNotFoundException", "The specified log stream does not exist.", logs.get_log_events, logGroupName=GROUP, logStreamName="none")

# Filters.
invoke({"do": "log", "message": "the parcel is lost"})


def found(pattern, **arguments):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern=pattern, **arguments)
    return [event for page in pages for event in page["events"]]


assert [event["message"].split("\t")[2:] for event in found('"parcel is"')] == [["WARN", "the parcel is lost"]], found("parcel")
assert len(found("START")) == 3 and len(found(f'"{request_id}"')) == 3
assert len(found("?START ?END")) == 6 and len(found("line -3")) == 3, found("line -3")
assert len(found("")) == 14 and len({event["eventId"] for event in found("")}) == 14
assert len(found("START", logStreamNamePrefix=name[:4])) == 3 and found("START", logStreamNames=["none"]) == []
assert len(found("", PaginationConfig={"PageSize": 3})) == 14
page = logs.filter_log_events(logGroupName=GROUP, filterPattern="START", limit=1)
assert page["nextToken"] and len(page["events"]) == 1 and page["searchedLogStreams"] == [], page
assert page["events"][0]["logStreamName"] == name, page
last = found("REPORT")[-1]["timestamp"]
assert found("", endTime=before - 1) == [] and found("", startTime=last + 1) == []
assert len(found("REPORT", startTime=before - 1, endTime=last + 1)) == 3
refused("InvalidParameterException", "Invalid filter pattern: a quotation mark", logs.filter_log_events, logGroupName=GROUP, filterPattern='"x')
refused("InvalidParameterException", "'limit'", logs.filter_log_events, logGroupName=GROUP, limit=10_001)
refused("InvalidParameterException", "mutually exclusive", logs.filter_log_events, logGroupName=GROUP, logStreamNames=["a"], logStreamNamePrefix="a")
refused("ResourceNotFoundException", "log group", logs.filter_log_events, logGroupName="none")

# A group of one's own.
logs.create_log_group(logGroupName="mine")
refused("ResourceAlreadyExistsException", "The specified log group already exists", logs.create_log_group, logGroupName="mine")
refused("ResourceAlreadyExistsException", "already exists", logs.create_log_group, logGroupName=GROUP)
refused("ResourceNotFoundException", "log group", logs.create_log_stream, logGroupName="none", logStreamName="s")
logs.create_log_stream(logGroupName="mine", logStreamName="s")
refused("ResourceAlreadyExistsException", "The specified log stream already exists", logs.create_log_stream, logGroupName="mine", logStreamName="s")
now = int(time.time() * 1000)
batch = [{"timestamp": now + number, "message": json.dumps({"level": level, "ms": number * 100})} for number, level in enumerate(["INFO", "ERROR", "ERROR"])]
put = logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=batch)
assert "rejectedLogEventsInfo" not in put, put
GROUP = "mine"
assert [json.loads(event["message"])["ms"] for event in found('{ $.level = "ERROR" && $.ms > 100 }')] == [200]
assert [event["timestamp"] for event in found('{ $.level = "ERROR" || $.ms < 100 }')] == [now, now + 1, now + 2]
assert [event["timestamp"] for event in found('{ $.level = %^ERR% && $.* != 100 }')] == [now + 1, now + 2]
assert [event["timestamp"] for event in found('%"ms": [12]00%'.replace('"', "\\x22"))] == [now + 1, now + 2]
assert [event["timestamp"] for event in found('[first, level = ERROR, ..., value = 2*]')] == [now + 2]
refused("InvalidParameterException", "Invalid filter pattern: `(` is not supported", logs.filter_log_events, logGroupName="mine", filterPattern="%(a|b)%")
refused("InvalidParameterException", "Invalid filter pattern: `...` stands once", logs.filter_log_events, logGroupName="mine", filterPattern="[..., a, ...]")
refused("ResourceNotFoundException", "log stream", logs.put_log_events, logGroupName="mine", logStreamName="t", logEvents=batch)
refused("InvalidParameterException", "chronological", logs.put_log_events, logGroupName="mine", logStreamName="s", logEvents=batch[::-1])
day = 86_400_000
put = logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=[{"timestamp": now - 15 * day, "message": "old"}])
assert put["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}, put
put = logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=[{"timestamp": now, "message": "x"}, {"timestamp": now + 3 * 3_600_000, "message": "new"}])
assert put["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}, put
assert len(found("")) == 4

# Retention.
logs.put_retention_policy(logGroupName="mine", retentionInDays=7)
(group,) = logs.describe_log_groups(logGroupNamePattern="MINE")["logGroups"]
assert group["retentionInDays"] == 7, group
put = logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=[{"timestamp": now - 10 * day, "message": "old"}])
assert put["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}, put
refused("InvalidParameterException", "'retentionInDays'", logs.put_retention_policy, logGroupName="mine", retentionInDays=2)
refused("ResourceNotFoundException", "log group", logs.put_retention_policy, logGroupName="none", retentionInDays=1)
logs.delete_retention_policy(logGroupName="mine")
assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="mine")["logGroups"][0]

# Streams in order of their last events, and lists in pages.
logs.create_log_stream(logGroupName="mine", logStreamName="a")
logs.put_log_events(logGroupName="mine", logStreamName="a", logEvents=[{"timestamp": now + 60_000, "message": "later"}])
names = lambda **arguments: [stream["logStreamName"] for page in logs.get_paginator("describe_log_streams").paginate(logGroupName="mine", PaginationConfig={"PageSize": 1}, **arguments) for stream in page["logStreams"]]
assert names() == ["a", "s"] and names(descending=True) == ["s", "a"] and names(logStreamNamePrefix="s") == ["s"]
assert names(orderBy="LastEventTime") == ["s", "a"] and names(orderBy="LastEventTime", descending=True) == ["a", "s"]
pages = list(logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1}))
assert [page["logGroups"][0]["logGroupName"] for page in pages] == ["/aws/lambda/does", "mine"], pages

# Live tail.
tail = logs.start_live_tail(logGroupIdentifiers=[ARN], logEventFilterPattern="[word != START, ...]")["responseStream"]
events = iter(tail)
start = next(events)["sessionStart"]
assert start["logGroupIdentifiers"] == [ARN] and start["logEventFilterPattern"] == "[word != START, ...]", start
threading.Timer(0.2, lambda: invoke({"do": "print", "lines": 2})).start()
seen = []
for event in events:
    update = event["sessionUpdate"]
    assert update["sessionMetadata"] == {"sampled": False}, update
    seen += [(result["logGroupIdentifier"], result["message"]) for result in update["sessionResults"]]
    if any("REPORT" in message for _, message in seen):
        break
tail.close()
assert [message[:6] for _, message in seen] == ["line 1", "line 2", "END Re", "REPORT"] and seen[0][0] == ARN, seen
refused("ResourceNotFoundException", "log group", logs.start_live_tail, logGroupIdentifiers=["none"])

# A group outlives its function; removed, it is gone, and its next line makes it again.
logs.delete_log_stream(logGroupName="mine", logStreamName="s")
assert names() == ["a"] and [event["message"] for event in found("")] == ["later"]
refused("ResourceNotFoundException", "log stream", logs.delete_log_stream, logGroupName="mine", logStreamName="s")
GROUP = "/aws/lambda/does"
logs.delete_log_group(logGroupName=GROUP)
refused("ResourceNotFoundException", "log group", logs.delete_log_group, logGroupName=GROUP)
last = invoke({"do": "print", "lines": 0})
assert len(found("")) == 3 and len(found(f'"{last}"')) == 3
functions.delete_function(FunctionName="does")
assert len(found("")) == 3, "a group outlives its function"

# What is not there is refused by name, and so is a request that is signed for another service.
refused("UnknownOperationException", "PutMetricFilter is not supported yet", logs.put_metric_filter, logGroupName="mine", filterName="f", filterPattern="x", metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])
refused("InvalidParameterException", "kmsKeyId is not supported yet", logs.create_log_group, logGroupName="sealed", kmsKeyId="k")
mine = boto3.Session().get_credentials()
wrong = boto3.client("logs", aws_access_key_id=mine.access_key, aws_secret_access_key="wrong")
try:
    wrong.describe_log_groups()
    raise SystemExit("a wrong signature was taken")
except ClientError as error:
    assert error.response["Error"]["Code"] == "InvalidSignatureException", error.response

"""CloudWatch's metrics of a function: four calls, one of which failed."""

import datetime
import os
import sys

import boto3
from botocore.exceptions import ClientError

(kept,) = sys.argv[1:]
client = boto3.client("cloudwatch", endpoint_url=os.environ["AWS_ENDPOINT_URL_LAMBDA"])
now = datetime.datetime.now(datetime.timezone.utc)
start, end = now - datetime.timedelta(minutes=30), now + datetime.timedelta(minutes=1)
does = [{"Name": "FunctionName", "Value": "does"}]


def statistics(metric, period, dimensions=does, **more):
    return client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=start,
        EndTime=end,
        Period=period,
        **(more or {"Statistics": ["Sum"]}),
    )


def total(*arguments):
    return sum(point["Sum"] for point in statistics(*arguments)["Datapoints"])


hour = 3600
assert total("Invocations", hour) == 4, statistics("Invocations", hour)
assert total("Errors", hour) == 1
assert total("Invocations", hour, []) == 4
assert total("Invocations", hour, does + [{"Name": "Resource", "Value": "does"}]) == 4
assert total("Invocations", hour, does + [{"Name": "Resource", "Value": "does:1"}]) == 0
assert total("Nonsense", hour) == 0
average = statistics("Duration", hour, Statistics=["Average", "SampleCount"])["Datapoints"]
assert sum(point["SampleCount"] for point in average) == 4, average
assert all(point["Average"] > 0 and point["Unit"] == "Milliseconds" for point in average), average
if kept == "hours":
    # The minutes were in memory and are gone; the hours are in the ledger.
    assert total("Invocations", 60) == 0
    raise SystemExit

assert total("Invocations", 60) == 4, statistics("Invocations", 60)
points = statistics("Duration", 60, Statistics=["Minimum", "Maximum"], ExtendedStatistics=["p50", "p99.9"])
assert points["Label"] == "Duration"
for point in points["Datapoints"]:
    extended = point["ExtendedStatistics"]
    assert 0 < point["Minimum"] <= extended["p50"] <= extended["p99.9"] <= point["Maximum"], point
    assert point["Timestamp"].tzinfo and point["Timestamp"].second == 0 and start < point["Timestamp"] < end, point
most = statistics("ConcurrentExecutions", 60, Statistics=["Maximum"])["Datapoints"]
assert most and all(point["Maximum"] == 1 for point in most), most

metrics = list(client.get_paginator("list_metrics").paginate(Namespace="AWS/Lambda"))
metrics = [metric for page in metrics for metric in page["Metrics"]]
names = {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}
assert {metric["MetricName"] for metric in metrics} == names, metrics
sets = [[(d["Name"], d["Value"]) for d in metric["Dimensions"]] for metric in metrics]
assert [] in sets and [("FunctionName", "does")] in sets, sets
assert [("FunctionName", "does"), ("Resource", "does")] in sets, sets
assert len(metrics) == 3 * len(names), metrics
only = client.list_metrics(MetricName="Errors", Dimensions=[{"Name": "Resource"}])["Metrics"]
assert len(only) == 1, only
assert client.list_metrics(Namespace="AWS/EC2")["Metrics"] == []


def query(identity, metric, stat, **more):
    of = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": does}
    return {"Id": identity, "MetricStat": {"Metric": of, "Period": 60, "Stat": stat}, **more}


queries = [query("calls", "Invocations", "Sum"), query("slow", "Duration", "p99", Label="slowest")]
queries += [query("hidden", "Errors", "Sum", ReturnData=False)]
results = client.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending")
calls, slow = results["MetricDataResults"]
assert (calls["Id"], calls["Label"], calls["StatusCode"]) == ("calls", "Invocations", "Complete"), calls
assert sum(calls["Values"]) == 4 and calls["Timestamps"] == sorted(calls["Timestamps"]), calls
assert len(calls["Timestamps"]) == len(calls["Values"]) == len(slow["Values"]), results
assert slow["Label"] == "slowest" and all(value > 0 for value in slow["Values"]), slow


def refused(code, operation, *arguments, **more):
    try:
        operation(*arguments, **more)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise SystemExit(f"{code} was not raised")


assert "61" in refused("InvalidParameterValue", statistics, "Errors", 61)
refused("InvalidParameterCombination", client.get_metric_statistics, Namespace="n", MetricName="m", StartTime=end, EndTime=start, Period=60, Statistics=["Sum"])
math = [{"Id": "m", "Expression": "SUM(METRICS())"}]
assert "Expression" in refused("InvalidParameterValue", client.get_metric_data, MetricDataQueries=math, StartTime=start, EndTime=end)
refused("InvalidAction", client.put_metric_data, Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}])
stranger = boto3.client("cloudwatch", endpoint_url=os.environ["AWS_ENDPOINT_URL_LAMBDA"], aws_secret_access_key="x", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
refused("SignatureDoesNotMatch", stranger.list_metrics)

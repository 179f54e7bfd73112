"""Metrics that a function has written into its log."""

import datetime
import os

import boto3

client = boto3.client("cloudwatch", endpoint_url=os.environ["AWS_ENDPOINT_URL_LAMBDA"])
now = datetime.datetime.now(datetime.timezone.utc)
start, end = now - datetime.timedelta(minutes=30), now + datetime.timedelta(minutes=1)

metrics = client.list_metrics(Namespace="shop")["Metrics"]
cart = [{"Name": "service", "Value": "cart"}]
assert [(metric["MetricName"], metric["Dimensions"]) for metric in metrics] == [("items", []), ("items", cart)], metrics
for dimensions in ([], cart):
    (point,) = client.get_metric_statistics(
        Namespace="shop",
        MetricName="items",
        Dimensions=dimensions,
        StartTime=start,
        EndTime=end,
        Period=60,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum", "Average"],
    )["Datapoints"]
    found = [point[name] for name in ("Sum", "SampleCount", "Minimum", "Maximum", "Unit")]
    assert found == [8, 3, 1, 5, "Count"], point
stat = {"Metric": {"Namespace": "shop", "MetricName": "items", "Dimensions": cart}, "Period": 3600, "Stat": "Sum"}
(data,) = client.get_metric_data(MetricDataQueries=[{"Id": "i", "MetricStat": stat}], StartTime=start, EndTime=end)["MetricDataResults"]
assert data["Values"] == [8], data

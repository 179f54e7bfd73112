//! CloudWatch's metrics: an unmodified boto3 and aws, and each protocol by hand.

use std::path::Path;

use harness::{Platform, http, python};
use serde_json::json;

use crate::common::{patient, platform};

async fn called() -> Platform {
    let platform = platform().await;
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    let fail = json!({"do": "fail", "message": "m"});
    for event in [&json!({"do": "echo"}), &json!({"do": "echo"}), &fail, &json!({"do": "echo"})] {
        platform.invoke("does", event).await.expect(200);
    }
    platform
}

fn script(platform: &Platform, kept: &str) {
    let path = harness::root().join("tests/platform/boto3/metrics.py");
    python::boto3(platform, path.to_str().unwrap(), &[Path::new(kept)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_metrics_of_cloudwatch() {
    let mut platform = called().await;
    script(&platform, "minutes");
    platform.stop();
    platform.start_again();
    script(&platform, "hours");
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_reads_metrics_of_cloudwatch() {
    let platform = called().await;
    let endpoint = platform.endpoint();
    let aws = |arguments: &[&str]| {
        let common = ["--endpoint-url", &endpoint, "--output", "json", "cloudwatch"];
        python::aws(&platform, &[&common, arguments].concat()).json()
    };
    let range = ["--start-time", "2026-01-01T00:00:00Z", "--end-time", "2099-01-01T00:00:00Z"];
    let metric = ["--namespace", "AWS/Lambda", "--metric-name", "Invocations", "--period", "86400"];
    // 73 years of days are too many.
    let dimension = ["--dimensions", "Name=FunctionName,Value=does"];
    let asked = [&["get-metric-statistics"][..], &metric, &dimension, &["--statistics", "Sum"]].concat();
    let days = range_of_days();
    let near: Vec<&str> = ["--start-time", &days.0, "--end-time", &days.1].to_vec();
    let answer = aws(&[&asked[..], &near].concat());
    let sum: f64 = answer["Datapoints"].as_array().unwrap().iter().map(|point| point["Sum"].as_f64().unwrap()).sum();
    assert!((sum - 4.0).abs() < f64::EPSILON, "{answer}");
    let common = ["--endpoint-url", &endpoint, "cloudwatch"];
    let refused = python::aws_unchecked(&platform, &[&common, &asked[..], &range].concat());
    assert!(refused.code != Some(0) && refused.stderr.contains("InvalidParameterCombination"), "{refused:?}");
    let listed = aws(&["list-metrics", "--metric-name", "Errors"]);
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 3, "{listed}");
}

/// From yesterday to tomorrow, as seconds since the Unix epoch.
fn range_of_days() -> (String, String) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    ((now - 86_400).to_string(), (now + 86_400).to_string())
}

/// Older clients write forms and read XML; others speak JSON.
#[tokio::test(flavor = "multi_thread")]
async fn forms_and_json_are_answered_in_kind() {
    let platform = called().await;
    let client = harness::Client { service: "monitoring".to_owned(), ..platform.client.clone() };
    let (start, end) = range_of_days();
    let form = format!(
        "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FLambda&MetricName=Invocations&Period=86400\
         &Dimensions.member.1.Name=FunctionName&Dimensions.member.1.Value=does&Statistics.member.1=Sum\
         &StartTime={start}&EndTime={end}"
    );
    let mut request = http::request("POST", "/", form);
    let content_type = "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap();
    request.headers_mut().insert("content-type", content_type);
    let reply = client.send(request).await.expect(200);
    assert_eq!(reply.header("content-type"), "text/xml");
    let xml = reply.text();
    let begins = "<?xml version=\"1.0\"?>\n<GetMetricStatisticsResponse \
                  xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricStatisticsResult>\
                  <Label>Invocations</Label><Datapoints><member><Timestamp>";
    assert!(xml.starts_with(begins) && xml.contains("<Unit>Count</Unit><Sum>4</Sum></member>"), "{xml}");
    let refused = client.send(http::request("POST", "/", "Action=PutMetricAlarm")).await.expect(400);
    assert!(refused.text().contains("<Code>InvalidAction</Code>"), "{}", refused.text());
    let refused = client.send(http::request("POST", "/", "Action=ListMetrics&Namespace=%3Cx")).await.expect(200);
    assert!(refused.text().contains("<Metrics></Metrics>"), "{}", refused.text());

    let mut request = http::request("POST", "/", json!({"MetricName": "Errors"}).to_string());
    let target = "GraniteServiceVersion20100801.ListMetrics".parse().unwrap();
    request.headers_mut().insert("x-amz-target", target);
    let listed = client.send(request).await.expect(200);
    assert_eq!(listed.header("content-type"), "application/x-amz-json-1.0");
    assert_eq!(listed.json()["Metrics"][0]["Namespace"], "AWS/Lambda", "{}", listed.text());
    // Signed for Lambda it is no request of CloudWatch's.
    platform.client.send(http::request("POST", "/", "Action=ListMetrics")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_embedded_metric_format_become_metrics() {
    let platform = platform().await;
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let line = |items: serde_json::Value| {
        json!({
            "_aws": {"Timestamp": u64::try_from(now).unwrap(), "CloudWatchMetrics": [{
                "Namespace": "shop",
                "Dimensions": [["service"], []],
                "Metrics": [{"Name": "items", "Unit": "Count"}],
            }]},
            "service": "cart",
            "items": items,
        })
        .to_string()
    };
    for text in [line(json!(5)), line(json!([1, 2])), line(json!("many")), "{\"_aws\": 1}".to_owned()] {
        platform.invoke("does", &json!({"do": "print", "lines": 0, "text": text})).await.expect(200);
    }
    let path = harness::root().join("tests/platform/boto3/embedded.py");
    python::boto3(&platform, path.to_str().unwrap(), &[]);
    assert!(platform.logged("does", "many").await.iter().any(|line| line.starts_with('{')), "a line stays a line");
}

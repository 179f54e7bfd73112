//! Throttles from end to end: told at once by every door, counted everywhere, and
//! nobody else's affair.

use std::fs;
use std::time::Duration;

use harness::http::within;
use harness::{Options, Platform, Reply, Url, awscli, http, process, python, tiny};
use serde_json::{Value, json};

use crate::common::{PROGRAM, patient};

/// Time for one call of the aws CLI, on a machine that is busy.
const CLI_MAX: Duration = Duration::from_secs(60);
const ACCOUNT: &str = "ConcurrentInvocationLimitExceeded";
const FUNCTION: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";

/// How many calls of a function were throttled, and how many ran, as each part of the
/// platform tells it.
struct Told {
    throttles: u64,
    invocations: u64,
}

/// A platform with these limits, and on it `busy` and `other`, which sleep when they are
/// told to, `quick`, and `server`, which gets requests themselves.
async fn limited(arguments: &[&str]) -> (Platform, Vec<Url>) {
    let platform = Platform::start(Options::new(PROGRAM).with(arguments)).await;
    let sleeper = platform.sign(&test_guests::component("guest-function"));
    for name in ["busy", "other"] {
        platform.create(&patient(name, &sleeper)).await;
    }
    platform.deploy("quick", &tiny::constant("7")).await;
    platform.create(&patient("server", &platform.sign(&test_guests::component("guest-http")))).await;
    let mut urls = Vec::new();
    for (name, mode) in [("busy", "BUFFERED"), ("quick", "RESPONSE_STREAM"), ("server", "RESPONSE_STREAM")] {
        urls.push(platform.url(name, mode).await);
    }
    (platform, urls)
}

/// Lambda's answer to a call too many, to the letter.
fn throttled(reply: &Reply, reason: &str) {
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert_eq!(reply.text(), format!(r#"{{"Reason":"{reason}","Type":"User","message":"Rate Exceeded."}}"#));
    let told = ["content-type", "x-amzn-errortype", "retry-after"].map(|name| reply.header(name).to_owned());
    assert_eq!(told, ["application/json", "TooManyRequestsException", "1"]);
    assert_eq!(reply.header("x-amzn-requestid").len(), 36, "{reply:?}");
}

/// Runs a call that sleeps beside `during`, which must end first.
async fn beside<T>(platform: &Platform, name: &str, during: impl Future<Output = T>) -> T {
    let sleep = json!({"do": "sleep", "ms": 15_000});
    let running = async {
        platform.logged(name, "START").await;
        during.await
    };
    tokio::select! {
        reply = platform.invoke(name, &sleep) => panic!("it ended before others were tried: {}", reply.text()),
        done = running => done,
    }
}

async fn by_stream(platform: &Platform, name: &str) -> Reply {
    let path = format!("/2021-11-15/functions/{name}/response-streaming-invocations");
    platform.client.json("POST", &path, &json!({})).await
}

/// Waits until nothing runs any more: calls whose callers left go on.
async fn idle(platform: &Platform) {
    let idle = async {
        while platform.client.get("/lamina/v1/status").await.expect(200).json()["Running"] != 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("the end of all calls", idle).await;
}

/// The ledger, Prometheus' page and CloudWatch have the same numbers.
async fn counted(platform: &Platform, name: &str, expect: &Told) {
    let usage = platform.cli(&["--output", "json", "usage"]).ok().json();
    let row = usage["Usage"].as_array().unwrap().iter().find(|row| row["FunctionName"] == name).cloned();
    let row = row.unwrap_or_else(|| panic!("no {name} in {usage}"));
    assert_eq!(
        (&row["Throttles"], &row["Invocations"]),
        (&json!(expect.throttles), &json!(expect.invocations)),
        "{row}"
    );
    let admin = fs::read_to_string(platform.data().join("admin")).unwrap();
    let admin = admin.trim().strip_prefix("http://").unwrap();
    let metrics = http::send(admin, http::request("GET", "/metrics", "")).await.expect(200).text();
    let line = format!(r#"lamina_lambda_throttles_total{{function="{name}",version="$LATEST"}} {}"#, expect.throttles);
    assert!(metrics.lines().any(|found| found == line), "`{line}` is not in:\n{metrics}");
    let client = harness::Client { service: "monitoring".to_owned(), ..platform.client.clone() };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (metric, expect) in [("Throttles", expect.throttles), ("Invocations", expect.invocations)] {
        let asked = json!({
            "Namespace": "AWS/Lambda", "MetricName": metric, "Period": 60, "Statistics": ["Sum"],
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
            "StartTime": now - 3_600, "EndTime": now + 60,
        });
        let mut request = http::request("POST", "/", asked.to_string());
        let target = "GraniteServiceVersion20100801.GetMetricStatistics".parse().unwrap();
        request.headers_mut().insert("x-amz-target", target);
        let told = client.send(request).await.expect(200).json();
        let points: &Vec<Value> = told["Datapoints"].as_array().unwrap();
        let sum: f64 = points.iter().filter_map(|point| point["Sum"].as_f64()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few calls")]
        let expect = expect as f64;
        assert!((sum - expect).abs() < 0.5, "{name} {metric}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_too_many_is_told_by_every_door_and_counted_everywhere() {
    let (platform, urls) = limited(&["--concurrency-max", "2", "--function-concurrency-max", "1"]).await;
    let [busy, quick, server] = &urls[..] else { panic!("three") };
    let function_full = async {
        for _ in 0..3 {
            throttled(&busy.get("/").await, FUNCTION);
        }
        throttled(&platform.invoke("busy", &json!({})).await, FUNCTION);
        throttled(&by_stream(&platform, "busy").await, FUNCTION);
        // Others are served, and so is the API.
        quick.get("/").await.expect(200);
        server.get("/").await.expect(200);
        platform.client.get("/2015-03-31/functions/busy").await.expect(200);
        beside(&platform, "other", async {
            throttled(&quick.get("/").await, ACCOUNT);
            throttled(&server.get("/").await, ACCOUNT);
            throttled(&platform.invoke("quick", &json!({})).await, ACCOUNT);
            throttled(&by_stream(&platform, "quick").await, ACCOUNT);
            // What is asked of the function first is its own limit.
            throttled(&busy.get("/").await, FUNCTION);
            platform.client.get("/2015-03-31/functions/quick").await.expect(200);
        })
        .await;
    };
    beside(&platform, "busy", function_full).await;
    idle(&platform).await;
    for url in [busy, quick, server] {
        url.get("/").await.expect(if url.url == busy.url { 502 } else { 200 });
    }
    counted(&platform, "busy", &Told { throttles: 6, invocations: 2 }).await;
    counted(&platform, "quick", &Told { throttles: 3, invocations: 2 }).await;
    counted(&platform, "server", &Told { throttles: 1, invocations: 2 }).await;
    counted(&platform, "other", &Told { throttles: 0, invocations: 1 }).await;
}

/// More calls may run than there are places for instances: those are the limit then.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_finds_no_place_in_the_pool_is_throttled() {
    let (platform, urls) = limited(&["--instances-max", "2"]).await;
    let [busy, quick, server] = &urls[..] else { panic!("three") };
    let full = beside(&platform, "other", async {
        throttled(&quick.get("/").await, ACCOUNT);
        throttled(&busy.get("/").await, ACCOUNT);
        throttled(&server.get("/").await, ACCOUNT);
        throttled(&platform.invoke("quick", &json!({})).await, ACCOUNT);
        throttled(&by_stream(&platform, "quick").await, ACCOUNT);
        platform.client.get("/2015-03-31/functions/quick").await.expect(200);
    });
    beside(&platform, "busy", full).await;
    idle(&platform).await;
    quick.get("/").await.expect(200);
    server.get("/").await.expect(200);
    counted(&platform, "quick", &Told { throttles: 3, invocations: 1 }).await;
    counted(&platform, "server", &Told { throttles: 1, invocations: 1 }).await;
    counted(&platform, "busy", &Told { throttles: 1, invocations: 1 }).await;
}

/// What botocore and the aws CLI raise past each limit.
#[tokio::test(flavor = "multi_thread")]
async fn clients_raise_what_they_raise_on_lambda() {
    let arguments = ["--function-concurrency-max", "1", "--head-bytes-max", "8192", "--head-fields-max", "40"];
    let (platform, _urls) = limited(&arguments).await;
    platform.deploy("echo", &tiny::echo()).await;
    platform.create(&patient("streams", &platform.sign(&test_guests::component("guest-stream")))).await;
    let script = harness::root().join("tests/platform/boto3/limits.py");
    python::boto3(&platform, script.to_str().unwrap(), &[]);
    // The same by the aws CLI, whose texts are botocore's.
    let file = |name: &str, bytes: usize| {
        let path = platform.home().join(name);
        fs::write(&path, format!("\"{}\"", "x".repeat(bytes - 2))).unwrap();
        format!("fileb://{}", path.display())
    };
    let call = |function: &str, payload: &str, more: &[&str]| {
        let words = [&["lambda", "invoke", "--function-name", function, "--payload", payload], more, &["out"]].concat();
        process::run(&mut awscli::aws(&platform, &words), CLI_MAX)
    };
    let refused = call("echo", &file("large", 6_291_457), &[]).exited(254).stderr;
    for text in [
        "An error occurred (RequestEntityTooLargeException) when calling the Invoke operation",
        ": Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    ] {
        assert!(refused.contains(text), "{refused}");
    }
    call("echo", &file("largest", 6_291_456), &[]).ok();
    assert_eq!(fs::metadata(platform.home().join("out")).unwrap().len(), 6_291_456);
    let answered = call("streams", &file_of(&platform, &json!({"do": "endless", "bytes": 65_536})), &[]).ok();
    assert_eq!(answered.json()["FunctionError"], "Unhandled");
    let out = fs::read_to_string(platform.home().join("out")).unwrap();
    assert!(out.contains(r#""errorType":"Function.ResponseSizeTooLarge""#), "{out}");
    beside(&platform, "busy", async {
        let refused = call("busy", &file_of(&platform, &json!({})), &[]).exited(254);
        let error = "An error occurred (TooManyRequestsException) when calling the Invoke operation";
        assert!(refused.stderr.contains(error) && refused.stderr.contains("Rate Exceeded."), "{}", refused.stderr);
    })
    .await;
}

fn file_of(platform: &Platform, event: &Value) -> String {
    let path = platform.home().join("event");
    fs::write(&path, event.to_string()).unwrap();
    format!("fileb://{}", path.display())
}

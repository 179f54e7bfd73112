//! What a call gets and how it ends: limits, failures, isolation.

use std::time::{Duration, Instant};

use harness::{creation, http};
use serde_json::json;

use crate::common::{common, failure, platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_is_told_what_lambda_tells() {
    let common = common().await;
    let reply = common.platform.invoke("does", &json!({"do": "echo", "value": {"a": [1]}})).await.expect(200);
    let answer = reply.json();
    assert_eq!(answer["event"], json!({"a": [1]}));
    let context = &answer["context"];
    assert_eq!(context["requestId"], reply.header("x-amzn-requestid"));
    assert_eq!(context["functionName"], "does");
    assert_eq!(context["functionVersion"], "$LATEST");
    assert_eq!(context["invokedFunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:does");
    assert_eq!(context["memoryLimitMb"], 128);
    assert_eq!(context["logGroupName"], "/aws/lambda/does");
    let remaining_ms = context["remainingMs"].as_u64().unwrap();
    assert!((10_000..=20_000).contains(&remaining_ms), "{remaining_ms}");
    assert_eq!(reply.header("x-amz-executed-version"), "$LATEST");
    assert!(reply.header("x-amzn-trace-id").starts_with("Root=1-"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_its_own_environment_and_nothing_of_the_hosts() {
    let platform = platform().await;
    let mut creation = creation("does", &platform.sign(&test_guests::component("guest-function")));
    creation["Environment"] = json!({"Variables": {"MINE": "yes"}});
    platform.create(&creation).await;
    let answer = platform.invoke("does", &json!({"do": "env"})).await.expect(200).json();
    let environment = answer["environment"].as_object().unwrap();
    assert_eq!(environment["MINE"], "yes");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "does");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST");
    assert_eq!(environment["AWS_REGION"], "us-east-1");
    assert_eq!(environment["LAMBDA_TASK_ROOT"], "/var/task");
    assert_eq!(environment.get("HOME"), None);
    assert_eq!(environment.get("AWS_EXECUTION_ENV"), None, "provided.* runtimes have none");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_data_and_the_next_call_is_served() {
    let common = common().await;
    let call = async |event: serde_json::Value| failure(&common.platform.invoke("does", &event).await);

    let (kind, message) = call(json!({"do": "fail", "message": "no luck"})).await;
    assert_eq!((kind.as_str(), message.as_str()), ("Test.Failed", "no luck"));
    let (kind, message) = call(json!({"do": "panic", "message": "the sky fell"})).await;
    assert_eq!(kind, "Runtime.Panic");
    assert!(message.contains("the sky fell") && message.contains(".rs:"), "{message}");
    let (kind, message) = call(json!({"do": "exit", "status": 3})).await;
    assert_eq!(kind, "Runtime.ExitError");
    // WASI 0.2's exit knows success and failure, no numbers.
    assert!(message.contains("exit status 1"), "{message}");
    let (kind, _) = call(json!({"do": "fill"})).await;
    assert_eq!(kind, "Runtime.OutOfMemory");
    let (kind, message) = call(json!({"do": "big", "bytes": 6_291_557})).await;
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert_eq!(message, "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
    let (kind, _) = call(json!({"do": "overflow"})).await;
    assert!(kind.starts_with("Runtime."), "{kind}");
    let (kind, _) = call(json!({"do": "trap"})).await;
    assert!(kind.starts_with("Runtime."), "{kind}");

    let largest = common.platform.invoke("does", &json!({"do": "big", "bytes": 6_291_556})).await.expect(200);
    assert_eq!((largest.body.len(), largest.header("x-amz-function-error")), (6_291_556, ""));
    let reply = common.platform.invoke("does", &json!({"do": "echo", "value": 1})).await;
    assert_eq!(reply.json()["event"], 1);
}

/// A guest that computes and one that waits are both stopped at the timeout, and
/// neither holds up other calls.
#[tokio::test(flavor = "multi_thread")]
async fn calls_end_at_their_timeout() {
    let platform = platform().await;
    let guest = platform.sign(&test_guests::component("guest-function"));
    let mut short = creation("short", &guest);
    short["Timeout"] = json!(1);
    platform.create(&short).await;
    platform.deploy("echo", &harness::tiny::echo()).await;
    let begun = Instant::now();
    let short = async |event: serde_json::Value| platform.invoke("short", &event).await;
    let (spin, sleep, blocked, quick) = tokio::join!(
        short(json!({"do": "spin"})),
        short(json!({"do": "sleep", "ms": 60_000})),
        short(json!({"do": "sleep-blocking", "ms": 60_000})),
        async {
            let quick = platform.invoke("echo", &json!(1)).await;
            (quick, begun.elapsed())
        },
    );
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((quick.0.status, quick.1 < Duration::from_millis(900)), (200, true), "{:?}", quick.1);
    for reply in [spin, sleep, blocked] {
        let id = reply.header("x-amzn-requestid").to_owned();
        let (kind, message) = failure(&reply);
        assert_eq!(kind, "Sandbox.Timedout");
        assert_eq!(message, format!("RequestId: {id} Error: Task timed out after 1.00 seconds"));
    }
    let lines = platform.logged("short", "Status: timeout").await;
    let timed_out = lines.iter().filter(|line| line.contains("Task timed out after 1.00 seconds")).count();
    assert_eq!(timed_out, 3, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_runs_check_and_run_nothing() {
    let common = common().await;
    let call = async |name: &str| {
        let mut request = http::request("POST", &format!("/2015-03-31/functions/{name}/invocations"), "{}");
        request.headers_mut().insert("x-amz-invocation-type", "DryRun".parse().unwrap());
        common.platform.client.send(request).await
    };
    let reply = call("hello").await.expect(204);
    assert_eq!((reply.body.len(), reply.header("x-amz-executed-version")), (0, ""));
    call("none").await.refused(404, "ResourceNotFoundException", "Function not found: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_named_in_every_way_lambda_allows() {
    let common = common().await;
    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aecho";
    for name in ["echo", "function%3Aecho", "000000000000%3Afunction%3Aecho", arn, "echo%3A%24LATEST"] {
        let reply = common.platform.invoke(name, &json!(name)).await.expect(200);
        assert_eq!(reply.json(), name);
    }
    common.platform.invoke("echo%3A7", &json!(1)).await.refused(404, "ResourceNotFoundException", ":echo:7");
    let elsewhere = arn.replace("us-east-1", "eu-west-1");
    common.platform.invoke(&elsewhere, &json!(1)).await.refused(404, "ResourceNotFoundException", "eu-west-1");
}

/// An HTTP server has no event to be invoked with.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_not_invoked_and_a_stream_is_collected() {
    let common = common().await;
    let reply = common.platform.invoke("server", &json!({})).await;
    assert!((400..500).contains(&reply.status) && reply.text().contains("function-http"), "{reply:?}");
    let reply = common.platform.invoke("countdown", &json!({"from": 2, "pause_ms": 1})).await.expect(200);
    assert_eq!(reply.text(), "2\n1\nlift-off\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_reach_nothing_they_were_not_granted() {
    let common = common().await;
    let port: u16 = common.platform.client.authority.rsplit(':').next().unwrap().parse().unwrap();
    for event in [json!({"do": "connect", "port": port}), json!({"do": "escape"}), json!({"do": "write-task"})] {
        let answer = common.platform.invoke("does", &event).await.expect(200).json();
        let attempts = answer.as_object().unwrap_or_else(|| panic!("{event}: {answer}"));
        assert!(attempts.len() >= 5, "{event}: {answer}");
        assert!(attempts.values().all(|outcome| outcome.is_string() && outcome != "done"), "{event}: {answer}");
    }
    let task = common.platform.invoke("does", &json!({"do": "read-task"})).await.expect(200).json();
    assert_eq!((&task["names"], &task["magic"]), (&json!(["bootstrap.wasm"]), &json!([0, 97, 115, 109])));
}

/// The same stream that a URL would break off is one failure when it is collected.
#[tokio::test(flavor = "multi_thread")]
async fn a_collected_stream_fails_as_a_whole() {
    let common = common().await;
    for (event, kind, text) in [
        ("fail-before", "Test.Failed", "before the head"),
        ("fail-after", "Test.Failed", "after the first byte"),
        ("panic-before", "Runtime.Panic", "before the head"),
        ("panic-after", "Runtime.Panic", "after the first byte"),
    ] {
        let (got, message) = failure(&common.platform.invoke("streams", &json!({ "do": event })).await);
        assert!(got == kind && message.contains(text), "{event}: {got}: {message}");
    }
    for (event, body) in [("nothing", "null"), ("empty", ""), ("prelude", "made")] {
        let reply = common.platform.invoke("streams", &json!({ "do": event })).await.expect(200);
        assert_eq!((reply.text().as_str(), reply.header("x-amz-function-error")), (body, ""), "{event}");
    }
    let endless = common.platform.invoke("streams", &json!({"do": "endless", "bytes": 65_536})).await;
    assert_eq!(failure(&endless).0, "Function.ResponseSizeTooLarge");
}

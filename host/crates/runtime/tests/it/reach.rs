//! An instance reaches what it was granted, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Called, Host};

#[tokio::test]
async fn the_context_has_every_fact_of_the_call() {
    let host = Host::new();
    let before_ms = host.clock.epoch_micros() / 1_000;
    let function = host.function("guest-function").await;
    let call = host.prepared(function, br#"{"do": "echo", "value": {"a": [1, "\u00e9"]}}"#).await;
    let (id, stream) = (call.invocation.request_id.to_string(), call.log.stream().to_owned());
    let answer = Called::of(host.runtime.buffered(call).unwrap().await.unwrap()).answer();
    assert_eq!(answer["event"], json!({"a": [1, "\u{e9}"]}));
    let mut context = answer["context"].clone();
    let deadline_ms = context["deadlineMs"].take().as_u64().unwrap();
    assert!(deadline_ms >= before_ms + 60_000 && deadline_ms < before_ms + 120_000, "{deadline_ms}");
    let remaining_ms = context["remainingMs"].take().as_u64().unwrap();
    assert!(remaining_ms > 30_000 && remaining_ms <= 60_000, "{remaining_ms}");
    let expect = json!({
        "requestId": id,
        "functionName": "tested",
        "functionVersion": "7",
        "invokedFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:tested:live",
        "memoryLimitMb": 128,
        "deadlineMs": null,
        "remainingMs": null,
        "logGroupName": "/aws/lambda/tested",
        "logStreamName": stream,
        "traceId": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
        "clientContext": "{\"custom\":{}}",
        "identity": null,
    });
    assert_eq!(context, expect);
}

#[tokio::test]
async fn the_environment_is_lambdas_and_the_functions_own() {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    let own = [("COLOUR", "green"), ("LANG", "de_DE.UTF-8")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    function.environment = Arc::new(BTreeMap::from(own));
    let call = host.prepared(function, br#"{"do": "env"}"#).await;
    let stream = call.log.stream().to_owned();
    let answer = Called::of(host.runtime.buffered(call).unwrap().await.unwrap()).answer();
    let expect = json!({
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "tested",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": "eu-central-1",
        "COLOUR": "green",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LANG": "de_DE.UTF-8",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
        "_HANDLER": "bootstrap",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
    });
    assert_eq!(answer["environment"], expect);
    assert_eq!(answer["arguments"], json!(["bootstrap"]));
    assert_eq!(answer["directory"], "/var/task");
}

#[tokio::test]
async fn the_package_can_be_read() {
    let host = Host::new();
    let component = test_guests::component("guest-function");
    let answer = host.call(json!({"do": "read-task"})).await.answer();
    assert_eq!(answer["names"], json!(["bootstrap.wasm"]));
    assert_eq!(answer["magic"], json!([0, b'a', b's', b'm']));
    assert_eq!(answer["length"], component.len());
}

fn all_refused(answer: &Value, attempts: usize) {
    let outcomes = answer.as_object().unwrap();
    assert_eq!(outcomes.len(), attempts, "{answer}");
    for (name, outcome) in outcomes {
        assert_ne!(outcome, "done", "{name} of {answer}");
    }
}

#[tokio::test]
async fn the_package_cannot_be_changed() {
    let host = Host::new();
    let function = host.function("guest-function").await;
    all_refused(&host.run(&function, json!({"do": "write-task"})).await.answer(), 9);
    let stored = host.artifacts.get(&function.component).await.unwrap();
    assert_eq!(stored, test_guests::component("guest-function"));
    let package = host.artifacts.package_dir(&function.component).await.unwrap();
    assert_eq!(package.entries().unwrap().count(), 1);
}

#[tokio::test]
async fn nothing_outside_the_package_opens() {
    let host = Host::new();
    all_refused(&host.call(json!({"do": "escape"})).await.answer(), 10);
}

/// The socket exists, so that a refusal is the platform's and not the network's.
#[tokio::test]
async fn there_is_no_network() {
    let host = Host::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    all_refused(&host.call(json!({"do": "connect", "port": port})).await.answer(), 5);
    let accepted = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(accepted.is_err(), "nobody came");
}

#[tokio::test]
async fn handles_are_bounded() {
    let host = Host::new();
    let called = host.call(json!({"do": "open-many"})).await;
    assert_eq!(called.failed_with(), ("Runtime.ExitError", "resource table has no free keys"));
}

#[tokio::test]
async fn one_read_of_randomness_is_bounded() {
    let host = Host::new();
    assert_eq!(host.call(json!({"do": "random", "bytes": 1 << 20})).await.answer(), 1 << 20);
    let called = host.call(json!({"do": "random", "bytes": (1 << 20) + 1})).await;
    assert_eq!(called.failure().error_type, "Runtime.ExitError", "{called:?}");
}

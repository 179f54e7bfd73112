//! How a call fails, as its caller and its log see it.

use lamina_types::Status;
use lamina_types::limits::{REQUEST_PAYLOAD_BYTES_MAX, RESPONSE_PAYLOAD_BYTES_MAX};
use serde_json::json;

use crate::support::Host;

#[tokio::test]
async fn a_returned_error_keeps_type_message_and_chain() {
    let host = Host::new();
    let called = host.call(json!({"do": "fail"})).await;
    let failure = called.failure();
    assert_eq!((&*failure.error_type, &*failure.message), ("Order.Invalid", "order 7 cannot be shipped"));
    assert_eq!(failure.stack[1..], ["caused by: invalid digit found in string"]);
    assert!(failure.stack[0].starts_with("at ") && failure.stack[0].contains("lib.rs:"), "{:?}", failure.stack);
    assert_eq!(called.usage.status, Status::Failure);
    let lines = host.lines();
    assert_eq!(lines[0], "[ERROR] Order.Invalid: order 7 cannot be shipped");
    assert_eq!(lines[2], "  caused by: invalid digit found in string");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn an_event_of_another_shape_is_the_guests_error() {
    let host = Host::new();
    let called = host.call(json!({"do": "what"})).await;
    assert_eq!(called.failure().error_type, "Runtime.UnmarshalError");
    assert!(called.failure().message.starts_with("unknown variant `what`"), "{:?}", called.failure());
}

#[tokio::test]
async fn a_panic_has_its_message_and_place() {
    let host = Host::new();
    let called = host.call(json!({"do": "panic", "message": "out of cheese"})).await;
    let (kind, message) = called.failed_with();
    assert_eq!(kind, "Runtime.Panic");
    assert!(message.starts_with("panicked at ") && message.contains("lib.rs:"), "{message}");
    assert!(message.ends_with(": out of cheese"), "{message}");
    assert_eq!(called.usage.status, Status::Crash);
    let lines = host.lines();
    let said: Vec<_> = lines.iter().filter(|line| line.contains("out of cheese")).collect();
    assert_eq!(said.len(), 1, "{lines:?}");
    assert!(said[0].ends_with("\tRuntime.Panic"), "{lines:?}");
}

#[tokio::test]
async fn a_long_panic_is_cut() {
    let host = Host::new();
    let called = host.call(json!({"do": "panic", "message": "\u{e9}".repeat(100_000)})).await;
    let (kind, message) = called.failed_with();
    assert_eq!(kind, "Runtime.Panic");
    assert!(message.len() < 5_000 && message.ends_with('\u{e9}'), "{}", message.len());
}

#[tokio::test]
async fn a_trap_has_a_readable_backtrace() {
    let host = Host::new();
    let called = host.call(json!({"do": "trap"})).await;
    assert_eq!(called.failed_with(), ("Runtime.ExitError", "wasm trap: wasm `unreachable` instruction executed"));
    let stack = &called.failure().stack;
    let at = |name: &str| stack.iter().position(|line| line.contains(name));
    assert!(at("a_readable_name").is_some_and(|place| place < 4), "{stack:#?}");
    assert!(stack[0].starts_with("at guest_function::abuse::"), "{stack:#?}");
    assert!(stack.len() <= 30, "{stack:#?}");
    assert!(host.lines().iter().any(|line| line.contains("a_readable_name")));
}

#[tokio::test]
async fn exits_are_lambdas() {
    let host = Host::new();
    // WASI 0.2 tells the host whether it went well, and not the number.
    for (status, text) in
        [(0, "Runtime exited without providing a reason"), (3, "Runtime exited with error: exit status 1")]
    {
        let called = host.call(json!({"do": "exit", "status": status})).await;
        let (kind, message) = called.failed_with();
        assert_eq!(kind, "Runtime.ExitError");
        assert_eq!(message, text);
    }
}

#[tokio::test]
async fn endless_recursion_ends() {
    let host = Host::new();
    let called = host.call(json!({"do": "overflow"})).await;
    let (kind, message) = called.failed_with();
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.contains("stack") || message.contains("out of bounds"), "{message}");
    assert!(called.failure().stack.len() <= 30);
}

#[tokio::test]
async fn the_largest_event_and_answer_pass_and_no_larger() {
    let host = Host::new();
    let function = host.function("guest-function").await;
    let value = "x".repeat(REQUEST_PAYLOAD_BYTES_MAX - 40);
    let called = host.run(&function, json!({"do": "burn", "rounds": 1, "padding": value})).await;
    assert!(called.result.is_ok(), "{:?}", called.failure());
    let big = async |bytes: usize| host.run(&function, json!({"do": "big", "bytes": bytes})).await;
    assert_eq!(big(RESPONSE_PAYLOAD_BYTES_MAX).await.result.unwrap().len(), RESPONSE_PAYLOAD_BYTES_MAX);
    // The last is more than the host takes from a guest in one call.
    for bytes in [RESPONSE_PAYLOAD_BYTES_MAX + 1, 9 << 20, 30 << 20] {
        let called = big(bytes).await;
        let expect = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
        assert_eq!(called.failed_with(), ("Function.ResponseSizeTooLarge", expect), "{bytes}");
        assert_eq!(called.usage.status, Status::Failure);
    }
}

#[tokio::test]
async fn a_huge_error_does_not_flood_the_log() {
    let host = Host::new();
    let function = host.function("guest-function").await;
    let message = "x".repeat(5 << 20);
    let called = host.run(&function, json!({"do": "fail", "message": message})).await;
    assert_eq!(called.failure().message.len(), 5 << 20);
    let lines = host.lines();
    assert!(lines.iter().all(|line| line.len() < 20_000) && lines[0].starts_with("[ERROR] Test.Failed: xxx"));
}

#[tokio::test]
async fn an_exhausted_pool_is_not_the_guests_failure() {
    let host = Host::with(lamina_runtime::Config { instances_max: 1, ..Default::default() });
    let function = host.function("guest-function").await;
    host.code(&function).await.unwrap();
    let (first, second) = tokio::join!(
        host.try_run(&function, json!({"do": "sleep", "ms": 200})),
        host.try_run(&function, json!({"do": "echo"})),
    );
    assert!(first.unwrap().result.is_ok());
    assert!(matches!(second, Err(lamina_runtime::RunError::PoolExhausted)), "{second:?}");
}

#[tokio::test]
async fn a_call_of_the_wrong_world_does_not_run() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    let error = host.try_run(&function, json!({"do": "nothing"})).await.unwrap_err();
    assert_eq!(error.to_string(), "the function is a function-stream component, not function");
}

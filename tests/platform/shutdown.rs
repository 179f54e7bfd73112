//! SIGTERM drains; a second signal does not wait.

use std::time::{Duration, Instant};

use harness::{Platform, creation, process};
use serde_json::json;

use crate::common::platform;

async fn patient() -> Platform {
    let platform = platform().await;
    let mut creation = creation("does", &platform.sign(&test_guests::component("guest-function")));
    creation["Timeout"] = json!(120);
    platform.create(&creation).await;
    platform
}

/// Starts a call that takes `ms` and answers when it runs.
async fn running(platform: &Platform, ms: u64) -> tokio::task::JoinHandle<Option<u16>> {
    let client = platform.client.clone();
    let call = tokio::spawn(async move {
        let path = "/2015-03-31/functions/does/invocations";
        let request = client.signed(harness::http::request("POST", path, json!({"do": "sleep", "ms": ms}).to_string()));
        let mut open = harness::http::try_open(&client.authority, request).await.ok()?;
        open.rest().await.1.then_some(open.status.as_u16())
    });
    platform.logged("does", "START").await;
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_running_calls_end() {
    let mut platform = patient().await;
    let call = running(&platform, 3_000).await;
    platform.terminate();
    // Nothing new is taken meanwhile.
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(&platform.client.authority).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_millis(2_500), "a draining server still accepts");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(call.await.unwrap(), Some(200), "the call that ran was cut");
    let status = platform.ended(Duration::from_secs(20));
    assert!(status.success(), "{status}");
}

/// A tail would go on for three hours.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_live_tails() {
    let mut platform = patient().await;
    platform.invoke("does", &json!({"do": "print", "lines": 1})).await.expect(200);
    let client = harness::Client { service: "logs".into(), ..platform.client.clone() };
    let body = json!({ "logGroupIdentifiers": ["/aws/lambda/does"] }).to_string();
    let mut request = harness::http::request("POST", "/", body);
    request.headers_mut().insert("x-amz-target", "Logs_20140328.StartLiveTail".parse().unwrap());
    let mut tail = harness::http::open(&client.authority, client.signed(request)).await;
    assert_eq!(tail.status, 200);
    assert!(tail.chunk().await.is_some_and(|chunk| chunk.is_ok()), "the session starts");
    platform.terminate();
    assert!(tail.rest().await.1, "it ends cleanly");
    let status = platform.ended(Duration::from_secs(20));
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_quits_at_once() {
    let mut platform = patient().await;
    let call = running(&platform, 100_000).await;
    platform.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    platform.terminate();
    let status = platform.ended(Duration::from_secs(10));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!status.success(), "calls were cut, so it did not end well");
    assert_eq!(call.await.unwrap(), None, "the call cannot have been answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_ends_at_once_and_leaves_the_directory_free() {
    let mut platform = platform().await;
    let begun = Instant::now();
    platform.stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    platform.start_again();
    platform.client.get("/lamina/v1/status").await.expect(200);
}

/// The command line refuses what it cannot serve before it touches the disk.
#[tokio::test(flavor = "multi_thread")]
async fn options_that_cannot_be_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [["--signing", "sometimes"], ["--listen", "nowhere"], ["--account", "12"], ["--region", "A B"]] {
        let data = folder.path().join("data");
        let mut command = process::command(crate::common::PROGRAM, folder.path());
        command.arg("serve").arg("--data").arg(&data).args(arguments);
        let ended = process::run(&mut command, Duration::from_secs(30)).exited(2);
        assert!(ended.stderr.contains(arguments[0]), "{}", ended.stderr);
        assert!(!data.exists(), "{arguments:?}");
    }
}

//! Components that were built with other people's tools and libraries, for plain
//! `wasi:http`: each deploys and answers at its URL unmodified.

use harness::{Platform, Url, creation, http};
use serde_json::json;

use crate::common::platform;

/// Deploys a component, and asks of it what all of them do: three words, the echo of
/// a body, an answer by name, an error of their own.
async fn answers(name: &str, component: &[u8]) -> (Platform, Url) {
    let platform = platform().await;
    let mut creation = creation(name, &platform.sign(component));
    creation["MemorySize"] = json!(256);
    // An interpreter takes its time in a debug build.
    creation["Timeout"] = json!(30);
    platform.create(&creation).await;
    let url = platform.url(name, "RESPONSE_STREAM").await;

    let words = url.get("/words?of=three").await.expect(200);
    assert_eq!(words.text(), "one\ntwo\nthree\n");
    assert_eq!(words.header("content-type"), "text/plain");
    assert_eq!(words.header("x-target"), "/words?of=three", "the request itself, without the prefix");

    let large = "0123456789".repeat(50_000);
    let echo = url.send("PUT", "/echo", large.clone()).await.expect(201);
    assert_eq!((echo.header("x-method"), echo.text() == large), ("PUT", true));

    let by_host = url.by_host(http::request("POST", "/echo", "by name")).await.expect(201);
    assert_eq!(by_host.text(), "by name");

    assert!(url.get("/fail").await.status >= 500, "what the handler throws is a server's error");
    url.get("/").await.expect(200);
    platform.logged(name, "REPORT RequestId: ").await;
    (platform, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_made_with_jco_answers_at_its_url() {
    answers("javascript", &harness::javascript::server()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_made_with_componentize_py_answers_at_its_url() {
    let (platform, url) = answers("python", &harness::componentize::server()).await;
    let reply = url.get("/").await.expect(200);
    assert!(reply.header("x-python").starts_with("3."), "it says what runs it: {:?}", reply.headers);
    platform.logged("python", "ValueError: no answer from here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_made_with_wstd_answers_at_its_url() {
    let (_platform, url) = answers("wstd", &test_guests::component("guest-wstd")).await;
    // The echo is passed on as it comes, so that its head is there before its body ends.
    let reply = url.send("POST", "/echo", vec![0xff; 1 << 20]).await.expect(201);
    assert_eq!(reply.body.len(), 1 << 20);
}

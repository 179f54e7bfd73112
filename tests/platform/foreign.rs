//! A component that was built by other people's tools, from JavaScript, for plain
//! `wasi:http`: it deploys and answers at its URL unmodified.

use harness::{creation, http};
use serde_json::json;

use crate::common::platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_component_made_with_jco_answers_at_its_url() {
    let platform = platform().await;
    let mut creation = creation("javascript", &platform.sign(&harness::javascript::server()));
    creation["MemorySize"] = json!(256);
    platform.create(&creation).await;
    let url = platform.url("javascript", "RESPONSE_STREAM").await;

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
    platform.logged("javascript", "REPORT RequestId: ").await;
}

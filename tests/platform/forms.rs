//! The forms in which Lambda's users write handlers in Rust: other people's types of
//! events and answers, and requests and responses of the crate `http`.

use ::http::Request;
use bytes::Bytes;
use harness::{Reply, Url};
use serde_json::{Value, json};

use crate::common::{failure, platform};

#[tokio::test(flavor = "multi_thread")]
async fn events_of_aws_lambda_events_are_events_and_answers() {
    let platform = platform().await;
    platform.deploy("queue", &test_guests::component("guest-sqs")).await;
    // As in Lambda's developer guide.
    let message = |id: &str, body: Value| {
        json!({
            "messageId": id, "receiptHandle": "AQEB", "body": body, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"}, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1",
        })
    };
    let event =
        json!({"Records": [message("1", json!("done")), message("2", json!("again")), message("3", json!("x"))]});
    let answer = platform.invoke("queue", &event).await.expect(200).json();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    let none = platform.invoke("queue", &json!({"Records": [message("4", Value::Null)]})).await;
    assert_eq!(failure(&none), ("Queue.NoBody".to_owned(), "the message 4 has no body".to_owned()));
    let other = platform.invoke("queue", &json!({"records": 1})).await;
    assert_eq!(failure(&other).0, "Runtime.UnmarshalError");

    platform.deploy("gateway", &test_guests::component("guest-gateway")).await;
    let url = platform.url("gateway", "BUFFERED").await;
    let request = Request::put("/a/b?x=1")
        .header("cookie", "a=1; b=2")
        .header("content-type", "text/plain")
        .body(Bytes::from("text"))
        .unwrap();
    let reply = url.request(request).await;
    assert_eq!((reply.status, reply.text().as_str()), (202, "PUT /a/b [x=1] text"));
    assert_eq!(reply.header("x-from"), "gateway");
    assert_eq!(cookies(&reply), ["a=1", "b=2"]);
}

fn cookies(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_come_in_and_responses_go_out() {
    let platform = platform().await;
    platform.deploy("request", &test_guests::component("guest-request")).await;
    let url = platform.url("request", "BUFFERED").await;
    tells_the_request(&url).await;
    answers(&url).await;
    // Of an invoke that is no request.
    let (kind, message) = failure(&platform.invoke("request", &json!({"name": "Ada"})).await);
    assert_eq!(kind, "Runtime.UnmarshalError");
    assert!(message.starts_with("the event is no HTTP request of payload format 2.0: "), "{message}");
}

/// Method, host, path, query, cookies, headers and body, text or not.
async fn tells_the_request(url: &Url) {
    let request = Request::patch("/a%20b/%C3%A4?x=1&x=2&y=%26+z&empty")
        .header("cookie", "a=1; b=2")
        .header("x-many", "1")
        .header("x-many", "2")
        .header("content-type", "text/plain")
        .body(Bytes::from("t\u{e4}xt"))
        .unwrap();
    let reply = url.request(request).await;
    assert_eq!((reply.status, reply.header("content-type")), (201, "application/json"), "{}", reply.text());
    let told = reply.json();
    assert!(told["host"].as_str().unwrap().starts_with(&url.id), "{told}");
    let expect = json!({
        "method": "PATCH", "host": told["host"], "path": "/a%20b/%C3%A4",
        "query": [["x", "1"], ["x", "2"], ["y", "& z"], ["empty", ""]],
        "cookie": "a=1; b=2", "x-many": "1,2", "body": "t\u{e4}xt", "address": "127.0.0.1", "function": "request",
    });
    assert_eq!(told, expect);
    let plain = url.get("/").await.json();
    let seen = ["method", "query", "cookie", "body"].map(|member| plain[member].clone());
    assert_eq!(seen, [json!("GET"), json!([]), Value::Null, json!("")]);
}

/// Bytes there and back, no body, several of one header, cookies, and an error.
async fn answers(url: &Url) {
    let bytes: Vec<u8> = (0..=255).collect();
    let request = Request::post("/bytes").header("content-type", "application/octet-stream");
    let reply = url.request(request.body(Bytes::from(bytes.clone())).unwrap()).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/octet-stream"));
    assert!(reply.body.iter().rev().eq(bytes.iter()), "{:?}", reply.body);
    let reply = url.get("/nothing").await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let reply = url.get("/many").await;
    assert_eq!((reply.status, reply.text().as_str(), reply.header("x-many")), (200, "two of each", "1,2"));
    assert_eq!(cookies(&reply), ["a=1; Path=/", "b=2"]);
    assert_eq!(url.get("/fail").await.status, 502);
}

//! HTTP/1.1 to the letter, spoken by hand.

use std::time::Duration;

use harness::{Platform, http};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::common;

/// Sends bytes and reads until the server closes or says nothing for a second.
async fn say(platform: &Platform, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(&platform.client.authority).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_request_after_request() {
    let common = common().await;
    let id = &common.hello.id;
    let get = |name: &str| format!("GET /_url/{id}/?name={name} HTTP/1.1\r\nhost: x\r\n\r\n");
    // The second is sent before the first is answered.
    let answers = say(&common.platform, (get("Ada") + &get("Grace")).as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers}");
    let (ada, grace) = (answers.find("Hello, Ada!"), answers.find("Hello, Grace!"));
    assert!(ada.is_some() && ada < grace, "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_come_in_chunks_and_after_a_promise() {
    let common = common().await;
    let id = &common.echo.id;
    let chunked = format!(
        "POST /_url/{id}/ HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    );
    let answer = say(&common.platform, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(r#""body":"abcde""#), "{answer}");
    let promise = format!(
        "POST /_url/{id}/ HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nxyz"
    );
    let answer = say(&common.platform, promise.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(r#""body":"xyz""#) && !answer.contains(r#""expect""#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_no_body() {
    let common = common().await;
    for url in [&common.hello, &common.server, &common.countdown] {
        let head = format!("HEAD /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", url.id);
        let answer = say(&common.platform, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert_eq!(answer.matches("\r\n\r\n").count(), 1, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_and_others_are_served() {
    let common = common().await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(1 << 20));
    let two_lengths = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    for bytes in ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n", two_lengths, &large] {
        let answer = say(&common.platform, bytes.as_bytes()).await;
        let shown: String = bytes.chars().take(50).collect();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{shown:?}: {answer}");
    }
    common.hello.get("/").await.expect(200);
}

/// A body that is announced and does not come takes nothing but its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_half_a_request_holds_up_nobody() {
    let common = common().await;
    let mut halves = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&common.platform.client.authority).await.unwrap();
        let half = format!("POST /_url/{}/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf", common.echo.id);
        stream.write_all(half.as_bytes()).await.unwrap();
        halves.push(stream);
    }
    common.hello.get("/").await.expect(200);
    drop(halves);
    common.hello.by_host(http::request("GET", "/", "")).await.expect(200);
}

/// A body that does not say its length is refused when it gets too long.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_a_length_are_bounded() {
    const LIMIT: usize = 6_291_456;
    let common = common().await;
    for url in [&common.echo, &common.server] {
        let head = format!("POST /_url/{}/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", url.id);
        let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", LIMIT + 1, "x".repeat(LIMIT + 1));
        let answer = say(&common.platform, (head + &chunk).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{}: {}", url.url, answer.chars().take(200).collect::<String>());
    }
}

//! What the letter of HTTP asks of bodies: promises that are kept late, trailers
//! both ways, and the same head with and without a body.

use harness::http::within;
use harness::{Platform, debian, process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::common;

/// Sends bytes, and reads until the server closes.
async fn say(platform: &Platform, bytes: &str) -> String {
    let mut stream = TcpStream::connect(&platform.client.authority).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("the server's end", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A body is asked for when somebody wants it, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_wants_is_not_asked_for() {
    let common = common().await;
    let promise = "connection: close\r\nexpect: 100-continue\r\ncontent-length";
    let check = async |target: &str, length: usize, status: &str| {
        let head = format!("POST {target} HTTP/1.1\r\nhost: x\r\n{promise}: {length}\r\n\r\n");
        let answer = say(&common.platform, &head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{target}: {answer}");
    };
    // Not believed, not found, too large, and a component that does not read it.
    check("/2015-03-31/functions", 3, "403 Forbidden").await;
    check("/_url/nobody/", 3, "403 Forbidden").await;
    check(&format!("/_url/{}/", common.echo.id), 7_000_000, "413 Payload Too Large").await;
    check(&format!("/_url/{}/", common.server.id), 3, "200 OK").await;
    // One that does read it asks for it.
    let mut stream = TcpStream::connect(&common.platform.client.authority).await.unwrap();
    let head = format!("POST /_url/{}/sum HTTP/1.1\r\nhost: x\r\n{promise}: 3\r\n\r\n", common.server.id);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    within("a word", stream.read_exact(&mut told)).await.unwrap();
    assert_eq!(told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut answer = String::new();
    within("the server's end", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("3 bytes\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_go_both_ways() {
    let common = common().await;
    let id = &common.server.id;
    let head = "host: x\r\nconnection: close, te\r\nte: trailers\r\n";
    let answer = say(&common.platform, &format!("GET /_url/{id}/trailers HTTP/1.1\r\n{head}\r\n")).await;
    assert!(answer.contains("\r\ntrailer: x-sum\r\n"), "{answer}");
    assert!(answer.ends_with("4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), "{answer}");
    // A client that does not say that it takes them gets none.
    let plain = "host: x\r\nconnection: close\r\n";
    let answer = say(&common.platform, &format!("GET /_url/{id}/trailers HTTP/1.1\r\n{plain}\r\n")).await;
    assert!(answer.ends_with("4\r\nbody\r\n0\r\n\r\n"), "{answer}");
    let chunked = "transfer-encoding: chunked\r\ntrailer: x-own\r\n\r\n3\r\nabc\r\n0\r\nx-own: 7\r\n\r\n";
    let answer = say(&common.platform, &format!("POST /_url/{id}/sum HTTP/1.1\r\n{plain}{chunked}")).await;
    assert!(answer.contains("3 bytes\nx-own: 7\n"), "{answer}");
    // Over HTTP/2, where they need no announcement.
    let mut command = std::process::Command::new(debian::program("curl", "curl"));
    command.args(["--http2-prior-knowledge", "--silent", "--include", &common.server.by_path("/trailers")]);
    let answer = process::run(&mut command, harness::http::DEADLINE).ok().stdout;
    assert!(answer.starts_with("HTTP/2 200") && answer.contains("x-sum: 42"), "{answer}");
}

/// With InvokeMode BUFFERED they wait for the end, and a client that takes none gets a
/// length.
#[tokio::test(flavor = "multi_thread")]
async fn trailers_go_both_ways_through_a_buffered_url() {
    let platform = crate::common::platform().await;
    platform.deploy("server", &test_guests::component("guest-http")).await;
    let url = platform.url("server", "BUFFERED").await;
    let head = "host: x\r\nconnection: close, te\r\nte: trailers\r\n";
    let answer = say(&platform, &format!("GET /_url/{}/trailers HTTP/1.1\r\n{head}\r\n", url.id)).await;
    assert!(answer.contains("\r\ntrailer: x-sum\r\n"), "{answer}");
    assert!(answer.ends_with("4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), "{answer}");
    let plain = "host: x\r\nconnection: close\r\n";
    let answer = say(&platform, &format!("GET /_url/{}/trailers HTTP/1.1\r\n{plain}\r\n", url.id)).await;
    assert!(answer.contains("\r\ncontent-length: 4\r\n") && answer.ends_with("\r\n\r\nbody"), "{answer}");
    let chunked = "transfer-encoding: chunked\r\ntrailer: x-own\r\n\r\n3\r\nabc\r\n0\r\nx-own: 7\r\n\r\n";
    let answer = say(&platform, &format!("POST /_url/{}/sum HTTP/1.1\r\n{plain}{chunked}", url.id)).await;
    assert!(answer.contains("3 bytes\nx-own: 7\n"), "{answer}");
    // gRPC's own client: its calls of one message each way, and of many.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/platform/talk.py");
    let authority = url.url.trim_start_matches("http://").trim_end_matches('/');
    harness::python::grpc(&platform, script, &[&platform.client.authority, authority, "buffered"]);
}

/// HEAD has GET's head, to the length.
#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_head_of_get() {
    let common = common().await;
    for url in [&common.hello, &common.server] {
        let head_of = async |method: &str| {
            let request = format!("{method} /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", url.id);
            let answer = say(&common.platform, &request).await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let own = |line: &&str| !line.starts_with("date:") && !line.starts_with("x-amzn-requestid:");
            (head.lines().filter(own).collect::<Vec<_>>().join("\n"), body.len())
        };
        // An answer has its length when its guest has ended in time: on a machine with
        // much else to do some have none.
        let whole = async |method: &str| {
            for _ in 0..50 {
                let answer = head_of(method).await;
                if answer.0.contains("content-length: ") {
                    return answer;
                }
            }
            panic!("no answer to {method} has a length");
        };
        let (get, length) = whole("GET").await;
        assert!(get.contains(&format!("content-length: {length}")), "{get}");
        assert_eq!(whole("HEAD").await, (get, 0), "{}", url.url);
    }
}

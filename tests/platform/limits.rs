//! Slow, greedy and rude clients: each meets its limit at once, and nobody else does.
//!
//! The limits are short, so that no test waits; what is asserted is how a client
//! ends, never when.

use std::net::SocketAddr;
use std::time::Duration;

use harness::{Options, Platform, Url, http, process};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::common::{PROGRAM, patient};

/// A platform with limits, and URLs of `hello` and of `guest-http` on it.
struct Limited {
    platform: Platform,
    hello: Url,
    server: Url,
}

async fn limited(arguments: &[&str]) -> Limited {
    let platform = Platform::start(Options::new(PROGRAM).with(arguments)).await;
    for (name, guest) in [("hello", "hello"), ("server", "guest-http")] {
        platform.create(&patient(name, &platform.sign(&test_guests::component(guest)))).await;
    }
    let (hello, server) = (platform.url("hello", "BUFFERED").await, platform.url("server", "RESPONSE_STREAM").await);
    Limited { platform, hello, server }
}

impl Limited {
    fn address(&self) -> SocketAddr {
        self.platform.client.authority.parse().unwrap()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// Sends this at once, and then a byte now and then until the server has had
    /// enough; answers everything that it said.
    async fn drip(&self, first: &str, byte: u8) -> String {
        let mut stream = self.connect().await;
        stream.write_all(first.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.split();
        let drip = async {
            while writing.write_all(&[byte]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // The answer is all that is left to wait for.
            std::future::pending::<()>().await;
        };
        let mut answer = Vec::new();
        let read = http::within("the server's end", reading.read_to_end(&mut answer));
        tokio::select! {
            _ = read => {}
            () = drip => {}
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// What comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = http::within("the server's end", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_are_refused_and_others_are_served() {
    let limited = limited(&["--head-timeout-ms", "300"]).await;
    // Bytes that go on coming do not help.
    let drips = (0..30).map(|_| limited.drip("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", b'x'));
    let (answers, served) = tokio::join!(futures_util::future::join_all(drips), limited.hello.get("/"));
    served.expect(200);
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_are_refused_whoever_reads_them() {
    let limited = limited(&["--body-grace-ms", "300", "--body-rate-min", "1000"]).await;
    for url in [&limited.hello, &limited.server] {
        let head = format!("POST /_url/{}/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", url.id);
        let answer = limited.drip(&head, b'x').await;
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{}: {answer}", url.url);
        assert!(answer.contains("\r\nx-amzn-errortype: RequestTimeoutException\r\n"), "{answer}");
    }
    limited.hello.send("POST", "/", "{}").await.expect(200);
    limited.server.send("POST", "/echo", "quick").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_of_its_answer_is_cut() {
    let limited = limited(&["--stall-timeout-ms", "300"]).await;
    let mut stream = limited.connect().await;
    let request = format!("GET /_url/{}/big?100000 HTTP/1.1\r\nhost: x\r\n\r\n", limited.server.id);
    stream.write_all(request.as_bytes()).await.unwrap();
    // The guest learns of it: its next write fails.
    limited.platform.logged("server", " failed").await;
    limited.hello.get("/").await.expect(200);
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && !answer.ends_with("0\r\n\r\n"), "the body is not ended");
}

/// Opens connections, each of which is served once, until one is refused; answers
/// those and the status of the last.
async fn fill(limited: &Limited, most: usize) -> (Vec<TcpStream>, String) {
    let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\n\r\n", limited.hello.id);
    let mut held = Vec::new();
    loop {
        assert!(held.len() <= most, "there is no end of connections");
        let mut stream = limited.connect().await;
        // One that is refused may be closed already.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut status = [0; 12];
        http::within("an answer", stream.read_exact(&mut status)).await.unwrap();
        if status != *b"HTTP/1.1 200" {
            return (held, String::from_utf8_lossy(&status).into_owned());
        }
        held.push(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_of_one_address_is_refused_and_other_addresses_are_served() {
    let limited = limited(&["--connections-per-address-max", "20"]).await;
    let (held, refused) = fill(&limited, 20).await;
    assert_eq!(refused, "HTTP/1.1 429");
    // Another address has connections of its own.
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(limited.address()).await.unwrap();
    let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", limited.hello.id);
    other.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut other).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(held);
    served_again(&limited, &request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_of_all_is_answered_with_503() {
    let limited = limited(&["--connections-max", "20"]).await;
    let (held, refused) = fill(&limited, 20).await;
    assert_eq!(refused, "HTTP/1.1 503");
    drop(held);
    let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", limited.hello.id);
    served_again(&limited, &request).await;
}

/// Waits until the server has seen that connections were given up.
async fn served_again(limited: &Limited, request: &str) {
    let served = async {
        loop {
            let mut stream = limited.connect().await;
            let _ = stream.write_all(request.as_bytes()).await;
            if rest(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n") {
                return;
            }
        }
    };
    http::within("a connection", served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    let limited = limited(&["--idle-timeout-ms", "200"]).await;
    assert_eq!(rest(&mut limited.connect().await).await, "");
    let mut stream = limited.connect().await;
    let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\n\r\n", limited.hello.id);
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("Hello, world!\"}"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_are_as_large_as_the_operator_says() {
    let limited = limited(&["--head-bytes-max", "8192", "--head-fields-max", "20", "--body-bytes-max", "1000"]).await;
    let status = async |head: &str| {
        let mut stream = limited.connect().await;
        let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}\r\n", limited.hello.id);
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await.get(9..12).unwrap_or_default().to_owned()
    };
    let fields = |count: usize| (0..count).map(|at| format!("x-{at}: 1\r\n")).collect::<String>();
    assert_eq!(status(&fields(18)).await, "200");
    assert_eq!(status(&fields(19)).await, "431");
    assert_eq!(status(&format!("x: {}\r\n", "x".repeat(10_000))).await, "431");
    for url in [&limited.hello, &limited.server] {
        assert_ne!(url.send("POST", "/", "x".repeat(1_000)).await.status, 413, "{}", url.url);
        let text = "Request must be smaller than 1000 bytes for the InvokeFunction operation";
        url.send("POST", "/", "x".repeat(1_001)).await.refused(413, "RequestEntityTooLargeException", text);
    }
}

/// Bodies that do not come to their end take room from one another, and from nobody
/// whose body comes at once.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_on_their_way_are_bounded_in_all() {
    let limited = limited(&["--bodies-bytes-max", "2000000"]).await;
    let request = |length: usize| {
        format!("POST /_url/{}/ HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n", limited.hello.id)
    };
    let hold = async || {
        let mut held = limited.connect().await;
        held.write_all((request(2_000_000) + &"x".repeat(1_900_000)).as_bytes()).await.unwrap();
        held
    };
    let mut held = hold().await;
    let status = async || limited.server.send("POST", "/sum", "x".repeat(1_000_000)).await.status;
    let one = async || limited.hello.send("POST", "/", "x".repeat(1_000_000)).await;
    let full = async {
        loop {
            let reply = one().await;
            if reply.status == 429 {
                return reply;
            }
            // The other one may have come first, and left no room for the rest of this.
            if held.try_read(&mut [0; 1]).is_ok() {
                held = hold().await;
            }
        }
    };
    let reply = http::within("the room's end", full).await;
    let reply = reply.refused(429, "TooManyRequestsException", "Rate Exceeded.");
    assert_eq!(reply.json()["Reason"], "CallerRateLimitExceeded");
    // What is passed on as it comes takes no room, and neither does a small one.
    assert_eq!(status().await, 200);
    limited.hello.send("POST", "/", "{}").await.expect(200);
    drop(held);
    let free = async { while one().await.status == 429 {} };
    http::within("room", free).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_too_many_are_throttled_at_once() {
    let arguments = ["--concurrency-max", "2", "--function-concurrency-max", "1"];
    let platform = Platform::start(Options::new(PROGRAM).with(&arguments)).await;
    let settings = platform.client.get("/2016-08-19/account-settings").await.expect(200).json();
    assert_eq!(settings["AccountLimit"]["ConcurrentExecutions"], 2);
    let component = platform.sign(&test_guests::component("guest-function"));
    for name in ["first", "second", "third"] {
        platform.create(&patient(name, &component)).await;
    }
    let long = json!({ "do": "sleep", "ms": 15_000 });
    let throttled = async |name: &str, reason: &str| {
        let reply = platform.invoke(name, &json!({ "do": "env" })).await;
        let reply = reply.refused(429, "TooManyRequestsException", "Rate Exceeded.");
        assert_eq!((reply.json()["Reason"].as_str(), reply.header("retry-after")), (Some(reason), "1"));
    };
    let calls = async {
        platform.logged("first", "START").await;
        throttled("first", "ReservedFunctionConcurrentInvocationLimitExceeded").await;
        let more = async {
            platform.logged("second", "START").await;
            throttled("third", "ConcurrentInvocationLimitExceeded").await;
        };
        tokio::select! {
            _ = platform.invoke("second", &long) => panic!("it ended before another was tried"),
            () = more => {}
        }
    };
    tokio::select! {
        _ = platform.invoke("first", &long) => panic!("it ended before another was tried"),
        () = calls => {}
    }
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for (flag, value) in [("--head-bytes-max", "1"), ("--connections-max", "0"), ("--head-timeout-ms", "x")] {
        let mut command = process::command(PROGRAM, home.path());
        let refused = process::run(command.args(["serve", flag, value]), Duration::from_secs(60)).exited(2);
        assert!(refused.stderr.contains(flag) && refused.stderr.contains(value), "{}", refused.stderr);
    }
}

//! What hyper does with answers, on real sockets: the rules that the streams of
//! functions depend on.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use lamina_runtime::HttpError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::*;
use crate::answer::AnswerBody;
use crate::limits::Limits;

type Chunk = Result<&'static str, HttpError>;

/// A body of what is sent; it ends when the sender is dropped.
fn streamed() -> (mpsc::Sender<Chunk>, AnswerBody) {
    let (sender, receiver) = mpsc::channel::<Chunk>(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let chunk = receiver.recv().await?;
        Some((chunk.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))), receiver))
    });
    (sender, AnswerBody::Stream(StreamBody::new(frames).boxed_unsync()))
}

struct Connected {
    client: TcpStream,
    chunks: mpsc::Receiver<mpsc::Sender<Chunk>>,
    phase: watch::Sender<Phase>,
    tasks: Tasks,
}

/// A body whose chunk and error are there at once.
fn broken() -> AnswerBody {
    let chunk = Ok(Frame::data(Bytes::from_static(b"hello")));
    let frames = futures_util::stream::iter([chunk, Err(HttpError("broken".into()))]);
    AnswerBody::Stream(StreamBody::new(frames).boxed_unsync())
}

/// A connection whose service answers `/whole` with `abc`, `/broken` with a body
/// that breaks off, and everything else with a stream that the test feeds.
async fn connected() -> Connected {
    connected_within(Limits::DEFAULT).await
}

/// The same with other limits.
async fn connected_within(limits: Limits) -> Connected {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (phase, watching) = watch::channel(Phase::Serving);
    let (feeds, chunks) = mpsc::channel(8);
    let tasks = Tasks::new();
    tasks.spawn(async move {
        let service = service_fn(|request: Request<Incoming>| {
            let body = match request.uri().path() {
                "/whole" => AnswerBody::whole("abc"),
                "/broken" => broken(),
                _ => {
                    let (sender, body) = streamed();
                    feeds.try_send(sender).unwrap();
                    body
                }
            };
            std::future::ready(Ok(Response::new(body)))
        });
        let gauge = Arc::new(Gauge::new(limits.resets_max));
        let stream = Paced::new(stream, limits, gauge.clone());
        http1::drive(&limits, (stream, gauge), watching, service).await;
    });
    Connected { client, chunks, phase, tasks }
}

impl Connected {
    async fn ask(&mut self, method: Method, path: &str, version: &str) {
        let request = format!("{method} {path} {version}\r\nhost: h\r\n\r\n");
        self.client.write_all(request.as_bytes()).await.unwrap();
    }

    /// What has come until it ends with `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let byte = tokio::time::timeout(Duration::from_secs(20), self.client.read_u8()).await;
            read.push(byte.unwrap_or_else(|_| panic!("got only {}", String::from_utf8_lossy(&read))).unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    /// What comes until the connection ends, and whether it ended well.
    async fn rest(&mut self) -> (String, bool) {
        let mut read = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.client.read_to_end(&mut read)).await.unwrap();
        (String::from_utf8(read).unwrap(), ended.is_ok())
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_ended() {
    let mut connected = connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    feed.send(Ok("hello")).await.unwrap();
    let head = connected.until("hello\r\n").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    feed.send(Err(HttpError("broken".into()))).await.unwrap();
    let (rest, _) = connected.rest().await;
    assert_eq!(rest, "", "the last chunk would be `0`");
}

/// A function may fail before anything of its answer was sent: hyper would then
/// drop the head as well, and the client would not learn what had begun.
#[tokio::test]
async fn what_came_before_the_break_arrives() {
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let mut connected = connected().await;
        connected.ask(Method::GET, "/broken", version).await;
        assert!(connected.until("hello").await.contains(" 200 OK\r\n"));
        let (rest, _) = connected.rest().await;
        assert!(!rest.contains('0'), "{rest}");
    }
}

/// Where the end of the connection is the end of the body, it must be reset.
#[tokio::test]
async fn a_body_that_breaks_off_is_reset_in_http_1_0() {
    let mut connected = connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.0").await;
    let feed = connected.chunks.recv().await.unwrap();
    feed.send(Ok("hello")).await.unwrap();
    connected.until("\r\n\r\nhello").await;
    feed.send(Err(HttpError("broken".into()))).await.unwrap();
    assert_eq!(connected.rest().await, (String::new(), false));

    let mut connected = self::connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.0").await;
    let feed = connected.chunks.recv().await.unwrap();
    feed.send(Ok("hello")).await.unwrap();
    drop(feed);
    let (all, well) = connected.rest().await;
    assert!(well && all.ends_with("\r\n\r\nhello"), "{all}");
}

#[tokio::test]
async fn head_has_no_body() {
    let mut connected = connected().await;
    connected.ask(Method::HEAD, "/whole", "HTTP/1.1").await;
    let head = connected.until("\r\n\r\n").await;
    assert!(head.contains("content-length: 3\r\n"), "{head}");
    connected.ask(Method::HEAD, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    let head = connected.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // Whoever writes the body learns that nobody reads it.
    tokio::time::timeout(Duration::from_secs(20), feed.closed()).await.unwrap();
    connected.ask(Method::GET, "/whole", "HTTP/1.1").await;
    assert!(connected.until("\r\n\r\nabc").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() {
    let mut connected = connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    drop(connected.client);
    tokio::time::timeout(Duration::from_secs(20), feed.closed()).await.unwrap();
    assert!(connected.tasks.drain(Duration::from_secs(20)).await);
}

#[tokio::test]
async fn a_drain_lets_requests_end() {
    let mut connected = connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    connected.phase.send_replace(Phase::Draining);
    feed.send(Ok("hello")).await.unwrap();
    drop(feed);
    let (all, well) = connected.rest().await;
    assert!(well && all.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{all}");
    assert!(connected.tasks.drain(Duration::from_secs(20)).await);

    let mut idle = self::connected().await;
    idle.phase.send_replace(Phase::Draining);
    assert_eq!(idle.rest().await, (String::new(), true));
}

#[tokio::test]
async fn cutting_ends_what_is_left() {
    let mut connected = connected().await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    connected.phase.send_replace(Phase::Cutting);
    tokio::time::timeout(Duration::from_secs(20), feed.closed()).await.unwrap();
    assert!(connected.tasks.drain(Duration::from_secs(20)).await);
}

/// Limits with one short wait.
fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::DEFAULT;
    change(&mut limits);
    limits
}

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_head_that_does_not_end_is_answered_with_408() {
    let mut connected = connected_within(limits(|limits| limits.head_timeout = SHORT)).await;
    connected.client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n").await.unwrap();
    let (all, well) = connected.rest().await;
    assert!(well && all.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{all}");
    // Also after a request, whose own time does not count.
    let mut connected = connected_within(limits(|limits| limits.head_timeout = SHORT)).await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    tokio::time::sleep(4 * SHORT).await;
    drop(feed);
    connected.until("0\r\n\r\n").await;
    connected.client.write_all(b"GET").await.unwrap();
    let (all, well) = connected.rest().await;
    assert!(well && all.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{all}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let short = limits(|limits| limits.idle_timeout = SHORT);
    assert_eq!(connected_within(short).await.rest().await.0, "");
    let mut connected = connected_within(short).await;
    connected.ask(Method::GET, "/whole", "HTTP/1.1").await;
    connected.until("\r\n\r\nabc").await;
    assert_eq!(connected.rest().await.0, "");
    // A request may take longer than that.
    let mut connected = connected_within(short).await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    tokio::time::sleep(4 * SHORT).await;
    feed.send(Ok("hello")).await.unwrap();
    connected.until("hello\r\n").await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let mut connected = connected_within(limits(|limits| limits.stall_timeout = SHORT)).await;
    connected.ask(Method::GET, "/", "HTTP/1.1").await;
    let feed = connected.chunks.recv().await.unwrap();
    let chunk: &'static str = "x".repeat(1 << 20).leak();
    let fed = async {
        // Until nobody wants it any more.
        while feed.send(Ok(chunk)).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(20), fed).await.unwrap();
    assert!(connected.tasks.drain(Duration::from_secs(20)).await);
}

#[tokio::test]
async fn heads_are_bounded_in_bytes_and_fields() {
    let status = async |limits: Limits, head: String| {
        let mut connected = connected_within(limits).await;
        connected.client.write_all(format!("GET /whole HTTP/1.1\r\nhost: h\r\n{head}\r\n").as_bytes()).await.unwrap();
        connected.until("\r\n").await
    };
    let (ok, too_large) = ("HTTP/1.1 200 OK\r\n", "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    let small = limits(|limits| (limits.head_bytes_max, limits.head_fields_max) = (8_192, 10));
    let fields = |count: usize| (0..count).map(|at| format!("x-{at}: 1\r\n")).collect::<String>();
    assert_eq!(status(small, fields(9)).await, ok);
    assert_eq!(status(small, fields(10)).await, too_large);
    assert_eq!(status(small, format!("x: {}\r\n", "x".repeat(8_000))).await, ok);
    assert_eq!(status(small, format!("x: {}\r\n", "x".repeat(9_000))).await, too_large);
    assert_eq!(status(Limits::DEFAULT, fields(99)).await, ok);
    assert_eq!(status(Limits::DEFAULT, fields(100)).await, too_large);
}

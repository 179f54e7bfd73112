//! Streamed answers: the head at once, back-pressure, and an end that says
//! whether it was one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use lamina_runtime::{HttpPrelude, ResponseBody, StreamHead, StreamStart};
use lamina_types::limits::STREAMED_RESPONSE_BYTES_MAX;
use lamina_types::{ResolvedFunction, Status};
use serde_json::{Value, json};

use crate::support::{Called, Host};

/// A whole streamed call.
struct Streamed {
    head: Option<StreamHead>,
    /// The chunks and when they came.
    chunks: Vec<(Bytes, Instant)>,
    /// Whether the body broke off.
    broken: bool,
    called: Called,
    end: Instant,
}

impl Streamed {
    fn text(&self) -> String {
        self.chunks.iter().map(|(chunk, _)| String::from_utf8_lossy(chunk)).collect()
    }
}

async fn next(body: &mut ResponseBody) -> Option<Result<Bytes, String>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string()))
}

async fn run(host: &Host, function: &ResolvedFunction, event: Value) -> Streamed {
    let call = host.prepared(function.clone(), event.to_string().as_bytes()).await;
    let (drive, StreamStart { head, mut body }) = host.runtime.streaming(call).unwrap();
    let read = async {
        let head = head.await.ok();
        let (mut chunks, mut broken) = (Vec::new(), false);
        while let Some(chunk) = next(&mut body).await {
            match chunk {
                Ok(chunk) => chunks.push((chunk, Instant::now())),
                Err(error) => {
                    assert_eq!(error, "the function failed after the first byte of its answer");
                    broken = true;
                    break;
                }
            }
        }
        (head, chunks, broken)
    };
    let drive = async { (drive.await.unwrap(), Instant::now()) };
    let ((head, chunks, broken), (outcome, end)) = tokio::join!(read, drive);
    Streamed { head, chunks, broken, called: Called::of(outcome), end }
}

async fn call(event: Value) -> Streamed {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    run(&host, &function, event).await
}

fn text_plain() -> Option<StreamHead> {
    Some(StreamHead { content_type: Some("text/plain".to_owned()), http: None })
}

#[tokio::test]
async fn chunks_arrive_one_by_one() {
    let streamed = call(json!({"do": "chunks", "count": 4, "pause_ms": 150})).await;
    assert_eq!(streamed.head, text_plain());
    assert_eq!(streamed.text(), "chunk 1\nchunk 2\nchunk 3\nchunk 4\n");
    assert_eq!(streamed.chunks.len(), 4);
    assert!(!streamed.broken);
    assert_eq!(streamed.called.result, Ok(vec![]));
    assert!(streamed.chunks[0].1 + Duration::from_millis(300) < streamed.end, "the first came long before the end");
    assert!(streamed.called.usage.duration >= Duration::from_millis(600));
}

#[tokio::test]
async fn the_example_counts_down() {
    let host = Host::new();
    let function = host.function("stream").await;
    let streamed = run(&host, &function, json!({"from": 2, "pause_ms": 1})).await;
    assert_eq!(streamed.text(), "2\n1\nlift-off\n");
}

#[tokio::test]
async fn a_head_has_status_headers_and_cookies() {
    let streamed = call(json!({"do": "prelude"})).await;
    let header = |value: &str| ("x-one".to_owned(), value.to_owned());
    let http = HttpPrelude { status: 201, headers: vec![header("1"), header("2")], cookies: vec!["id=7".to_owned()] };
    assert_eq!(streamed.head, Some(StreamHead { content_type: Some("text/plain".to_owned()), http: Some(http) }));
    assert_eq!(streamed.text(), "made");
}

#[tokio::test]
async fn a_head_that_cannot_be_sent_is_refused_to_the_guest() {
    for (event, expect) in [
        (
            json!({"do": "bad-head", "name": "a b"}),
            "the head of the answer is not usable: `a b` is not the name of a header",
        ),
        (
            json!({"do": "large-head", "bytes": 100_000}),
            "the head of the answer is not usable: it is larger than 65536 bytes",
        ),
    ] {
        let streamed = call(event).await;
        assert_eq!(streamed.head, None);
        assert_eq!(streamed.called.failed_with(), ("StartError", expect));
    }
    assert!(call(json!({"do": "large-head", "bytes": 50_000})).await.head.is_some());
}

#[tokio::test]
async fn an_answer_may_be_empty() {
    let nothing = call(json!({"do": "nothing"})).await;
    assert_eq!((nothing.head, nothing.broken, nothing.called.result), (None, false, Ok(vec![])));
    let empty = call(json!({"do": "empty"})).await;
    assert_eq!((empty.head, empty.broken, empty.called.result), (Some(StreamHead::default()), false, Ok(vec![])));
}

#[tokio::test]
async fn a_failure_before_the_head_is_a_failure_alone() {
    let failed = call(json!({"do": "fail-before"})).await;
    assert_eq!(failed.head, None);
    assert_eq!(failed.called.failed_with(), ("Test.Failed", "before the head"));
    let panicked = call(json!({"do": "panic-before"})).await;
    assert_eq!((panicked.head, panicked.chunks.len()), (None, 0));
    assert_eq!(panicked.called.failure().error_type, "Runtime.Panic");
}

#[tokio::test]
async fn a_failure_after_the_first_byte_breaks_the_body_off() {
    for (event, error_type, status) in [
        (json!({"do": "fail-after"}), "Test.Failed", Status::Failure),
        (json!({"do": "panic-after"}), "Runtime.Panic", Status::Crash),
    ] {
        let streamed = call(event.clone()).await;
        assert_eq!(streamed.head, text_plain());
        assert_eq!(streamed.text(), "first", "{event}");
        assert!(streamed.broken, "{event}");
        assert_eq!(streamed.called.failure().error_type, error_type);
        assert_eq!(streamed.called.usage.status, status);
    }
}

#[tokio::test]
async fn the_timeout_breaks_the_body_off() {
    let host = Host::new();
    let mut function = host.function("guest-stream").await;
    function.timeout = Duration::from_millis(300);
    host.code(&function).await.unwrap();
    for event in [json!({"do": "spin-after"}), json!({"do": "sleep-after", "ms": 60_000})] {
        let streamed = run(&host, &function, event).await;
        assert_eq!((streamed.text().as_str(), streamed.broken), ("first", true));
        assert_eq!(streamed.called.usage.status, Status::Timeout);
    }
}

fn written(host: &Host) -> usize {
    host.lines().iter().filter(|line| line.starts_with("wrote ")).count()
}

#[tokio::test]
async fn a_guest_is_never_far_ahead_of_its_reader() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    let call = host.prepared(function, br#"{"do": "endless", "bytes": 1000, "say": true}"#).await;
    let (drive, StreamStart { head, mut body }) = host.runtime.streaming(call).unwrap();
    let read = async {
        head.await.unwrap();
        for read in 0..5 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let ahead = written(&host) - read;
            assert!(ahead <= 2, "{ahead} chunks ahead after {read}");
            assert_eq!(next(&mut body).await.unwrap().unwrap().len(), 1_000);
        }
        drop(body);
    };
    let ((), outcome) = tokio::join!(read, drive);
    assert_eq!(Called::of(outcome.unwrap()).failed_with(), ("WriteError", "the caller is gone"));
}

#[tokio::test]
async fn a_guest_whose_reader_left_fails_at_its_next_write() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    for event in [json!({"do": "endless", "bytes": 1_000}), json!({"do": "endless-ready", "bytes": 100_000})] {
        let call = host.prepared(function.clone(), event.to_string().as_bytes()).await;
        let (drive, StreamStart { head, mut body }) = host.runtime.streaming(call).unwrap();
        let read = async {
            head.await.unwrap();
            next(&mut body).await.unwrap().unwrap();
            drop(body);
            Instant::now()
        };
        let drive = async { (drive.await.unwrap(), Instant::now()) };
        let (left, (outcome, end)) = tokio::join!(read, drive);
        let called = Called::of(outcome);
        assert_eq!(called.failed_with(), ("WriteError", "the caller is gone"), "{event}");
        assert!(end - left < Duration::from_secs(5), "{event}");
        assert!(host.lines().iter().any(|line| line.contains("failed: the caller is gone")), "{:?}", host.lines());
    }
}

#[tokio::test]
async fn a_caller_that_left_before_the_head_is_told_at_the_start() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    let call = host.prepared(function, br#"{"do": "chunks", "count": 1}"#).await;
    let (drive, start) = host.runtime.streaming(call).unwrap();
    drop(start);
    assert_eq!(Called::of(drive.await.unwrap()).failed_with(), ("StartError", "the caller is gone"));
}

#[tokio::test]
async fn a_call_dropped_half_way_breaks_the_body_off() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    let call = host.prepared(function, br#"{"do": "sleep-after", "ms": 60000}"#).await;
    let (drive, StreamStart { head, mut body }) = host.runtime.streaming(call).unwrap();
    let mut drive = Box::pin(drive);
    let first = async {
        head.await.unwrap();
        next(&mut body).await.unwrap().unwrap()
    };
    tokio::select! {
        _ = &mut drive => panic!("it ended"),
        chunk = first => assert_eq!(chunk, "first"),
    }
    drop(drive);
    assert!(next(&mut body).await.unwrap().is_err());
}

#[tokio::test]
async fn a_stream_ends_at_its_limit() {
    let host = Host::new();
    let function = host.function("guest-stream").await;
    let call = host.prepared(function, br#"{"do": "endless", "bytes": 65536}"#).await;
    let (drive, StreamStart { head, mut body }) = host.runtime.streaming(call).unwrap();
    let read = async {
        head.await.unwrap();
        let mut bytes = 0;
        while let Some(Ok(chunk)) = next(&mut body).await {
            bytes += chunk.len() as u64;
        }
        bytes
    };
    let (bytes, outcome) = tokio::join!(read, drive);
    assert_eq!(bytes, STREAMED_RESPONSE_BYTES_MAX);
    let called = Called::of(outcome.unwrap());
    let (kind, message) = called.failed_with();
    assert_eq!(kind, "WriteError");
    assert!(message.contains("a streamed answer holds at most 209715200 bytes"), "{message}");
    assert!(called.usage.memory_bytes_peak < 8 << 20, "{:?}", called.usage);
}

#[tokio::test]
async fn large_writes_arrive_in_pieces_and_whole() {
    let streamed = call(json!({"do": "chunks", "count": 3, "bytes": 300_000})).await;
    assert_eq!(streamed.text().len(), 3 * ("chunk 1\n".len() + 300_000));
    assert!(streamed.chunks.iter().all(|(chunk, _)| chunk.len() <= 64 << 10));
}

//! Streamed answers under slow readers and at their limits: what is held is the guest,
//! and never the platform's memory.

use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use harness::http::Open;
use harness::{Options, Platform, Url, creation};
use serde_json::{Value, json};

use crate::common::{PROGRAM, platform};

/// Lambda's limit of a streamed answer.
const STREAM: u64 = 200 << 20;
/// What a bandwidth limit leaves free.
const FREE: u64 = 6 << 20;
/// More than the chunks and socket buffers between a guest and its reader hold.
const UNDERWAY: u64 = 16 << 20;

/// A URL of a guest that does what its request says, in as many seconds as this.
async fn streaming(platform: &Platform, guest: &str, timeout_s: u32) -> Url {
    let mut creation = creation(guest, &platform.sign(&test_guests::component(guest)));
    creation["Timeout"] = json!(timeout_s);
    platform.create(&creation).await;
    platform.url(guest, "RESPONSE_STREAM").await
}

fn post(event: &Value) -> Request<Bytes> {
    let request = Request::post("/").header("content-type", "application/json");
    request.body(event.to_string().into()).unwrap()
}

/// Reads about so many bytes, less at the end; says how many and whether there is more.
async fn read(open: &mut Open, least: u64) -> (u64, bool) {
    let mut bytes = 0;
    while bytes < least {
        match open.chunk().await {
            Some(Ok(chunk)) => bytes += chunk.len() as u64,
            Some(Err(_)) | None => return (bytes, false),
        }
    }
    (bytes, true)
}

/// Reads to the end; says how many bytes there were, and whether the end was clean.
async fn drain(open: &mut Open) -> (u64, bool) {
    let mut bytes = 0;
    loop {
        match open.chunk().await {
            Some(Ok(chunk)) => bytes += chunk.len() as u64,
            Some(Err(_)) => return (bytes, false),
            None => return (bytes, true),
        }
    }
}

/// The guests have minutes to go when their first bytes are read.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_byte_leaves_before_the_last_is_made() {
    let platform = platform().await;
    let stream = streaming(&platform, "guest-stream", 900).await;
    let server = streaming(&platform, "guest-http", 900).await;
    let mut first = stream.open(post(&json!({"do": "sleep-after", "ms": 800_000}))).await;
    assert_eq!(first.chunk().await.unwrap().unwrap(), "first");
    let mut second = server.open(Request::get("/stream?100000").body(Bytes::new()).unwrap()).await;
    assert!(second.chunk().await.unwrap().unwrap().starts_with(b"part "));
    let status = platform.client.get("/lamina/v1/status").await.expect(200).json();
    assert_eq!(status["Running"], 2, "both go on");
    for guest in ["guest-stream", "guest-http"] {
        let lines = platform.logs(guest).await;
        assert!(!lines.iter().any(|line| line.message.contains("REPORT")), "{guest} has ended: {lines:#?}");
    }
}

/// 200 MiB of either world through a reader who takes it in sips.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_takes_no_memory() {
    const SIP: u64 = 4 << 20;
    let platform = platform().await;
    let stream = streaming(&platform, "guest-stream", 600).await;
    let server = streaming(&platform, "guest-http", 600).await;
    let all = json!({"do": "exactly", "bytes": STREAM});
    let big = Request::get(format!("/big?{}", STREAM >> 10)).body(Bytes::new()).unwrap();
    for (url, guest, request) in [(&stream, "guest-stream", post(&all)), (&server, "guest-http", big)] {
        // What a first call needs for good is not counted.
        let (warm, clean) = drain(&mut url.open(request.clone()).await).await;
        assert_eq!((warm, clean), (STREAM, true), "{guest}");
        let before = platform.memory_bytes();
        let mut open = url.open(request).await;
        let (mut bytes, mut most, mut more) = (0, 0, true);
        while more {
            let (got, goes_on) = read(&mut open, SIP).await;
            (bytes, more) = (bytes + got, goes_on);
            tokio::time::sleep(Duration::from_millis(10)).await;
            most = most.max(platform.memory_bytes().saturating_sub(before));
        }
        assert_eq!(bytes, STREAM, "{guest}");
        assert!(most < UNDERWAY, "{guest}: {most} bytes more while {STREAM} were sent");
    }
}

/// A guest whose reader takes nothing can write no more than what lies between them,
/// and its timeout is felt all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_is_held_by_its_reader_ends_at_its_timeout() {
    let platform = platform().await;
    let url = streaming(&platform, "guest-stream", 3).await;
    let mut open = url.open(post(&json!({"do": "exactly", "bytes": STREAM}))).await;
    let lines = platform.logged("guest-stream", "Status: timeout").await;
    assert!(!lines.iter().any(|line| line.contains("were written")), "{lines:#?}");
    let (bytes, clean) = drain(&mut open).await;
    assert!(bytes < UNDERWAY && !clean, "{bytes} bytes were on their way, and the end was clean: {clean}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_may_have_200_mib_and_not_a_byte_more() {
    let platform = platform().await;
    let stream = streaming(&platform, "guest-stream", 600).await;
    let server = streaming(&platform, "guest-http", 600).await;
    for (more, clean) in [(0, true), (1, false)] {
        let mut open = stream.open(post(&json!({"do": "exactly", "bytes": STREAM + more}))).await;
        let end = drain(&mut open).await;
        assert_eq!(end, (STREAM, clean), "guest-stream, {more} more");
        let mut open =
            server.open(Request::get(format!("/big?{}", (STREAM >> 10) + more)).body(Bytes::new()).unwrap()).await;
        let (bytes, ended) = drain(&mut open).await;
        assert_eq!(ended, clean, "guest-http, {more} more");
        // The piece that would pass the limit is not sent.
        assert!(bytes <= STREAM && bytes > STREAM - (1 << 20), "guest-http, {more} more: {bytes}");
    }
    let lines = platform.logged("guest-stream", "a streamed answer holds at most").await;
    assert!(lines.iter().any(|line| line.contains(&format!("all {STREAM} bytes were written"))), "{lines:#?}");
}

/// At the lowest rate the first 6 MiB come, and little of what follows before the
/// function's time is up; without a limit all of it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_bandwidth_limit_holds_what_follows_the_first_6_mib() {
    const BYTES: u64 = 2 * FREE;
    let refused = platform().await.serve_with(&["--stream-bytes-per-s", "65535"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("65536"), "it says what is allowed: {}", refused.stderr);
    let limited = Platform::start(Options::new(PROGRAM).with(&["--stream-bytes-per-s", "65536"])).await;
    for (platform, is_limited) in [(limited, true), (platform().await, false)] {
        let stream = streaming(&platform, "guest-stream", if is_limited { 5 } else { 120 }).await;
        let server = streaming(&platform, "guest-http", if is_limited { 5 } else { 120 }).await;
        let event = post(&json!({"do": "exactly", "bytes": BYTES}));
        let big = Request::get(format!("/big?{}", BYTES >> 10)).body(Bytes::new()).unwrap();
        for (url, request) in [(stream, event), (server, big)] {
            let (bytes, clean) = drain(&mut url.open(request).await).await;
            match is_limited {
                true => assert!((FREE..FREE + (1 << 20)).contains(&bytes) && !clean, "{bytes} bytes, clean: {clean}"),
                false => assert_eq!((bytes, clean), (BYTES, true)),
            }
        }
    }
}

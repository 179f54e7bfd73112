//! Streamed answers, as curl and less patient clients see them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{creation, http};
use serde_json::json;

use crate::common::{common, patient, platform};

/// The example counts down from five with a pause of 300 ms before each line.
#[tokio::test(flavor = "multi_thread")]
async fn curl_sees_chunks_as_they_are_written() {
    let common = common().await;
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--no-buffer", &common.countdown.by_path("/")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl is installed");
    let lines = BufReader::new(curl.stdout.take().unwrap()).lines().map(|line| (line.unwrap(), Instant::now()));
    let lines: Vec<(String, Instant)> = lines.collect();
    assert!(curl.wait().unwrap().success());
    let texts: Vec<&str> = lines.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["5", "4", "3", "2", "1", "lift-off"]);
    let apart = lines.windows(2).filter(|pair| pair[1].1 - pair[0].1 > Duration::from_millis(150)).count();
    let spread = lines[5].1 - lines[0].1;
    assert!(apart >= 4 && spread > Duration::from_millis(1_200), "{apart} pauses, {spread:?} in all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_has_the_head_that_the_guest_gave() {
    let common = common().await;
    let mut open = common.countdown.open(http::request("GET", "/", "")).await;
    assert_eq!(open.status, 200);
    assert_eq!(open.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(open.headers["transfer-encoding"], "chunked");
    assert_eq!(open.chunk().await.unwrap().unwrap(), "5\n");
    let (rest, clean) = open.rest().await;
    assert_eq!((rest.as_slice(), clean), (b"4\n3\n2\n1\nlift-off\n".as_slice(), true));
}

/// Both worlds that stream, and every way to end badly: what came stays, and the end
/// is not a clean one.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_the_first_byte_breaks_the_answer_off() {
    let platform = platform().await;
    let mut short = creation("short", &platform.sign(&test_guests::component("stream")));
    short["Timeout"] = json!(1);
    platform.create(&short).await;
    let url = platform.url("short", "RESPONSE_STREAM").await;
    let mut open = url.open(http::request("GET", "/", "")).await;
    assert_eq!(open.status, 200);
    let (got, clean) = open.rest().await;
    assert!(got.starts_with(b"5\n4\n") && !got.ends_with(b"lift-off\n"), "{:?}", String::from_utf8_lossy(&got));
    assert!(!clean, "an answer that was cut by the timeout ended cleanly");
    platform.logged("short", "Status: timeout").await;

    let common = common().await;
    // What was written before the trap arrives. Of a body that its guest dropped, the
    // platform may have sent nothing yet when it learns that the rest never comes.
    for (path, least) in [("/trap-after", "first"), ("/unfinished", "")] {
        let mut open = common.server.open(http::request("GET", path, "")).await;
        assert_eq!(open.status, 200, "{path}");
        let (got, clean) = open.rest().await;
        let got = String::from_utf8_lossy(&got);
        assert!("first".starts_with(&*got) && got.starts_with(least) && !clean, "{path}: {got} {clean}");
    }
    // curl says so too: 18 is a partial file.
    let curl = Command::new("curl").args(["--silent", &common.server.by_path("/trap-after")]).output().unwrap();
    assert_eq!((curl.status.code(), curl.stdout.as_slice()), (Some(18), b"first".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_first_byte_is_an_answer() {
    let common = common().await;
    for path in ["/trap-before", "/nothing", "/error"] {
        let reply = common.server.get(path).await;
        assert_eq!((reply.status, reply.text().as_str()), (502, "Internal Server Error"), "{path}");
    }
    common.server.get("/").await.expect(200);
}

/// As on Lambda: nobody is there to be answered, and the call runs on to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_does_not_stop_a_buffered_call() {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    let path = "/2015-03-31/functions/does/invocations";
    let event = json!({"do": "print", "lines": 10, "pause_ms": 100}).to_string();
    let request = platform.client.signed(http::request("POST", path, event));
    let authority = platform.client.authority.clone();
    let call = tokio::spawn(async move { http::open(&authority, request).await });
    platform.logged("does", "line 1").await;
    call.abort();
    assert!(call.await.is_err(), "the client has left before the answer");
    let lines = platform.logged("does", "REPORT").await;
    assert!(lines.iter().any(|line| line.contains("line 10")), "the call was stopped: {lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("Status: ")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streaming_guest_learns_at_its_next_write_that_its_client_left() {
    let platform = platform().await;
    let mut server = creation("server", &platform.sign(&test_guests::component("guest-http")));
    server["Timeout"] = json!(60);
    platform.create(&server).await;
    let url = platform.url("server", "RESPONSE_STREAM").await;
    // A gigabyte: more than any buffer between the two holds.
    let mut open = url.open(http::request("GET", "/big?1000000", "")).await;
    open.chunk().await.unwrap().unwrap();
    drop(open);
    let lines = platform.logged("server", "REPORT").await;
    let failed = lines.iter().find(|line| line.starts_with("write ") && line.contains("failed"));
    assert!(failed.is_some(), "the guest wrote on: {lines:#?}");

    platform.deploy("countdown", &test_guests::component("stream")).await;
    let url = platform.url("countdown", "RESPONSE_STREAM").await;
    let mut open = url.open(http::request("GET", "/", "")).await;
    open.chunk().await.unwrap().unwrap();
    drop(open);
    let begun = Instant::now();
    platform.logged("countdown", "REPORT").await;
    assert!(begun.elapsed() < Duration::from_millis(1_200), "it counted down to the end: {:?}", begun.elapsed());
}

/// A reader that does not read holds up the guest, not the platform's memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_the_guest() {
    let platform = platform().await;
    let mut server = creation("server", &platform.sign(&test_guests::component("guest-http")));
    server["Timeout"] = json!(60);
    platform.create(&server).await;
    let url = platform.url("server", "RESPONSE_STREAM").await;
    const KIB: usize = 64 << 10;
    let mut open = url.open(http::request("GET", &format!("/big?{KIB}"), "")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lines: Vec<String> = platform.logs("server").await.into_iter().map(|event| event.message).collect();
    assert!(!lines.iter().any(|line| line.contains("REPORT")), "64 MiB went somewhere: {lines:#?}");
    let (got, clean) = open.rest().await;
    assert_eq!((got.len(), clean), (KIB << 10, true));
}

/// A BUFFERED URL of a streaming function collects the stream first.
#[tokio::test(flavor = "multi_thread")]
async fn a_buffered_url_collects_a_stream() {
    let platform = platform().await;
    platform.deploy("countdown", &test_guests::component("stream")).await;
    let url = platform.url("countdown", "BUFFERED").await;
    let reply = url.get("/").await.expect(200);
    assert_eq!(reply.text(), "5\n4\n3\n2\n1\nlift-off\n");
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(reply.header("content-length"), "19");
}

/// A server behind a BUFFERED URL: all of its answer, or none.
#[tokio::test(flavor = "multi_thread")]
async fn a_buffered_url_of_a_server_gives_all_or_nothing() {
    let platform = platform().await;
    platform.create(&patient("server", &platform.sign(&test_guests::component("guest-http")))).await;
    let url = platform.url("server", "BUFFERED").await;
    let whole = url.get("/stream?3").await.expect(200);
    assert_eq!((whole.text().as_str(), whole.header("content-length")), ("part 1\npart 2\npart 3\n", "21"));
    assert_eq!(url.get("/big?6144").await.expect(200).body.len(), 6 << 20);
    for path in ["/big?6145", "/trap-after", "/unfinished", "/trap-before"] {
        let reply = url.get(path).await;
        assert_eq!((reply.status, reply.text().as_str()), (502, "Internal Server Error"), "{path}");
    }
}

/// A call lasts until its handler returns, also after the answer was complete.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_work_on_after_its_answer() {
    let common = common().await;
    let reply = common.server.get("/work-after").await.expect(200);
    assert_eq!(reply.text(), "done");
    let report = format!("REPORT RequestId: {}", reply.header("x-amzn-requestid"));
    let lines = common.platform.logged("server", &report).await;
    let at = |text: &str| lines.iter().rposition(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("worked on") < at(&report), "{lines:#?}");
}

/// Requests are bounded for servers too.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_gets_no_more_than_a_function() {
    const LIMIT: usize = 6_291_456;
    let common = common().await;
    let most = common.server.send("POST", "/echo", vec![b'x'; LIMIT]).await.expect(201);
    assert!(most.body.len() > LIMIT);
    common.server.announce("/echo", LIMIT + 1).await.expect(413);
}

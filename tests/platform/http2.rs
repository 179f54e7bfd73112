//! HTTP/2 on the plain port: by curl and h2load, and by hand where a client would
//! have to be rude.

use std::process::Command;
use std::time::Duration;

use frames::{Connection, Frame, kind};
use harness::{Finished, Options, Platform, Url, debian, frames, http, process, tiny};

use crate::common::{PROGRAM, common, patient};

const LIMIT: Duration = Duration::from_secs(120);

/// What is in the frames of a body.
fn body(frames: &[Frame]) -> String {
    let data = frames.iter().filter(|frame| frame.kind == kind::DATA).flat_map(|frame| frame.payload.clone());
    String::from_utf8(data.collect()).unwrap()
}

/// curl, with prior knowledge of HTTP/2.
#[track_caller]
fn curl(arguments: &[&str]) -> Finished {
    let mut command = Command::new("curl");
    command.args(["--http2-prior-knowledge", "--silent", "--show-error", "--max-time", "100"]).args(arguments);
    process::run(&mut command, LIMIT).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_calls_urls_and_the_api_by_http2() {
    let common = common().await;
    let written = ["--write-out", "\n%{http_version} %{http_code}"];
    let hello = curl(&[&written[..], &[&common.hello.by_path("/?name=Ada")]].concat()).stdout;
    assert_eq!(hello, "{\"message\":\"Hello, Ada!\"}\n2 200");
    let posted = curl(&["--json", r#"{"a":1}"#, &common.echo.by_path("/x")]).stdout;
    let event: serde_json::Value = serde_json::from_str(&posted).unwrap();
    assert_eq!((&event["body"], &event["rawPath"]), (&r#"{"a":1}"#.into(), &"/x".into()));
    assert_eq!(event["headers"]["host"], common.platform.client.authority);
    let streamed = curl(&[&common.server.by_path("/stream?3")]).stdout;
    assert_eq!(streamed, "part 1\npart 2\npart 3\n");
    let client = &common.platform.client;
    let api = format!("http://{}/2015-03-31/functions", client.authority);
    let user = format!("{}:{}", client.access_key_id, client.secret_access_key);
    let signed = ["--aws-sigv4", "aws:amz:us-east-1:lambda", "--user", &user, &api];
    let listed = curl(&[&written[..], &signed].concat()).stdout;
    assert!(listed.contains("\"FunctionName\":\"hello\"") && listed.ends_with("\n2 200"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_head_has_a_length_and_no_body_in_http2() {
    let common = common().await;
    let head = curl(&["--head", &common.hello.by_path("/?name=Ada")]).stdout;
    assert!(head.starts_with("HTTP/2 200") && head.contains("content-length: 25\r\n"), "{head}");
    let mut connection = Connection::open(&common.platform.client.authority, &[]).await;
    connection.request(1, "HEAD", &format!("/_url/{}/", common.hello.id), &[]).await;
    let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
    assert!(frames.iter().all(|frame| frame.kind != kind::DATA || frame.payload.is_empty()), "{frames:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_both_ways_in_http2() {
    let common = common().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    let upload = format!("@{}", file.display());
    std::fs::write(&file, vec![b'x'; 6_000_000]).unwrap();
    assert_eq!(curl(&["--data-binary", &upload, &common.server.by_path("/sum")]).stdout, "6000000 bytes\n");
    let sizes = ["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"];
    let downloaded = curl(&[&sizes[..], &[&common.server.by_path("/big?20000")]].concat()).stdout;
    assert_eq!(downloaded, format!("200 {}", 20_000 << 10));
    // By hand: curl 7.88 loses an answer that comes before its body was taken.
    for url in [&common.server, &common.echo] {
        let mut connection = Connection::open(&common.platform.client.authority, &[]).await;
        let length = [("content-length", "6291457")];
        connection.send(&connection.headers(1, "POST", &format!("/_url/{}/sum", url.id), &length, false)).await;
        let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
        assert!(body(&frames).contains("must be smaller than 6291456 bytes"), "{}: {frames:?}", url.url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_that_were_sent_apart_come_together() {
    let common = common().await;
    let mut connection = Connection::open(&common.platform.client.authority, &[]).await;
    let path = format!("/_url/{}/echo", common.server.id);
    connection.request(1, "GET", &path, &[("cookie", "a=1"), ("cookie", "b=2")]).await;
    let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
    let text = body(&frames);
    assert!(text.contains("\ncookie: a=1; b=2\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_http2_streams_end() {
    let (mut platform, server, _) = limited(&[]).await;
    let mut connection = connect(&platform, &[]).await;
    connection.request(1, "GET", &format!("/_url/{}/stream?40", server.id), &[]).await;
    connection.until(|frame| frame.kind == kind::DATA).await;
    platform.terminate();
    let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
    assert!(body(&frames).ends_with("part 40\n"));
    assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "it was not told to go elsewhere");
    let status = platform.ended(Duration::from_secs(60));
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_refused_in_http2_as_well() {
    let (platform, server, one) = limited(&["--body-grace-ms", "300", "--body-rate-min", "1000"]).await;
    for url in [&server, &one] {
        let mut connection = connect(&platform, &[]).await;
        connection.send(&connection.headers(1, "POST", &format!("/_url/{}/sum", url.id), &[], false)).await;
        connection.send(&Frame::new(kind::DATA, 0, 1, *b"x").bytes()).await;
        let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
        let text = body(&frames);
        assert!(text.contains("did not arrive in time"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h2load_is_served() {
    let common = common().await;
    let h2load = debian::program("h2load", "nghttp2-client");
    let url = common.hello.by_path("/");
    let mut command = Command::new(h2load);
    let output = process::run(command.args(["-n", "400", "-c", "4", "-m", "50", &url]), LIMIT).ok().stdout;
    assert!(output.contains("400 succeeded, 0 failed, 0 errored, 0 timeout"), "{output}");
}

async fn limited(arguments: &[&str]) -> (Platform, Url, Url) {
    let platform = Platform::start(Options::new(PROGRAM).with(arguments)).await;
    platform.create(&patient("server", &platform.sign(&test_guests::component("guest-http")))).await;
    platform.deploy("one", &tiny::constant("1")).await;
    let (server, one) = (platform.url("server", "RESPONSE_STREAM").await, platform.url("one", "BUFFERED").await);
    (platform, server, one)
}

/// A connection of the platform, with these settings of its client.
async fn connect(platform: &Platform, settings: &[(u16, u32)]) -> Connection {
    Connection::open(&platform.client.authority, settings).await
}

/// Streams that are opened and reset in one breath, thousands of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_resets_ends_its_connection_and_no_other() {
    let (platform, server, one) = limited(&[]).await;
    let mut other = connect(&platform, &[]).await;
    let mut rude = connect(&platform, &[]).await;
    let path = format!("/_url/{}/", server.id);
    let mut flood = Vec::new();
    for stream in (0..5_000).map(|number| 2 * number + 1) {
        flood.extend(rude.headers(stream, "GET", &path, &[], true));
        flood.extend(Frame::new(kind::RST_STREAM, 0, stream, 8_u32.to_be_bytes()).bytes());
    }
    rude.send_as_long_as_it_is_read(&flood).await;
    rude.ended().await;
    other.request(1, "GET", &format!("/_url/{}/", one.id), &[]).await;
    other.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
    one.get("/").await.expect(200);
}

/// Streams that are reset once their calls run.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_most_of_its_requests_is_cut() {
    let (platform, server, one) = limited(&["--resets-max", "10"]).await;
    let mut rude = connect(&platform, &[]).await;
    let path = format!("/_url/{}/stream?1000", server.id);
    let cut = async {
        for stream in (0..100).map(|number| 2 * number + 1) {
            rude.send(&rude.headers(stream, "GET", &path, &[], true)).await;
            if !rude.has_answer(stream).await {
                return stream;
            }
            rude.send(&Frame::new(kind::RST_STREAM, 0, stream, 8_u32.to_be_bytes()).bytes()).await;
        }
        panic!("it was never cut");
    };
    let stream = http::within("the end", cut).await;
    assert!(stream > 2 * 10, "it was cut at the request {stream}");
    one.get("/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_talks_and_asks_nothing_is_cut() {
    let (platform, _, one) = limited(&[]).await;
    let floods = [
        Frame::new(kind::PING, 0, 0, [0; 8]),
        Frame::new(kind::SETTINGS, 0, 0, []),
        Frame::new(kind::WINDOW_UPDATE, 0, 0, 1_u32.to_be_bytes()),
        Frame::new(kind::PRIORITY, 0, 1, [0; 5]),
    ];
    for frame in floods {
        let mut rude = connect(&platform, &[]).await;
        let flood = frame.bytes().repeat(20_000);
        rude.send_as_long_as_it_is_read(&flood).await;
        rude.ended().await;
        one.get("/").await.expect(200);
    }
}

/// A head that never ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_continuations_ends_its_connection() {
    let (platform, _, one) = limited(&[]).await;
    let mut rude = connect(&platform, &[]).await;
    let mut head = rude.headers(1, "GET", "/", &[], true);
    // END_HEADERS is taken away.
    head[4] &= !4;
    rude.send(&head).await;
    // A field of its own each.
    let field = b"\0\x01x\x01y";
    let flood = Frame::new(kind::CONTINUATION, 0, 1, *field).bytes().repeat(50_000);
    rude.send_as_long_as_it_is_read(&flood).await;
    rude.ended().await;
    one.get("/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_gone_and_one_that_does_stays() {
    let (platform, server, _) = limited(&["--ping-period-ms", "200", "--ping-timeout-ms", "3000"]).await;
    let mut silent = connect(&platform, &[]).await;
    silent.request(1, "GET", &format!("/_url/{}/stream?1000", server.id), &[]).await;
    silent.until(|frame| frame.kind == kind::PING).await;
    silent.ended().await;
    let streamed = curl(&[&server.by_path("/stream?40")]).stdout;
    assert!(streamed.ends_with("part 40\n"), "{streamed}");
}

/// Frames without a byte in them, on a stream that waits for its body.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_frames_ends_its_connection() {
    const ENHANCE_YOUR_CALM: u8 = 11;
    let (platform, server, one) = limited(&[]).await;
    let mut rude = connect(&platform, &[]).await;
    rude.send(&rude.headers(1, "POST", &format!("/_url/{}/echo", server.id), &[], false)).await;
    rude.send(&Frame::new(kind::DATA, 0, 1, []).bytes().repeat(1_000)).await;
    let goaway = rude.until(|frame| frame.kind == kind::GOAWAY).await.pop().unwrap();
    assert_eq!(goaway.payload.get(7), Some(&ENHANCE_YOUR_CALM), "{goaway:?}");
    rude.ended().await;
    one.get("/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_a_connection_are_bounded() {
    let (platform, server, _) = limited(&["--streams-max", "5"]).await;
    let mut connection = connect(&platform, &[]).await;
    let told = connection.server_settings().await;
    assert!(told.contains(&(3, 5)), "{told:?}");
    let path = format!("/_url/{}/stream?1000", server.id);
    for stream in [1, 3, 5, 7, 9, 11] {
        connection.send(&connection.headers(stream, "GET", &path, &[], true)).await;
    }
    let refused = connection.until(|frame| frame.kind == kind::RST_STREAM).await.pop().unwrap();
    // REFUSED_STREAM.
    assert_eq!((refused.stream, refused.payload), (11, 7_u32.to_be_bytes().to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded_in_http2_as_well() {
    let (_platform, _, one) = limited(&["--head-fields-max", "20", "--head-bytes-max", "16384"]).await;
    let status = |headers: Vec<String>| {
        let mut arguments = vec!["--output", "/dev/null", "--write-out", "%{http_code}"];
        arguments.extend(headers.iter().flat_map(|header| ["--header", header]));
        let url = one.by_path("/");
        curl(&[&arguments[..], &[&url]].concat()).stdout
    };
    let many = |count: usize| (0..count).map(|at| format!("x-{at}: 1")).collect::<Vec<_>>();
    assert_eq!(status(many(10)), "200");
    assert_eq!(status(many(30)), "431");
    assert_eq!(status(vec![format!("x-large: {}", "x".repeat(20_000))]), "431");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_http2_connection_is_told_to_go() {
    let (platform, _, one) = limited(&["--idle-timeout-ms", "200"]).await;
    let mut connection = connect(&platform, &[]).await;
    connection.request(1, "GET", &format!("/_url/{}/", one.id), &[]).await;
    let frames = connection.until(|frame| frame.kind == kind::GOAWAY).await;
    assert!(frames.iter().any(|frame| frame.stream == 1 && frame.ends_stream()), "{frames:?}");
    connection.ended().await;
}

/// A window that stays shut holds its stream, whole and streamed answers alike, and
/// not for ever; others of the same connection go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_window_stays_shut_is_reset() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let (platform, server, one) = limited(&["--stall-timeout-ms", "300"]).await;
    let mut connection = connect(&platform, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    connection.request(1, "GET", &format!("/_url/{}/big?10000", server.id), &[]).await;
    connection.request(3, "GET", &format!("/_url/{}/", one.id), &[]).await;
    let mut reset = Vec::new();
    while reset.len() < 2 {
        let frames = connection.until(|frame| frame.kind == kind::RST_STREAM).await;
        reset.extend(frames.last().map(|frame| frame.stream));
    }
    reset.sort_unstable();
    assert_eq!(reset, [1, 3]);
    connection.request(5, "GET", &format!("/_url/{}/", one.id), &[]).await;
    connection.send(&Frame::new(kind::WINDOW_UPDATE, 0, 5, 1_000_u32.to_be_bytes()).bytes()).await;
    connection.until(|frame| frame.stream == 5 && frame.ends_stream()).await;
}

/// Two names for the host could mean two functions.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_beside_another_authority_is_refused() {
    let common = common().await;
    let mut connection = Connection::open(&common.platform.client.authority, &[]).await;
    connection.request(1, "GET", &format!("/_url/{}/", common.hello.id), &[("host", "elsewhere")]).await;
    let frames = connection.until(|frame| frame.stream == 1 && frame.ends_stream()).await;
    let text = body(&frames);
    assert!(text.contains("more than one Host"), "{text}");
}

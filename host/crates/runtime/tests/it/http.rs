//! `wasi:http` components, built without our SDK: they get the request itself.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use lamina_runtime::{HttpError, HttpStart, RequestBody, ResponseBody};
use lamina_types::limits::STREAMED_RESPONSE_BYTES_MAX;
use lamina_types::{ResolvedFunction, Status};

use crate::support::{Called, Host};

fn get(path: &str) -> Request<RequestBody> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    Request::get(format!("http://function.test{path}")).header("host", "function.test").body(body).unwrap()
}

/// A response whose body was read to its end, or to where it broke.
struct Whole {
    response: Option<Response<()>>,
    bytes: Vec<u8>,
    trailers: Option<http::HeaderMap>,
    error: Option<HttpError>,
    first: Option<Instant>,
    called: Called,
    end: Instant,
}

impl Whole {
    fn status(&self) -> u16 {
        self.response.as_ref().unwrap().status().as_u16()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

async fn run(host: &Host, function: &ResolvedFunction, request: Request<RequestBody>) -> Whole {
    let call = host.prepared(function.clone(), b"").await;
    let (drive, HttpStart { response }) = host.runtime.http(call, request).unwrap();
    let read = async {
        let (mut bytes, mut trailers, mut error, mut first) = (Vec::new(), None, None, None);
        let Ok(response) = response.await else { return (None, bytes, trailers, error, first) };
        let (parts, mut body): (_, ResponseBody) = response.into_parts();
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => {
                    first.get_or_insert_with(Instant::now);
                    bytes.extend_from_slice(&data);
                }
                Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        (Some(Response::from_parts(parts, ())), bytes, trailers, error, first)
    };
    let drive = async { (drive.await.unwrap(), Instant::now()) };
    let ((response, bytes, trailers, error, first), (outcome, end)) = tokio::join!(read, drive);
    Whole { response, bytes, trailers, error, first, called: Called::of(outcome), end }
}

async fn call(request: Request<RequestBody>) -> Whole {
    let host = Host::new();
    let function = host.function("guest-http").await;
    run(&host, &function, request).await
}

#[tokio::test]
async fn it_answers() {
    let whole = call(get("/")).await;
    assert_eq!((whole.status(), whole.text()), (200, "Hello from wasi:http\n"));
    assert_eq!(whole.response.as_ref().unwrap().headers()["content-type"], "text/plain");
    assert!(whole.error.is_none());
    assert_eq!(whole.called.result, Ok(vec![]));
    assert_eq!(whole.called.usage.status, Status::Success);
    assert!(whole.called.usage.fuel > 0 && whole.called.usage.memory_bytes_peak > 0);
}

#[tokio::test]
async fn it_sees_the_request_itself() {
    let body = Full::new(Bytes::from_static(b"the body")).map_err(|never| match never {}).boxed_unsync();
    let request = Request::put("http://function.test/echo?a=b%20c")
        .header("host", "function.test")
        .header("x-twice", "1")
        .header("x-twice", "2")
        .header("connection", "keep-alive")
        .header("transfer-encoding", "chunked")
        .body(body)
        .unwrap();
    let whole = call(request).await;
    assert_eq!(whole.status(), 201);
    let expect = "Method::Put /echo?a=b%20c\nSome(Scheme::Http) Some(\"function.test\")\n\
        host: function.test\nx-twice: 1\nx-twice: 2\n\nthe body";
    assert_eq!(whole.text(), expect);
}

#[tokio::test]
async fn a_large_body_passes_both_ways() {
    let sent = vec![b'y'; 3 << 20];
    let body = Full::new(Bytes::from(sent.clone())).map_err(|never| match never {}).boxed_unsync();
    let request = Request::post("http://function.test/echo").header("host", "function.test").body(body).unwrap();
    let whole = call(request).await;
    assert!(whole.bytes.ends_with(&sent) && whole.bytes.len() < sent.len() + 200);
}

#[tokio::test]
async fn parts_arrive_as_they_are_written() {
    let whole = call(get("/stream?4")).await;
    assert_eq!(whole.text(), "part 1\npart 2\npart 3\npart 4\n");
    assert!(whole.first.unwrap() + Duration::from_millis(100) < whole.end);
}

#[tokio::test]
async fn trailers_pass() {
    let whole = call(get("/trailers")).await;
    assert_eq!(whole.text(), "body");
    assert_eq!(whole.trailers.unwrap()["x-sum"], "42");
}

#[tokio::test]
async fn a_failure_before_the_response_is_a_failure_alone() {
    for (path, error_type, message) in [
        ("/trap-before", "Runtime.ExitError", "wasm trap: wasm `unreachable` instruction executed"),
        ("/nothing", "Function.NoResponse", "the component ended without setting a response"),
        ("/error", "Function.NoResponse", "the component answered with an error instead of a response"),
    ] {
        let whole = call(get(path)).await;
        assert!(whole.response.is_none(), "{path}");
        assert_eq!(whole.called.failed_with(), (error_type, message), "{path}");
    }
}

#[tokio::test]
async fn a_trap_after_the_head_breaks_the_body_off() {
    let whole = call(get("/trap-after")).await;
    assert_eq!((whole.status(), whole.text()), (200, "first"));
    assert_eq!(whole.error.unwrap().to_string(), "the function failed after the first byte of its answer");
    assert_eq!(whole.called.failure().error_type, "Runtime.ExitError");
}

#[tokio::test]
async fn a_body_that_was_never_finished_breaks_off() {
    let whole = call(get("/unfinished")).await;
    assert_eq!((whole.status(), whole.text()), (200, "first"));
    assert!(whole.error.is_some());
}

#[tokio::test]
async fn work_after_the_answer_goes_on() {
    let host = Host::new();
    let function = host.function("guest-http").await;
    let whole = run(&host, &function, get("/work-after")).await;
    assert_eq!((whole.text(), whole.error.is_none()), ("done", true));
    assert_eq!(host.lines(), ["worked on"]);
}

#[tokio::test]
async fn the_timeout_holds() {
    let host = Host::new();
    let mut function = host.function("guest-http").await;
    function.timeout = Duration::from_millis(300);
    host.code(&function).await.unwrap();
    let whole = run(&host, &function, get("/spin")).await;
    assert!(whole.response.is_none());
    assert_eq!(whole.called.usage.status, Status::Timeout);
    let whole = run(&host, &function, get("/stream?100")).await;
    assert!(whole.text().starts_with("part 1\n") && whole.error.is_some());
}

#[tokio::test]
async fn a_reader_that_leaves_stops_the_writer() {
    let host = Host::new();
    let function = host.function("guest-http").await;
    let call = host.prepared(function, b"").await;
    let (drive, HttpStart { response }) = host.runtime.http(call, get("/big?1000000")).unwrap();
    let read = async {
        let mut body = response.await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
    };
    let ((), outcome) = tokio::join!(read, drive);
    assert!(outcome.is_ok());
    let lines = host.lines();
    assert!(lines[0].starts_with("write ") && lines[0].contains(" failed: "), "{lines:?}");
}

#[tokio::test]
async fn a_call_dropped_half_way_breaks_the_body_off() {
    let host = Host::new();
    let function = host.function("guest-http").await;
    let call = host.prepared(function, b"").await;
    let (drive, HttpStart { response }) = host.runtime.http(call, get("/stream?1000")).unwrap();
    let mut drive = Box::pin(drive);
    let first = async {
        let mut body = response.await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        body
    };
    let mut body = tokio::select! {
        _ = &mut drive => panic!("it ended"),
        body = first => body,
    };
    drop(drive);
    loop {
        match body.frame().await.expect("an error, not an end") {
            Ok(_) => {}
            Err(error) => break assert!(error.to_string().contains("failed after the first byte"), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_stream_breaks_off_at_its_limit() {
    let whole = call(get("/big?300000")).await;
    assert!(whole.bytes.len() as u64 <= STREAMED_RESPONSE_BYTES_MAX);
    assert_eq!(whole.error.unwrap().to_string(), "a streamed answer holds at most 209715200 bytes");
}

#[tokio::test]
async fn a_large_stream_passes() {
    let whole = call(get("/big?20000")).await;
    assert_eq!((whole.bytes.len(), whole.error.is_none()), (20_000 << 10, true));
    assert!(whole.called.usage.memory_bytes_peak < 8 << 20);
}

/// They are kept by the host, outside MemorySize: 500 requests with parts of 8 MB
/// took it 4.8 GB.
#[tokio::test]
async fn parts_of_outgoing_requests_are_bounded() {
    assert_eq!(call(get("/authority?8000")).await.text(), "[true, true, true]");
    assert_eq!(call(get("/authority?9000")).await.text(), "[false, false, false]");
}

#[tokio::test]
async fn outgoing_requests_are_refused() {
    let whole = call(get("/fetch")).await;
    assert_eq!(whole.text(), "Err(ErrorCode::HttpRequestDenied)");
}

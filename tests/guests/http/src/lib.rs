//! An HTTP server on `wasi:http`, as someone would write it who never heard of
//! this platform. What it does is in the path.

mod grpc;

use std::io::{Read, Write};
use std::time::Duration;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest, OutgoingResponse,
    ResponseOutparam,
};

wasip2::http::proxy::export!(Server);

struct Server;

impl Guest for Server {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let number = query.parse().unwrap_or(3);
        match path {
            "/echo" => echo(request, answer),
            "/answer" => told(request, answer),
            "/stream" => stream(answer, number),
            "/big" => big(answer, number),
            "/trailers" => trailers(answer),
            "/sum" => sum(request, answer),
            "/test.Talk/Double" | "/test.Talk/Chat" | "/test.Talk/Count" | "/test.Talk/Sum" | "/test.Talk/Fail" => {
                grpc::serve(path, request, answer);
            }
            "/trap-before" => core::arch::wasm32::unreachable(),
            "/trap-after" => trap_after(answer),
            "/unfinished" => unfinished(answer),
            "/nothing" => {}
            "/error" => ResponseOutparam::set(answer, Err(ErrorCode::InternalError(Some("no".to_owned())))),
            "/fetch" => fetch(answer),
            "/authority" => authority(answer, number),
            "/work-after" => work_after(answer),
            "/spin" => loop {
                std::hint::black_box(());
            },
            _ => whole(answer, 200, b"Hello from wasi:http\n"),
        }
    }
}

fn start(answer: ResponseOutparam, status: u16, fields: &[(&str, &str)]) -> OutgoingBody {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let response = OutgoingResponse::new(Fields::from_list(&fields.collect::<Vec<_>>()).unwrap());
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(answer, Ok(response));
    body
}

fn whole(answer: ResponseOutparam, status: u16, bytes: &[u8]) {
    let body = start(answer, status, &[("content-type", "text/plain")]);
    body.write().unwrap().write_all(bytes).unwrap();
    OutgoingBody::finish(body, None).unwrap();
}

fn echo(request: IncomingRequest, answer: ResponseOutparam) {
    let mut text = format!("{:?} {}\n", request.method(), request.path_with_query().unwrap_or_default());
    text.push_str(&format!("{:?} {:?}\n", request.scheme(), request.authority()));
    for (name, value) in request.headers().entries() {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(&value)));
    }
    text.push('\n');
    let body = request.consume().unwrap();
    let mut bytes = text.into_bytes();
    body.stream().unwrap().read_to_end(&mut bytes).unwrap();
    IncomingBody::finish(body);
    whole(answer, 201, &bytes);
}

/// Answers with what the request's body says: a status, header lines, an empty line,
/// and a body. What cannot be a header traps.
fn told(request: IncomingRequest, answer: ResponseOutparam) {
    let body = request.consume().unwrap();
    let mut bytes = Vec::new();
    body.stream().unwrap().read_to_end(&mut bytes).unwrap();
    IncomingBody::finish(body);
    let text = String::from_utf8(bytes).unwrap();
    let (head, rest) = text.split_once("\n\n").unwrap();
    let mut lines = head.split('\n');
    let status = lines.next().unwrap().parse().unwrap();
    let fields: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let body = start(answer, status, &fields);
    body.write().unwrap().write_all(rest.as_bytes()).unwrap();
    OutgoingBody::finish(body, None).unwrap();
}

fn stream(answer: ResponseOutparam, count: u64) {
    let body = start(answer, 200, &[]);
    let mut out = body.write().unwrap();
    for number in 1..=count {
        writeln!(out, "part {number}").unwrap();
        out.flush().unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(out);
    OutgoingBody::finish(body, None).unwrap();
}

fn big(answer: ResponseOutparam, kib: u64) {
    let body = start(answer, 200, &[]);
    let mut out = body.write().unwrap();
    for number in 0..kib {
        if let Err(error) = out.write_all(&[b'x'; 1024]) {
            println!("write {number} failed: {error}");
            return;
        }
    }
    drop(out);
    OutgoingBody::finish(body, None).unwrap();
}

fn trailers(answer: ResponseOutparam) {
    let body = start(answer, 200, &[("trailer", "x-sum")]);
    body.write().unwrap().write_all(b"body").unwrap();
    let trailers = Fields::from_list(&[("x-sum".to_owned(), b"42".to_vec())]).unwrap();
    OutgoingBody::finish(body, Some(trailers)).unwrap();
}

/// Answers with the bytes of the request's body and its trailers.
fn sum(request: IncomingRequest, answer: ResponseOutparam) {
    let body = request.consume().unwrap();
    let mut bytes = Vec::new();
    body.stream().unwrap().read_to_end(&mut bytes).unwrap();
    let trailers = IncomingBody::finish(body);
    trailers.subscribe().block();
    let fields = trailers.get().unwrap().unwrap().unwrap();
    let mut text = format!("{} bytes\n", bytes.len());
    for (name, value) in fields.map(|fields| fields.entries()).unwrap_or_default() {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(&value)));
    }
    whole(answer, 200, text.as_bytes());
}

fn trap_after(answer: ResponseOutparam) {
    let body = start(answer, 200, &[]);
    body.write().unwrap().write_all(b"first").unwrap();
    core::arch::wasm32::unreachable();
}

/// Drops the body without finishing it.
fn unfinished(answer: ResponseOutparam) {
    let body = start(answer, 200, &[]);
    body.write().unwrap().write_all(b"first").unwrap();
}

/// Goes on for a while after its answer was complete.
fn work_after(answer: ResponseOutparam) {
    whole(answer, 200, b"done");
    std::thread::sleep(Duration::from_millis(50));
    println!("worked on");
}

/// Whether the host keeps an authority of so many bytes.
fn authority(answer: ResponseOutparam, bytes: u64) {
    let request = OutgoingRequest::new(Fields::new());
    let text = "a".repeat(bytes as usize);
    let kept = [
        request.set_authority(Some(&text)).is_ok(),
        request.set_path_with_query(Some(&format!("/{text}"))).is_ok(),
        request.set_method(&Method::Other(text)).is_ok(),
    ];
    whole(answer, 200, format!("{kept:?}").as_bytes());
}

fn fetch(answer: ResponseOutparam) {
    let request = OutgoingRequest::new(Fields::new());
    request.set_authority(Some("127.0.0.1:1")).unwrap();
    request.set_path_with_query(Some("/")).unwrap();
    let outcome = match outgoing_handler::handle(request, None) {
        Ok(future) => {
            future.subscribe().block();
            format!("{:?}", future.get().unwrap().unwrap().map(|response| response.status()))
        }
        Err(error) => format!("{error:?}"),
    };
    whole(answer, 200, outcome.as_bytes());
}

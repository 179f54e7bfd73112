//! A gRPC service by hand: messages with their length before them, the status in
//! the trailers. A message here is a number as text.

use wasip2::http::types::{Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes before a message: whether it is compressed, and its length.
const HEAD_BYTES: usize = 5;
const OK: u32 = 0;
const INVALID_ARGUMENT: u32 = 3;

/// Messages of a request, as they come.
struct Messages {
    stream: InputStream,
    read: Vec<u8>,
}

impl Messages {
    /// The next one; `None` at the end.
    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(head) = self.read.first_chunk::<HEAD_BYTES>() {
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                if self.read.len() >= HEAD_BYTES + length {
                    let message = self.read.drain(..HEAD_BYTES + length).skip(HEAD_BYTES).collect();
                    return Some(String::from_utf8(message).unwrap());
                }
            }
            match self.stream.blocking_read(4_096) {
                Ok(bytes) => self.read.extend(bytes),
                Err(StreamError::Closed) => return None,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

fn send(stream: &OutputStream, message: &str) {
    let mut bytes = vec![0];
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message.as_bytes());
    stream.blocking_write_and_flush(&bytes).unwrap();
}

pub(crate) fn serve(path: &str, request: IncomingRequest, answer: ResponseOutparam) {
    let fields = Fields::from_list(&[("content-type".to_owned(), b"application/grpc".to_vec())]).unwrap();
    let response = OutgoingResponse::new(fields);
    let body = response.body().unwrap();
    ResponseOutparam::set(answer, Ok(response));
    let out = body.write().unwrap();

    let incoming = request.consume().unwrap();
    let mut messages = Messages { stream: incoming.stream().unwrap(), read: Vec::new() };
    let (status, text) = match path {
        "/test.Talk/Fail" => (INVALID_ARGUMENT, "not today"),
        // One answer for each message, at once.
        "/test.Talk/Chat" => {
            while let Some(message) = messages.next() {
                send(&out, &double(&message));
            }
            (OK, "")
        }
        // As many answers as the message says.
        "/test.Talk/Count" => {
            let count: u64 = messages.next().unwrap().parse().unwrap();
            (1..=count).for_each(|number| send(&out, &number.to_string()));
            (OK, "")
        }
        // One answer for all messages.
        "/test.Talk/Sum" => {
            let mut sum = 0;
            while let Some(message) = messages.next() {
                sum += message.parse::<u64>().unwrap();
            }
            send(&out, &sum.to_string());
            (OK, "")
        }
        _ => {
            send(&out, &double(&messages.next().unwrap()));
            (OK, "")
        }
    };
    drop(out);
    drop(messages);
    IncomingBody::finish(incoming);
    let trailers = [
        ("grpc-status".to_owned(), status.to_string().into_bytes()),
        ("grpc-message".to_owned(), text.as_bytes().to_vec()),
    ];
    OutgoingBody::finish(body, Some(Fields::from_list(&trailers).unwrap())).unwrap();
}

fn double(message: &str) -> String {
    (message.parse::<u64>().unwrap() * 2).to_string()
}

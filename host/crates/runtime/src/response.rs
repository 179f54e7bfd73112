//! The streamed answer: its head, and a body with back-pressure.
//!
//! One chunk at most waits between the guest and its reader; while it does,
//! `check-write` permits nothing. The body ends cleanly only when the call did.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body::{Body, Frame};
use lamina_meter::Traffic;
use lamina_types::limits::STREAMED_RESPONSE_BYTES_MAX;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::bindings::response as wit;
use crate::ctx::Ctx;
use crate::exec::HttpError;
use crate::output::WRITE_BYTES_MAX;

/// Bytes of a head in all, as Lambda limits the headers of an answer to a function
/// URL and as a client's parser will take.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// What each text of a head counts beside its length.
const HEAD_TEXT_BYTES: usize = 32;

/// What precedes a streamed body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamHead {
    /// The media type; `application/octet-stream` when absent.
    pub content_type: Option<String>,
    /// Status, headers and cookies; 200 when absent.
    pub http: Option<HttpPrelude>,
}

/// The HTTP part of a head; every member is valid HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPrelude {
    /// 200 to 599.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// One `set-cookie` header each.
    pub cookies: Vec<String>,
}

/// Whether the call failed, so that its body did not end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken(Arc<AtomicBool>);

impl Broken {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// To be dropped before what keeps the body open.
    pub(crate) fn verdict(&self) -> Verdict {
        Verdict { broken: self.clone(), whole: false }
    }
}

/// Breaks the body off when dropped, unless the call was said to have ended well:
/// a call that is dropped half-way has not.
#[derive(Debug)]
pub(crate) struct Verdict {
    broken: Broken,
    pub(crate) whole: bool,
}

impl Drop for Verdict {
    fn drop(&mut self) {
        if !self.whole {
            self.broken.0.store(true, Ordering::SeqCst);
        }
    }
}

/// The host's side of the guest's `response-writer`.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct ResponseWriter {
    head: Option<oneshot::Sender<StreamHead>>,
    chunks: Option<mpsc::Sender<Bytes>>,
}

/// Both ends of one streamed answer.
pub(crate) struct Channel {
    pub(crate) writer: ResponseWriter,
    pub(crate) head: oneshot::Receiver<StreamHead>,
    pub(crate) body: StreamBody,
    pub(crate) open: Open,
}

/// Held until the call has ended, so that the body does not end before it.
pub(crate) struct Open {
    // Dropped in this order: the verdict comes before the end.
    pub(crate) verdict: Verdict,
    _chunks: mpsc::Sender<Bytes>,
}

pub(crate) fn channel(traffic: Option<Arc<Traffic>>) -> Channel {
    let (head_sender, head) = oneshot::channel();
    let (chunk_sender, chunks) = mpsc::channel(1);
    let broken = Broken::default();
    let writer = ResponseWriter { head: Some(head_sender), chunks: Some(chunk_sender.clone()) };
    let open = Open { verdict: broken.verdict(), _chunks: chunk_sender };
    let body = StreamBody { chunks, broken, traffic };
    Channel { writer, head, body, open }
}

/// The body of a streamed answer. An error frame means that the call failed
/// after its first byte: the reader's connection must be reset.
#[derive(Debug)]
pub(crate) struct StreamBody {
    chunks: mpsc::Receiver<Bytes>,
    broken: Broken,
    traffic: Option<Arc<Traffic>>,
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match std::task::ready!(self.chunks.poll_recv(cx)) {
            Some(chunk) => {
                if let Some(traffic) = &self.traffic {
                    traffic.wrote(chunk.len());
                }
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            None if self.broken.is_set() => Poll::Ready(Some(Err(HttpError::broken()))),
            None => Poll::Ready(None),
        }
    }
}

/// The stream that the guest writes to.
struct BodyStream {
    chunks: mpsc::Sender<Bytes>,
    written: u64,
}

#[async_trait]
impl Pollable for BodyStream {
    async fn ready(&mut self) {
        // Ready when there is room, or when the reader is gone.
        let _ = self.chunks.reserve().await;
    }
}

#[async_trait]
impl OutputStream for BodyStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.written += bytes.len() as u64;
        if self.written > STREAMED_RESPONSE_BYTES_MAX {
            let text = format!("a streamed answer holds at most {STREAMED_RESPONSE_BYTES_MAX} bytes");
            return Err(StreamError::LastOperationFailed(wasmtime::Error::msg(text)));
        }
        match self.chunks.try_send(bytes) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StreamError::Closed),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(StreamError::Trap(wasmtime::Error::msg("wrote more than check-write permitted")))
            }
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.chunks.is_closed() { Err(StreamError::Closed) } else { Ok(()) }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.chunks.is_closed() {
            return Err(StreamError::Closed);
        }
        Ok(if self.chunks.capacity() == 0 { 0 } else { WRITE_BYTES_MAX })
    }
}

impl wit::Host for Ctx {}

impl wit::HostResponseWriter for Ctx {
    fn start(
        &mut self,
        writer: Resource<ResponseWriter>,
        head: wit::Head,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, wit::StartError>> {
        let head = match check(head) {
            Ok(head) => head,
            Err(reason) => return Ok(Err(wit::StartError::InvalidHead(reason))),
        };
        let writer = self.table().get_mut(&writer)?;
        let (Some(sender), Some(chunks)) = (writer.head.take(), writer.chunks.take()) else {
            return Ok(Err(wit::StartError::Started));
        };
        if sender.send(head).is_err() {
            return Ok(Err(wit::StartError::Closed));
        }
        let stream: DynOutputStream = Box::new(BodyStream { chunks, written: 0 });
        Ok(Ok(self.table().push(stream)?))
    }

    fn drop(&mut self, writer: Resource<ResponseWriter>) -> wasmtime::Result<()> {
        self.table().delete(writer)?;
        Ok(())
    }
}

fn size(head: &wit::Head) -> usize {
    let http = head.http.iter().flat_map(|http| {
        let headers = http.headers.iter().flat_map(|(name, value)| [name, value]);
        headers.chain(&http.cookies).map(|text| text.len() + HEAD_TEXT_BYTES)
    });
    head.content_type.iter().map(String::len).chain(http).sum()
}

fn check(head: wit::Head) -> Result<StreamHead, String> {
    if size(&head) > HEAD_BYTES_MAX {
        return Err(format!("it is larger than {HEAD_BYTES_MAX} bytes"));
    }
    let value = |what: &str, text: &str| match HeaderValue::from_str(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("the value of {what} holds a character that no header may hold")),
    };
    if let Some(content_type) = &head.content_type {
        value("content-type", content_type)?;
    }
    let Some(http) = head.http else {
        return Ok(StreamHead { content_type: head.content_type, http: None });
    };
    if !(200..=599).contains(&http.status_code) {
        return Err(format!("the status {} is not one of 200 to 599", http.status_code));
    }
    for (name, text) in &http.headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            let name: String = name.chars().take(100).collect();
            return Err(format!("`{name}` is not the name of a header"));
        }
        value(name, text)?;
    }
    for cookie in &http.cookies {
        value("set-cookie", cookie)?;
    }
    let http = HttpPrelude { status: http.status_code, headers: http.headers, cookies: http.cookies };
    Ok(StreamHead { content_type: head.content_type, http: Some(http) })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    fn head(status_code: u16, name: &str, text: &str) -> wit::Head {
        let headers = vec![(name.to_owned(), text.to_owned())];
        wit::Head { content_type: None, http: Some(wit::HttpPrelude { status_code, headers, cookies: vec![] }) }
    }

    #[test]
    fn heads() {
        assert!(check(head(200, "x-a", "b")).is_ok());
        for (status, name, text, expect) in [
            (199, "a", "b", "the status 199 is not one of 200 to 599"),
            (200, "a b", "b", "`a b` is not the name of a header"),
            (200, "a", "b\r\nx: y", "the value of a holds a character that no header may hold"),
        ] {
            assert_eq!(check(head(status, name, text)).unwrap_err(), expect);
        }
        let large = "x".repeat(HEAD_BYTES_MAX);
        assert_eq!(check(head(200, "a", &large)).unwrap_err(), "it is larger than 65536 bytes");
    }

    #[tokio::test]
    async fn back_pressure_and_ends() {
        use http_body_util::BodyExt as _;
        let Channel { mut writer, open, mut body, .. } = channel(None);
        let mut stream = BodyStream { chunks: writer.chunks.take().unwrap(), written: 0 };
        assert_eq!(stream.check_write().unwrap(), WRITE_BYTES_MAX);
        stream.write(Bytes::from_static(b"a")).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0, "one chunk waits, no more is permitted");
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
        stream.ready().await;
        assert_eq!(stream.check_write().unwrap(), WRITE_BYTES_MAX);
        drop((stream, writer, open));
        assert!(body.frame().await.unwrap().is_err(), "nobody said that the call ended well");

        let Channel { writer, mut open, mut body, .. } = channel(None);
        open.verdict.whole = true;
        drop((writer, open));
        assert!(body.frame().await.is_none());

        let Channel { mut writer, body, .. } = channel(None);
        let mut stream = BodyStream { chunks: writer.chunks.take().unwrap(), written: 0 };
        drop(body);
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
    }
}

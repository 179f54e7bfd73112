//! Answers that are too long to be held: read as they come.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Frame, Incoming};

use super::body::Upload;
use super::{Answer, Call, Client, Error, Exception, sign};

/// An answer that is an error is no longer.
const ERROR_BYTES_MAX: usize = 1 << 20;

/// How long an answer is that may end earlier.
const BYTES: &str = "x-lamina-bytes";

/// The body of a successful answer.
pub(crate) struct Download<'a> {
    client: &'a Client,
    body: Incoming,
    /// From one piece to the next.
    pub(crate) idle: std::time::Duration,
    /// How long it is, when that was said.
    pub(crate) length: Option<u64>,
}

impl Client {
    /// Sends a signed request, and reads no more than the head of its answer; one
    /// that is an error becomes one. Dropped half-way, the request may or may not
    /// have been acted on.
    pub(crate) async fn download(&self, call: Call) -> Result<Download<'_>, Error> {
        let (timeout, idle, progress) = (call.timeout, call.idle, call.progress.clone());
        let request = sign::signed(call, &self.target, &self.clock)?.map(|body| Upload::new(body, progress));
        let (head, body) = self.within(timeout, self.send(request)).await??.into_parts();
        if head.status.is_success() {
            let told = head.headers.get(BYTES).and_then(|bytes| bytes.to_str().ok()?.parse().ok());
            let length = body.size_hint().exact().or(told);
            return Ok(Download { client: self, body, idle, length });
        }
        let body = self.within(idle, Limited::new(body, ERROR_BYTES_MAX).collect()).await?;
        let body = body.map_err(|error| self.broken(error.as_ref()))?.to_bytes();
        Err(Error::Aws(Exception::read(&Answer { status: head.status, headers: head.headers, body })))
    }
}

impl Download<'_> {
    /// The next piece; `None` at the end. One that ends too early is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = self.client.within(self.idle, self.body.frame()).await?;
            match frame.transpose().map_err(|error| self.client.broken(&error))?.map(Frame::into_data) {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers.
                Some(Err(_)) => {}
            }
        }
    }
}

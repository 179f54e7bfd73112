//! Streamed answers: a head, then bytes, then an end.
//!
//! Returning `Ok` from the handler ends the body. Returning an error before
//! [`ResponseStream::start`] is an error as a buffered handler's; after it, and
//! after a panic or the timeout, the body breaks off, so that the caller can tell
//! that it is not whole.

use std::fmt;

#[cfg(target_family = "wasm")]
use crate::guest::stream as sink;
#[cfg(not(target_family = "wasm"))]
use crate::testing::sink;

/// What precedes the first byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Head {
    /// The media type of the body; `application/octet-stream` when absent.
    pub content_type: Option<String>,
    /// Status, headers and cookies for a function URL; status 200 when absent.
    pub http: Option<Http>,
}

/// The HTTP part of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// 200 to 599.
    pub status: u16,
    /// Names and values, in order. A name may repeat.
    pub headers: Vec<(String, String)>,
    /// One `set-cookie` header each: `name=value; Secure`.
    pub cookies: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), cookies: Vec::new() }
    }
}

impl Head {
    /// The head of a body of this media type.
    #[must_use]
    pub fn new(content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), http: None }
    }

    /// The same head with this HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.http.get_or_insert_default().status = status;
        self
    }

    /// The same head with one more HTTP header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.http.get_or_insert_default().headers.push((name.into(), value.into()));
        self
    }

    /// The same head with one more cookie, as a `set-cookie` header writes it.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.http.get_or_insert_default().cookies.push(cookie.into());
        self
    }
}

/// The answer of one call, not begun. Dropped as it is, it is an empty body.
pub struct ResponseStream(pub(crate) sink::Response);

impl ResponseStream {
    /// Sends the head and opens the body.
    ///
    /// # Errors
    /// The head is not usable, or the caller is gone.
    pub fn start(self, head: Head) -> Result<Body, StartError> {
        self.0.start(head).map(Body)
    }
}

/// The body of a streamed answer.
pub struct Body(sink::Body);

impl Body {
    /// Writes all of `bytes` and sends them on. While the caller does not read, it
    /// waits, and so does the whole handler; an async one can wait with
    /// [`ready`](Self::ready) first.
    ///
    /// # Errors
    /// The caller is gone, or the platform broke the body off.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), WriteError> {
        self.0.write(bytes.as_ref())
    }

    /// Waits until a write would not have to, while other futures of the handler
    /// go on. Also ends when the caller is gone: the next write says so.
    /// Cancel-safe.
    pub async fn ready(&mut self) {
        self.0.ready().await;
    }
}

/// Each `write` goes to the caller at once; `flush` has nothing to do.
impl std::io::Write for Body {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Self::write(self, bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::BrokenPipe, error))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Why an answer could not be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The head is not usable, and why.
    InvalidHead(String),
    /// The caller is gone.
    Closed,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidHead(reason) => write!(f, "the head of the answer is not usable: {reason}"),
            Self::Closed => f.write_str("the caller is gone"),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a write did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The caller is gone.
    Closed,
    /// The platform broke the body off, and why.
    Failed(String),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the caller is gone"),
            Self::Failed(reason) => write!(f, "the answer was broken off: {reason}"),
        }
    }
}

impl std::error::Error for WriteError {}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;
    use crate::testing::invoke_stream;
    use crate::{Context, Error};

    #[test]
    fn head_and_chunks_arrive_in_order() {
        fn handle(_: (), _: Context, response: ResponseStream) -> Result<(), Error> {
            let head = Head::new("text/plain").status(201).header("x-a", "1").cookie("id=7");
            let mut body = response.start(head)?;
            body.write("one")?;
            write!(body, "two")?;
            Ok(())
        }
        let answer = invoke_stream(handle, json!({}));
        answer.result.unwrap();
        let head = answer.head.unwrap();
        assert_eq!(head.content_type.as_deref(), Some("text/plain"));
        let http = head.http.unwrap();
        assert_eq!((http.status, http.cookies), (201, vec!["id=7".to_owned()]));
        assert_eq!(http.headers, [("x-a".to_owned(), "1".to_owned())]);
        assert_eq!(answer.chunks.concat(), b"onetwo");
    }

    #[test]
    fn an_error_after_the_first_byte_keeps_what_was_written() {
        async fn handle(_: (), _: Context, response: ResponseStream) -> Result<(), Error> {
            let mut body = response.start(Head::default())?;
            body.ready().await;
            body.write("part")?;
            Err(Error::new("Half", "no more"))
        }
        let answer = invoke_stream(handle, json!(null));
        assert_eq!(answer.chunks, [b"part".to_vec()]);
        assert_eq!(answer.result.unwrap_err().error_type(), "Half");
    }

    #[test]
    fn an_answer_that_was_never_started_is_empty() {
        let handle = |_: (), _: Context, _: ResponseStream| Ok::<_, Error>(());
        let answer = invoke_stream(handle, json!(null));
        assert!(answer.head.is_none() && answer.chunks.is_empty() && answer.result.is_ok());
    }

    #[test]
    fn a_head_no_url_could_send_is_refused() {
        let handle = |_: (), _: Context, response: ResponseStream| response.start(Head::default().status(99)).map(drop);
        let error = invoke_stream(handle, json!(null)).result.unwrap_err();
        assert_eq!(error.error_type(), "StartError");
    }
}

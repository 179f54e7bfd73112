//! One request of the API, before it is signed.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::cli::progress::Progress;

/// Management calls answer at once; the rest of the time is for a slow network.
const TIMEOUT: Duration = Duration::from_secs(60);
/// An answer that has begun is there already, whole.
const IDLE: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request of the API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// Until the answer begins.
    pub(super) timeout: Duration,
    /// From one piece of the answer to the next.
    pub(super) idle: Duration,
    pub(super) answer_bytes_max: usize,
    pub(super) progress: Progress,
}

impl Call {
    /// A request without body. The segments are encoded here, each as a whole.
    pub(crate) fn new(method: Method, segments: &[&str]) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, &ENCODED));
        }
        Self {
            method,
            path,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: TIMEOUT,
            idle: IDLE,
            answer_bytes_max: ANSWER_BYTES_MAX,
            progress: Progress::hidden(),
        }
    }

    /// A GET.
    pub(crate) fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// Adds a member of the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.extend(utf8_percent_encode(name, &ENCODED));
        self.path.push('=');
        self.path.extend(utf8_percent_encode(value, &ENCODED));
        self
    }

    /// Adds a member of the query if there is a value.
    pub(crate) fn query_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body to JSON.
    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Bytes of the body.
    pub(crate) fn length(&self) -> usize {
        self.body.len()
    }

    /// Sets how long the request and the wait for an answer may take. Default 60 s.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long the next piece of an answer may take. Default 60 s.
    #[cfg(test)]
    pub(super) fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets how long the answer may be. Default 16 MiB.
    pub(crate) fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Shows how much of the body has been sent.
    pub(crate) fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        let call = Call::get(&["2017-03-31", "tags", "arn:aws:lambda/x"]).query("tagKeys", "lamina:fuel");
        assert_eq!(call.path, "/2017-03-31/tags/arn%3Aaws%3Alambda%2Fx?tagKeys=lamina%3Afuel");
        let call = call.query_if("a", None).query_if("Qualifier", Some("$LATEST"));
        assert!(call.path.ends_with("?tagKeys=lamina%3Afuel&Qualifier=%24LATEST"), "{}", call.path);
    }
}

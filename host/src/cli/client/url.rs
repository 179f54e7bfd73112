//! Calls of function URLs: unsigned, the answer as it comes.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::body::Upload;
use super::{Client, Error};
use crate::cli::progress::Progress;

/// The longest a function runs, and a little more.
const TIMEOUT: Duration = Duration::from_secs(930);

/// A function URL's answer.
#[derive(Debug)]
pub(crate) struct UrlAnswer {
    pub(crate) status: StatusCode,
    pub(crate) chunks: Chunks,
}

/// The body, chunk by chunk.
#[derive(Debug)]
pub(crate) struct Chunks {
    body: Incoming,
    endpoint: String,
}

impl Client {
    /// Calls a function URL of this platform with GET. Names under `localhost`
    /// are this endpoint's whether or not the system can resolve them (RFC 6761
    /// leaves it open, glibc cannot).
    pub(crate) async fn get_url(&self, url: &str) -> Result<UrlAnswer, Error> {
        let bad = |error: &dyn std::fmt::Display| Error::Request(format!("{url}: {error}"));
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(&error))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let host = HeaderValue::from_str(&host).map_err(|error| bad(&error))?;
        let mut parts = uri.into_parts();
        if parts.authority.as_ref().is_some_and(|authority| authority.host().ends_with(".localhost")) {
            parts.authority = Some(self.endpoint().authority().clone());
            parts.scheme = Some(self.endpoint().scheme().clone());
        }
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        let uri = Uri::from_parts(parts).map_err(|error| bad(&error))?;
        let mut request = Request::new(Upload::new(Bytes::new(), Progress::hidden()));
        *request.uri_mut() = uri;
        request.headers_mut().insert(HOST, host);
        let endpoint = self.endpoint().to_string();
        let sent = tokio::time::timeout(TIMEOUT, self.send(request)).await;
        let answer = sent.map_err(|_| Error::Timeout { endpoint: endpoint.clone(), timeout: TIMEOUT })??;
        Ok(UrlAnswer { status: answer.status(), chunks: Chunks { body: answer.into_body(), endpoint } })
    }
}

impl Chunks {
    /// The next chunk; `None` at the end. A stream that was reset is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = tokio::time::timeout(TIMEOUT, self.body.frame()).await;
            let frame = frame.map_err(|_| Error::Timeout { endpoint: self.endpoint.clone(), timeout: TIMEOUT })?;
            let frame = frame.transpose().map_err(|error| Error::Broken {
                endpoint: self.endpoint.clone(),
                reason: super::error::innermost(&error),
            })?;
            match frame.map(hyper::body::Frame::into_data) {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers.
                Some(Err(_)) => {}
            }
        }
    }
}

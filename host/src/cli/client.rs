//! A client of Lambda's API and of our own operations: HTTP/1.1, every
//! request signed, every answer bounded, every wait with a deadline.

mod advice;
mod body;
mod call;
mod download;
mod error;
mod sign;
mod tls;
mod url;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lamina_kit::SystemClock;
use serde_json::Value;

use super::environment::Environment;
use super::failure::Failure;
use super::target::{Endpoint, Target, TargetArgs};
use body::Upload;

pub(crate) use call::Call;
pub(crate) use download::Download;
pub(crate) use error::{Error, Exception};
pub(crate) use url::UrlAnswer;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A platform, ready to be called.
#[derive(Debug)]
pub(crate) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Upload>,
    target: Target,
    clock: SystemClock,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Unreadable(error.to_string()))
    }
}

impl Client {
    /// A client of the platform that these options find.
    pub(crate) async fn find(args: &TargetArgs, environment: &Environment) -> Result<Self, Failure> {
        Self::new(Target::find(args, environment).await?)
    }

    /// A client of this platform.
    pub(crate) fn new(target: Target) -> Result<Self, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = tls::connector(connector, &target.endpoint, &target.trust)?;
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, target, clock: SystemClock::new() })
    }

    /// Where the platform listens.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.target.endpoint
    }

    /// Sends a signed request and reads the whole answer; an answer that is an
    /// error becomes one. Dropped half-way, the request may or may not have been
    /// acted on.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, Error> {
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(Error::Aws(Exception::read(&answer)))
    }

    async fn exchange(&self, call: Call) -> Result<Answer, Error> {
        let (answer_bytes_max, timeout, idle) = (call.answer_bytes_max, call.timeout, call.idle);
        let progress = call.progress.clone();
        let request = sign::signed(call, &self.target, &self.clock)?;
        let request = request.map(|body| Upload::new(body, progress));
        let (head, body) = self.within(timeout, self.send(request)).await??.into_parts();
        let mut body = Limited::new(body, answer_bytes_max);
        let mut bytes = BytesMut::new();
        while let Some(frame) = self.within(idle, body.frame()).await? {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                // Trailers.
                Ok(Err(_)) => {}
                Err(error) if error.is::<LengthLimitError>() => return Err(Error::TooLarge(answer_bytes_max)),
                Err(error) => return Err(self.broken(error.as_ref())),
            }
        }
        Ok(Answer { status: head.status, headers: head.headers, body: bytes.freeze() })
    }

    /// Waits, but not for ever.
    async fn within<T>(&self, timeout: Duration, waited: impl Future<Output = T>) -> Result<T, Error> {
        let waited = tokio::time::timeout(timeout, waited).await;
        waited.map_err(|_| Error::Timeout { endpoint: self.target.endpoint.to_string(), timeout })
    }

    async fn send(&self, request: Request<Upload>) -> Result<Response<Incoming>, Error> {
        self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                return Error::Unreachable {
                    endpoint: self.target.endpoint.to_string(),
                    reason: error::innermost(&error),
                    data: self.target.data.clone(),
                };
            }
            self.broken(&error)
        })
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        Error::Broken { endpoint: self.target.endpoint.to_string(), reason: error::innermost(error) }
    }
}

#[cfg(test)]
mod tests;

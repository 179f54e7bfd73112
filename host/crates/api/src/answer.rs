//! Answers: whole or streamed bodies, and the JSON ones of the API.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use lamina_runtime::{HttpError, ResponseBody};
use lamina_types::RequestId;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::error::ApiError;
use crate::invoke::Events;

/// Every answer carries it: the id of the request, in a UUID's form.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The name of an error.
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An answer on its way to hyper.
pub(crate) type Answer = Response<AnswerBody>;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All there; taken when it was sent.
    Whole(Option<Bytes>),
    /// As it comes. An error resets the connection instead of ending cleanly.
    Stream(ResponseBody),
    /// Events of InvokeWithResponseStream.
    Events(Box<Events>),
    /// Events of StartLiveTail, whole, as they are made.
    Tail(mpsc::Receiver<Bytes>),
    /// About to break off.
    Broken(Option<HttpError>),
}

impl AnswerBody {
    /// A body of these bytes.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    /// No body.
    pub(crate) const fn empty() -> Self {
        Self::Whole(None)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        match this {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Broken(error) => Poll::Ready(error.take().map(Err)),
            Self::Events(events) => events.poll(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
            Self::Tail(events) => events.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(body) => match std::task::ready!(Pin::new(body).poll_frame(cx)) {
                // hyper drops what it has not sent yet when a body breaks off,
                // even the head; asked to wait, it sends that first.
                Some(Err(error)) => {
                    *this = Self::Broken(Some(error));
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                frame => Poll::Ready(frame),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Stream(body) => body.is_end_stream(),
            Self::Events(_) | Self::Tail(_) | Self::Broken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Stream(body) => body.size_hint(),
            Self::Events(_) | Self::Tail(_) | Self::Broken(_) => SizeHint::default(),
        }
    }
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Answer, ApiError> {
    let bytes = serde_json::to_vec(value).map_err(|error| ApiError::internal(format!("writing an answer: {error}")))?;
    Ok(json_bytes(status, bytes))
}

/// An answer of bytes that are JSON already.
pub(crate) fn json_bytes(status: StatusCode, bytes: impl Into<Bytes>) -> Answer {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut answer = Response::new(AnswerBody::whole(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

/// 204.
pub(crate) fn no_content() -> Answer {
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// Puts the request's id on an answer.
pub(crate) fn identify(answer: &mut Answer, id: &RequestId) {
    // A UUID is always a header's value.
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
}

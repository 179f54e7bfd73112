//! Calls of components that get the HTTP request itself.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use lamina_runtime::{HttpError, RequestBody, ResponseBody};
use lamina_types::{FunctionError, Invocation};

use crate::answer::{Body, HttpServed};
use crate::dispatcher::{Admitted, Dispatcher};
use crate::error::InvokeError;

impl Dispatcher {
    /// Runs a `function-http` component and answers when it has set its response.
    /// The request must have a Host header or an authority.
    ///
    /// The guest runs on the caller's task until then, and on a task of its own
    /// after. Dropped half-way, it runs on: its caller has left, and its next
    /// write fails.
    pub async fn http(
        &self,
        invocation: Invocation,
        request: ::http::Request<RequestBody>,
    ) -> Result<HttpServed, InvokeError> {
        let Admitted { call, ending } = self.admit(invocation).await?;
        let version = call.function.version;
        let (mut running, start) = self.start(self.deps.runtime.http(call, request), ending)?;
        let mut response = start.response;
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            answered = &mut response => match answered {
                // Dropped here, the call goes on as a task.
                Ok(response) => return Ok(HttpServed { version, response: Ok(response.map(Body::Stream)) }),
                // The outparam was given back unused, or answered with an error.
                Err(_) => running.await,
            },
        };
        let (outcome, _) = ended?;
        let response = match (response.try_recv().ok(), outcome.result) {
            (None, Err(failure)) => Err(failure),
            (None, Ok(_)) => Err(FunctionError::no_response("the component ended without setting a response")),
            (Some(response), Err(_)) => Ok(response.map(Body::Stream)),
            (Some(response), Ok(_)) => Ok(whole(response).await),
        };
        Ok(HttpServed { version, response })
    }
}

/// The response of a call that has ended well: its body is all there. One with
/// trailers stays a stream, as they need its framing.
async fn whole(response: ::http::Response<ResponseBody>) -> ::http::Response<Body> {
    let (parts, mut body) = response.into_parts();
    let mut ended = Ended { data: VecDeque::new(), last: None };
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => ended.data.push_back(data),
            Ok(Err(trailers)) => ended.last = Some(Ok(trailers)),
            // The guest wrote less than it had announced, or dropped its body.
            Err(error) => ended.last = Some(Err(error)),
        }
    }
    ::http::Response::from_parts(parts, ended.into_body())
}

/// A body that was read to its end.
struct Ended {
    data: VecDeque<Bytes>,
    /// Trailers, or why it broke off.
    last: Option<Result<Frame<Bytes>, HttpError>>,
}

impl Ended {
    fn into_body(mut self) -> Body {
        match (self.data.len(), &self.last) {
            (0, None) => Body::Whole(Bytes::new()),
            (1, None) => Body::Whole(self.data.pop_front().unwrap_or_default()),
            (_, None) => Body::Whole(self.data.make_contiguous().concat().into()),
            (_, Some(_)) => Body::Stream(self.boxed_unsync()),
        }
    }
}

impl http_body::Body for Ended {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let data = self.data.pop_front().map(|data| Ok(Frame::data(data)));
        Poll::Ready(data.or_else(|| self.last.take()))
    }
}

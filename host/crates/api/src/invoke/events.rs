//! A streamed answer as events, one for each piece and one for the end.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::Body as _;
use lamina_invoke::{Body, End, StreamAnswer};
use lamina_runtime::{HttpPrelude, StreamHead};
use lamina_types::FunctionError;
use lamina_types::outcome::error_type;
use lamina_wire::event_stream::{CHUNK_BYTES_MAX, Complete, Event};
use serde_json::{Value, json};

use crate::error::ApiError;

/// Between a prelude and the body (reference 5.4).
const NULS: [u8; 8] = [0; 8];

/// See the module. Dropped half-way, the function runs on.
#[derive(Debug)]
pub(crate) struct Events {
    /// Bytes that are there and not sent.
    waiting: Bytes,
    /// Where more come from.
    body: Option<Body>,
    end: Option<End>,
    failure: Option<FunctionError>,
}

impl Events {
    pub(crate) fn new(answer: StreamAnswer, end: End) -> Result<Self, ApiError> {
        let end = Some(end);
        Ok(match answer {
            StreamAnswer::Failed(failure) => Self { waiting: Bytes::new(), body: None, end, failure: Some(failure) },
            StreamAnswer::Whole(bytes) => Self { waiting: bytes.into(), body: None, end, failure: None },
            StreamAnswer::Started { head, body } => {
                Self { waiting: prelude(head)?, body: Some(body), end, failure: None }
            }
        })
    }

    /// The next event; `None` after the last.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if !self.waiting.is_empty() {
                let chunk = self.waiting.split_to(self.waiting.len().min(CHUNK_BYTES_MAX));
                return Poll::Ready(encoded(Event::PayloadChunk(chunk)));
            }
            match &mut self.body {
                None => break,
                Some(Body::Whole(bytes)) => {
                    self.waiting = std::mem::take(bytes);
                    self.body = None;
                }
                Some(Body::Stream(body)) => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) => self.waiting = frame.into_data().unwrap_or_default(),
                    // Why it broke off the end says.
                    Some(Err(_)) | None => self.body = None,
                },
            }
        }
        let (failure, tail) = match &mut self.end {
            None => return Poll::Ready(None),
            Some(End::Running(told)) => match ready!(Pin::new(told).poll(cx)) {
                Ok(Ok((outcome, tail))) => (outcome.result.err(), tail),
                Ok(Err(_)) | Err(_) => (Some(lost()), None),
            },
            Some(End::Ended(tail)) => (None, tail.take()),
            Some(End::Failed(failure, tail)) => (Some(failure.clone()), tail.take()),
            Some(End::Unwatched) => (None, None),
        };
        self.end = None;
        let failure = self.failure.take().or(failure);
        let complete = Complete {
            error_code: failure.as_ref().map(|_| "Unhandled".to_owned()),
            error_details: failure.and_then(|failure| serde_json::to_string(&failure).ok()),
            log_result: tail.map(|tail| STANDARD.encode(tail)),
        };
        Poll::Ready(encoded(Event::InvokeComplete(complete)))
    }
}

/// An event that cannot be written ends the stream without its last event, by which
/// clients know that it broke off.
fn encoded(event: Event) -> Option<Bytes> {
    event.encode().inspect_err(|error| tracing::error!(%error, "an answer broke off")).ok()
}

/// The call ended without its end being told: the platform is stopping.
fn lost() -> FunctionError {
    FunctionError::new(error_type::UNKNOWN, "the platform ended the call")
}

/// What a client gets before the body: the prelude as the function gave it.
fn prelude(head: StreamHead) -> Result<Bytes, ApiError> {
    let Some(HttpPrelude { status, headers, cookies }) = head.http else { return Ok(Bytes::new()) };
    let mut members = serde_json::Map::new();
    for (name, value) in headers {
        // One text for each name: repeats are joined, as HTTP allows.
        match members.get_mut(&name) {
            Some(Value::String(first)) => *first = format!("{first},{value}"),
            _ => drop(members.insert(name, value.into())),
        }
    }
    if let Some(content_type) = head.content_type {
        members.entry("content-type").or_insert(content_type.into());
    }
    let value = json!({"statusCode": status, "headers": members, "cookies": cookies});
    let mut bytes = serde_json::to_vec(&value).map_err(|error| ApiError::internal(format!("a prelude: {error}")))?;
    bytes.extend_from_slice(&NULS);
    Ok(bytes.into())
}

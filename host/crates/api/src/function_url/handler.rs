//! Functions that get an event: of the worlds `function` and `function-stream`.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use lamina_invoke::{Body, Served, StreamAnswer};
use lamina_runtime::StreamHead;
use lamina_types::limits::REQUEST_PAYLOAD_BYTES_MAX;
use lamina_types::{Invocation, World};

use super::event::{self, Source};
use super::infer::{self, Inferred, has_body};
use super::refusal::Refusal;
use super::{Visit, address};
use crate::answer::{Answer, AnswerBody};
use crate::body::{self, Bounds, Pace};
use crate::pace::paced;
use crate::request::{self, Head};

/// Bytes of an event; what makes it larger than a request's body is bounded by a
/// head's limits, but for how it is written.
const EVENT_BYTES_MAX: usize = 2 * REQUEST_PAYLOAD_BYTES_MAX;

/// Collects the answer, and infers the HTTP response from it.
pub(super) async fn buffered(visit: Visit<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let (shared, world) = (visit.shared, visit.world);
    let invocation = invocation(visit, body).await?;
    let Served { outcome, head, .. } = shared.deps.dispatcher.buffered(invocation).await?;
    let result = outcome.result?;
    let inferred = match (head, world) {
        (Some(head), _) => headed(&head, result)?,
        (None, World::FunctionStream) => headed(&StreamHead::default(), result)?,
        (None, World::Function | World::FunctionHttp | World::ManagedRuntime) => infer::from_result(result)?,
    };
    let Inferred { status, headers, body } = inferred;
    let mut answer = Response::new(AnswerBody::whole(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

fn headed(head: &StreamHead, body: Vec<u8>) -> Result<Inferred, Refusal> {
    let head = infer::from_prelude(head.http.as_ref(), head.content_type.as_deref())?;
    let body = if has_body(head.status) { body.into() } else { head.body };
    Ok(Inferred { body, ..head })
}

/// Passes the bytes on as they are written.
pub(super) async fn streaming(visit: Visit<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let shared = visit.shared;
    let invocation = invocation(visit, body).await?;
    match shared.deps.dispatcher.streaming(invocation).await?.answer {
        StreamAnswer::Failed(failure) => Err(failure.into()),
        StreamAnswer::Whole(result) => {
            let mut answer = Response::new(AnswerBody::whole(result));
            *answer.status_mut() = StatusCode::OK;
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(answer)
        }
        StreamAnswer::Started { head, body } => {
            let head = infer::from_prelude(head.http.as_ref(), head.content_type.as_deref())?;
            let body = match body {
                _ if !has_body(head.status) => AnswerBody::empty(),
                Body::Whole(bytes) => AnswerBody::whole(bytes),
                Body::Stream(body) => AnswerBody::Stream(paced(body, shared.config.stream_bytes_per_s)),
            };
            let mut answer = Response::new(body);
            *answer.status_mut() = head.status;
            *answer.headers_mut() = head.headers;
            Ok(answer)
        }
    }
}

/// The call with its event.
async fn invocation(visit: Visit<'_>, body: Incoming) -> Result<Invocation, Refusal> {
    let config = &visit.shared.config;
    let bytes_max = config.payload_bytes_max;
    let bounds = Bounds { bytes_max, pace: Pace::whole(&config.limits), room: Some(&visit.shared.room), hash: false };
    let body = body::read(body, bounds).await.map_err(|error| Refusal::unreadable(error, bytes_max))?;
    let id = &visit.url.config.id;
    let Head { peer, parts, id: request_id } = &*visit.head;
    let source_ip = peer.ip();
    let event = event::write(&Source {
        method: &parts.method,
        version: parts.version,
        path: address::path(parts.uri.path(), visit.prefix),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body.bytes,
        url_id: id.as_str(),
        domain: &address::domain(request::host(parts), id, config),
        source_ip: &source_ip,
        scheme: config.scheme(),
        spoken: peer.spoken,
        port: peer.port,
        request_id,
        trace_id: &visit.trace_id,
        time: visit.accepted,
    });
    // Base64 and quotes make an event larger than its body; escapes of control
    // characters could make it six times as large.
    if event.len() > EVENT_BYTES_MAX {
        return Err(Refusal::Denied(Refusal::too_large(bytes_max)));
    }
    Ok(visit.into_call(event).0)
}

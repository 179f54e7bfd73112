//! Function URLs (reference 5.3): a request becomes an event and the result an
//! answer, or a `function-http` component gets the request itself.
//!
//! Which URL a request is for is `address`'s to say. No signature is asked for:
//! a URL is open to all by its function's policy, or to none.

mod address;
mod cors;
mod event;
#[cfg(test)]
mod fuzz;
mod handler;
mod hop;
mod http;
mod infer;
mod json;
mod refusal;
mod trailed;

use std::sync::Arc;

use ::http::header::ORIGIN;
use lamina_registry::UrlEntry;
use lamina_types::records::InvokeMode;
use lamina_types::{FunctionRef, Invocation, Payload, RequestId, ResolvedFunction, Timestamp, World};

pub(crate) use address::{Addressed, address, url};

use self::refusal::Refusal;
use crate::answer::Answer;
use crate::error::{ApiError, exception};
use crate::request::{Arrived, Peer, Shared};
use crate::trace::{self, Trace};

/// Lambda's text for a URL that is not open to the caller.
const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                         https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/// What is known of a call before its body is read.
struct Visit<'a> {
    shared: &'a Shared,
    peer: Peer,
    id: RequestId,
    /// Bytes of the path that only say which URL it is.
    prefix: usize,
    url: Arc<UrlEntry>,
    function: Arc<ResolvedFunction>,
    accepted: Timestamp,
    trace_id: String,
    span: Option<lamina_types::Span>,
}

impl Visit<'_> {
    fn invocation(self, payload: Payload) -> Invocation {
        Invocation {
            request_id: self.id,
            function: FunctionRef { name: self.url.config.function.clone(), qualifier: None },
            payload,
            trace_id: self.trace_id,
            span: self.span,
            client_context: None,
            accepted: self.accepted,
            tail: false,
        }
    }
}

/// Answers a request to a function URL. Dropped half-way, a call that runs
/// already goes on: a buffered one to its end, a streaming one to its next write.
pub(crate) async fn call(shared: &Shared, arrived: Arrived, addressed: Addressed) -> Answer {
    let Addressed { id, prefix } = addressed;
    let catalog = shared.deps.registry.catalog();
    let Some(url) = id.and_then(|id| catalog.url(&id).cloned()) else {
        return ApiError::mute(exception::DENIED).into_answer(&arrived.id);
    };
    // Not held while the function runs.
    drop(catalog);
    let entry = url.clone();
    let Some(cors) = &entry.config.cors else { return open(shared, arrived, (url, prefix)).await };
    if let Some(answer) = cors::preflight(cors, &arrived.parts.method, &arrived.parts.headers) {
        return answer;
    }
    let origin = arrived.parts.headers.get(ORIGIN).cloned();
    let mut answer = open(shared, arrived, (url, prefix)).await;
    cors::apply(cors, origin.as_ref(), answer.headers_mut());
    answer
}

/// The function's own answer, or why there is none.
async fn open(shared: &Shared, arrived: Arrived, at: (Arc<UrlEntry>, usize)) -> Answer {
    let id = arrived.id.clone();
    match visit(shared, arrived, at).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_answer(&id),
    }
}

async fn visit(shared: &Shared, arrived: Arrived, at: (Arc<UrlEntry>, usize)) -> Result<Answer, Refusal> {
    let (url, prefix) = at;
    if !url.is_public {
        return Err(Refusal::Denied(ApiError::new(exception::DENIED, FORBIDDEN)));
    }
    let name = FunctionRef { name: url.config.function.clone(), qualifier: None };
    let function = shared.deps.dispatcher.resolve(&name)?;
    let Arrived { peer, parts, body, id } = arrived;
    let accepted = shared.now();
    let Trace { trace_id, span } = trace::begin(&parts.headers, shared, accepted);
    let (world, mode) = (function.world, url.config.invoke_mode.unwrap_or(InvokeMode::Buffered));
    let visit = Visit { shared, peer, id, prefix, url, function, accepted, trace_id, span };
    match (world, mode) {
        (World::FunctionHttp, InvokeMode::Buffered) => http::buffered(visit, parts, body).await,
        (World::FunctionHttp, InvokeMode::ResponseStream) => http::streaming(visit, parts, body).await,
        (World::Function | World::FunctionStream | World::ManagedRuntime, InvokeMode::Buffered) => {
            handler::buffered(visit, parts, body).await
        }
        (World::Function | World::FunctionStream | World::ManagedRuntime, InvokeMode::ResponseStream) => {
            handler::streaming(visit, parts, body).await
        }
    }
}

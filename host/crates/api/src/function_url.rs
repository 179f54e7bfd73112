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
use std::time::Duration;

use ::http::header::ORIGIN;
use ::http::request::Parts;
use hyper::body::Incoming;
use lamina_registry::UrlEntry;
use lamina_types::records::InvokeMode;
use lamina_types::{FunctionRef, Invocation, Payload, Timestamp, World};

pub(crate) use address::{Addressed, address, url};

use self::refusal::Refusal;
use crate::answer::Answer;
use crate::error::{ApiError, exception};
use crate::request::{Arrived, Head, Shared};
use crate::trace::{self, Trace};

/// Lambda's text for a URL that is not open to the caller.
const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                         https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/// What is known of a call before its body is read.
struct Visit<'a> {
    shared: &'a Shared,
    head: Box<Head>,
    /// Bytes of the path that only say which URL it is.
    prefix: usize,
    url: Arc<UrlEntry>,
    name: FunctionRef,
    world: World,
    timeout: Duration,
    accepted: Timestamp,
    trace_id: String,
    span: Option<lamina_types::Span>,
}

impl<'a> Visit<'a> {
    fn of(shared: &'a Shared, head: Box<Head>, url: Arc<UrlEntry>, prefix: usize) -> Result<Self, Refusal> {
        if !url.is_public {
            return Err(Refusal::Denied(ApiError::new(exception::DENIED, FORBIDDEN)));
        }
        let name = FunctionRef { name: url.config.function.clone(), qualifier: None };
        let (world, timeout) = shared.deps.dispatcher.look(&name, |function| (function.world, function.timeout))?;
        let accepted = shared.now();
        let Trace { trace_id, span } = trace::begin(&head.parts.headers, shared, accepted);
        Ok(Self { shared, head, prefix, url, name, world, timeout, accepted, trace_id, span })
    }

    /// The call, and the request's head.
    fn into_call(self, payload: Payload) -> (Invocation, Parts) {
        let Head { parts, id, .. } = *self.head;
        let invocation = Invocation {
            request_id: id,
            function: self.name,
            payload,
            trace_id: self.trace_id,
            span: self.span,
            client_context: None,
            accepted: self.accepted,
            tail: false,
        };
        (invocation, parts)
    }

    /// The function's own answer, or why there is none.
    async fn answer(self, body: Incoming) -> Result<Answer, Refusal> {
        match (self.world, self.url.config.invoke_mode.unwrap_or(InvokeMode::Buffered)) {
            (World::FunctionHttp, InvokeMode::Buffered) => http::buffered(self, body).await,
            (World::FunctionHttp, InvokeMode::ResponseStream) => http::streaming(self, body).await,
            (World::Function | World::FunctionStream | World::ManagedRuntime, InvokeMode::Buffered) => {
                handler::buffered(self, body).await
            }
            (World::Function | World::FunctionStream | World::ManagedRuntime, InvokeMode::ResponseStream) => {
                handler::streaming(self, body).await
            }
        }
    }
}

/// Answers a request to a function URL. Dropped half-way, a call that runs
/// already goes on: a buffered one to its end, a streaming one to its next write.
pub(crate) async fn call(shared: &Shared, arrived: Arrived, addressed: Addressed) -> Answer {
    let Addressed { id, prefix } = addressed;
    let Arrived { head, body } = arrived;
    let Some(url) = id.and_then(|id| shared.deps.registry.look(|catalog| catalog.url(&id).cloned())) else {
        return ApiError::mute(exception::DENIED).into_answer(&head.id);
    };
    let cors = url.config.cors.clone();
    if let Some(cors) = &cors
        && let Some(answer) = cors::preflight(cors, &head.parts.method, &head.parts.headers)
    {
        return answer;
    }
    let origin = cors.as_ref().and_then(|_| head.parts.headers.get(ORIGIN).cloned());
    let id = head.id.clone();
    let answered = match Visit::of(shared, head, url, prefix) {
        Ok(visit) => visit.answer(body).await,
        Err(refusal) => Err(refusal),
    };
    let mut answer = answered.unwrap_or_else(|refusal| refusal.into_answer(&id));
    if let Some(cors) = &cors {
        cors::apply(cors, origin.as_ref(), answer.headers_mut());
    }
    answer
}

//! Invoke (reference 1.4): RequestResponse and DryRun, with the log's tail.

mod events;
pub(crate) mod streamed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use lamina_invoke::Served;
use lamina_types::limits::CLIENT_CONTEXT_BYTES_MAX;
use lamina_types::{FunctionError, FunctionRef, Invocation, Payload, Version, World};
use lamina_wire::Invalid;
use lamina_wire::violation::Violations;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::answer::{Answer, AnswerBody, no_content};
use crate::error::{ApiError, exception};
use crate::manage;
use crate::request::Call;
use crate::trace::{self, TRACE_ID, Trace};

pub(crate) use events::Events;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// Headers of features that are not there yet.
const LATER: [(&str, &str); 2] = [
    ("x-amz-durable-execution-name", "functions here are not durable"),
    ("x-amz-tenant-id", "functions here have no TenancyConfig"),
];

/// What the headers ask for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    dry_run: bool,
    tail: bool,
    client_context: Option<String>,
}

/// Dropped half-way, a call that runs already goes on to its end.
pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let shared = call.shared;
    let (function, asked) = (manage::asked(&call, "Invoke")?, Asked::of(&call.parts.headers, true)?);
    let Some(Ready { invocation, traced }) = ready(call, function.clone(), asked)? else { return Ok(no_content()) };
    let served = shared.deps.dispatcher.buffered(invocation).await;
    let served = served.map_err(|error| ApiError::invoke(error, &function, &shared.owner))?;
    let mut answer = answered(served)?;
    answer.headers_mut().extend(traced.map(|trace| (TRACE_ID, trace)));
    Ok(answer)
}

/// A call that may be dispatched.
struct Ready {
    invocation: Invocation,
    /// For the answer.
    traced: Option<HeaderValue>,
}

/// Checks everything about a call; `None` when no more was asked for.
fn ready(call: Call<'_>, function: FunctionRef, asked: Asked) -> Result<Option<Ready>, ApiError> {
    let (shared, owner) = (call.shared, call.owner());
    let world = shared.deps.dispatcher.look(&function, |function| function.world);
    let world = world.map_err(|error| ApiError::invoke(error, &function, owner))?;
    check_json(&call.body.bytes)?;
    if world == World::FunctionHttp {
        return Err(by_url_only(&function));
    }
    if asked.dry_run {
        return Ok(None);
    }
    let accepted = shared.now();
    let Trace { trace_id, span } = trace::begin(&call.parts.headers, shared, accepted);
    let traced = HeaderValue::from_str(&trace_id).ok();
    let Asked { client_context, tail, .. } = asked;
    let payload = payload(call.body.bytes);
    let invocation =
        Invocation { request_id: call.id, function, payload, trace_id, span, client_context, accepted, tail };
    Ok(Some(Ready { invocation, traced }))
}

impl Asked {
    /// Of a call that may be asynchronous, or may not.
    fn of(headers: &HeaderMap, event: bool) -> Result<Self, ApiError> {
        for (name, why) in LATER {
            if headers.contains_key(name) {
                return Err(Invalid::not_yet(name, why).into());
            }
        }
        let text = |name| headers.get(name).map(|value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into());
        let (kind, log): (Option<String>, Option<String>) = (text(INVOCATION_TYPE), text(LOG_TYPE));
        let mut violations = Violations::new();
        let kinds = ["Event", "RequestResponse", "DryRun"];
        violations.one_of("invocationType", kind.as_ref(), if event { &kinds } else { &kinds[1..] });
        violations.one_of("logType", log.as_ref(), &["None", "Tail"]);
        violations.finish()?;
        if kind.as_deref() == Some("Event") {
            return Err(Invalid::not_yet("InvocationType Event", "call with RequestResponse").into());
        }
        Ok(Self {
            dry_run: kind.as_deref() == Some("DryRun"),
            tail: log.as_deref() == Some("Tail"),
            client_context: headers.get(CLIENT_CONTEXT).map(client_context).transpose()?,
        })
    }
}

/// The JSON object inside the header.
fn client_context(value: &HeaderValue) -> Result<String, ApiError> {
    let refused = |text: &str| ApiError::new(exception::INVALID_CONTENT, text);
    if value.len() > CLIENT_CONTEXT_BYTES_MAX {
        let text = format!("Client context must not be longer than {CLIENT_CONTEXT_BYTES_MAX} bytes");
        return Err(refused(&text));
    }
    let decoded = STANDARD.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let object =
        decoded.filter(|text| text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok());
    object.ok_or_else(|| refused("Client context must be a valid Base64-encoded JSON object."))
}

/// Whether the bytes are one JSON value, in UTF-8; nothing is copied.
fn check_json(bytes: &[u8]) -> Result<(), ApiError> {
    if bytes.is_empty() {
        return Ok(());
    }
    // A raw value is a slice of the input, checked to be UTF-8.
    serde_json::from_slice::<&RawValue>(bytes).map(|_| ()).map_err(|error| {
        let text = format!("Could not parse request body into json: Could not parse payload into json: {error}");
        ApiError::new(exception::INVALID_CONTENT, text)
    })
}

/// What the handler gets; nothing given is an empty object.
fn payload(bytes: Bytes) -> Payload {
    if bytes.is_empty() { b"{}".to_vec() } else { bytes.into() }
}

fn by_url_only(function: &FunctionRef) -> ApiError {
    let name = &function.name;
    let text = format!(
        "{name} is a function-http component: it takes no events; call it at its function URL \
         (CreateFunctionUrlConfig makes one)"
    );
    ApiError::new(exception::INVALID_PARAMETER, text)
}

/// 200 for every call that ran, also for one that failed.
fn answered(served: Served) -> Result<Answer, ApiError> {
    let Served { version, outcome, head, tail } = served;
    let (body, error) = match outcome.result {
        Ok(result) if result.is_empty() && head.is_none() => (b"null".to_vec(), false),
        Ok(result) => (result, false),
        Err(failure) => (failed(&failure)?, true),
    };
    // What a streaming function says its bytes are, unless it failed.
    let own = head.filter(|_| !error).and_then(|head| head.content_type);
    let content_type = own.and_then(|own| HeaderValue::from_str(&own).ok());
    let mut answer = Response::new(AnswerBody::whole(body));
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/json")));
    headers.insert(EXECUTED_VERSION, executed(version));
    if error {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    let tail = tail.and_then(|tail| HeaderValue::try_from(STANDARD.encode(tail)).ok());
    headers.extend(tail.map(|tail| (LOG_RESULT, tail)));
    Ok(answer)
}

fn failed(failure: &FunctionError) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(failure).map_err(|error| ApiError::internal(format!("writing a function's error: {error}")))
}

fn executed(version: Version) -> HeaderValue {
    match version {
        Version::Latest => HeaderValue::from_static("$LATEST"),
        Version::Number(number) => HeaderValue::from(number),
    }
}

#[cfg(test)]
mod tests;

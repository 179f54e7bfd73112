//! InvokeWithResponseStream (reference 1.5): the answer as events, while the function
//! writes it.

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use lamina_invoke::Streamed;
use lamina_wire::event_stream::MEDIA_TYPE;

use super::{Asked, EXECUTED_VERSION, Events, Ready, executed, ready};
use crate::answer::{Answer, AnswerBody, no_content};
use crate::error::ApiError;
use crate::manage;
use crate::pace::paced_answer;
use crate::request::Call;
use crate::trace::TRACE_ID;

/// Dropped half-way, a call that runs already goes on to its end; a streaming function
/// learns at its next write that its caller has left.
pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let shared = call.shared;
    let function = manage::asked(&call, "InvokeWithResponseStream")?;
    let asked = Asked::of(&call.parts.headers, false)?;
    let Some(Ready { invocation, traced }) = ready(call, function.clone(), asked)? else { return Ok(no_content()) };
    let streamed = shared.deps.dispatcher.watched(invocation).await;
    let Streamed { version, answer, end } =
        streamed.map_err(|error| ApiError::invoke(error, &function, &shared.owner))?;
    let events = Events::new(paced_answer(answer, shared.config.stream_bytes_per_s), end)?;
    let mut answer = Response::new(AnswerBody::Events(Box::new(events)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(EXECUTED_VERSION, executed(version));
    headers.extend(traced.map(|trace| (TRACE_ID, trace)));
    Ok(answer)
}

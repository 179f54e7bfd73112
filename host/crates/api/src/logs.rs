//! CloudWatch Logs' API over the functions' logs: JSON 1.1, one operation for each
//! `X-Amz-Target`, signed for the service `logs` (reference 5.5).
//!
//! Its errors are its own: 400 (500 when it is our fault), `__type` and `message`.

mod error;
mod events;
mod list;
mod manage;
pub(crate) mod search;
mod tail;

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use lamina_logs::LogStore;
use lamina_types::RequestId;
use serde::Serialize;

use self::error::LogsError;
use crate::answer::{Answer, json_bytes};
use crate::auth::{self, Action, Principal};
use crate::error::ApiError;
use crate::request::Shared;

pub(crate) use self::tail::SESSIONS_MAX;

/// The service in signatures.
pub(crate) const SERVICE: &str = "logs";
const TARGET: &str = "x-amz-target";
const PREFIX: &str = "Logs_20140328.";
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// The operation of CloudWatch Logs that a request asks for, if it asks for one.
pub(crate) fn operation(parts: &Parts) -> Option<String> {
    let target = parts.headers.get(TARGET)?.to_str().ok()?.strip_prefix(PREFIX)?;
    (parts.method == Method::POST && parts.uri.path() == "/").then(|| target.chars().take(100).collect())
}

/// A request that is believed.
pub(crate) struct Asked<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) principal: &'a Principal,
    pub(crate) body: &'a [u8],
    pub(crate) id: &'a RequestId,
}

/// Does what is asked, after asking whether its caller may.
pub(crate) async fn perform(operation: &str, asked: Asked<'_>) -> Result<Answer, ApiError> {
    let action: Option<Action> = match operation {
        "DescribeLogGroups" => Some("logs:DescribeLogGroups"),
        "DescribeLogStreams" => Some("logs:DescribeLogStreams"),
        "GetLogEvents" => Some("logs:GetLogEvents"),
        "FilterLogEvents" => Some("logs:FilterLogEvents"),
        "PutRetentionPolicy" => Some("logs:PutRetentionPolicy"),
        "DeleteRetentionPolicy" => Some("logs:DeleteRetentionPolicy"),
        "CreateLogGroup" => Some("logs:CreateLogGroup"),
        "CreateLogStream" => Some("logs:CreateLogStream"),
        "PutLogEvents" => Some("logs:PutLogEvents"),
        "DeleteLogGroup" => Some("logs:DeleteLogGroup"),
        "DeleteLogStream" => Some("logs:DeleteLogStream"),
        "StartLiveTail" => Some("logs:StartLiveTail"),
        _ => None,
    };
    if let Some(action) = action {
        auth::permit(asked.principal, action)?;
    }
    let done = match operation {
        "DescribeLogGroups" => list::groups(&asked).await,
        "DescribeLogStreams" => list::streams(&asked).await,
        "GetLogEvents" => events::get(&asked).await,
        "FilterLogEvents" => events::filter(&asked).await,
        "PutLogEvents" => events::put(&asked).await,
        "PutRetentionPolicy" => manage::put_retention(&asked).await,
        "DeleteRetentionPolicy" => manage::delete_retention(&asked).await,
        "CreateLogGroup" => manage::create_group(&asked).await,
        "DeleteLogGroup" => manage::delete_group(&asked).await,
        "CreateLogStream" => manage::create_stream(&asked).await,
        "DeleteLogStream" => manage::delete_stream(&asked).await,
        "StartLiveTail" => tail::start(&asked).await,
        other => Err(LogsError::new("UnknownOperationException", format!("{other} is not supported yet"))),
    };
    Ok(done.unwrap_or_else(|error| error.into_answer(asked.id)))
}

/// An error of the layers above, in this API's form.
pub(crate) fn refused(error: ApiError, id: &RequestId) -> Answer {
    LogsError::from(error).into_answer(id)
}

/// A JSON answer.
fn answer(value: &impl Serialize) -> Result<Answer, LogsError> {
    let bytes =
        serde_json::to_vec(value).map_err(|error| LogsError::internal(format!("writing an answer: {error}")))?;
    Ok(typed(json_bytes(StatusCode::OK, bytes)))
}

/// An answer without members.
fn nothing() -> Result<Answer, LogsError> {
    Ok(typed(json_bytes(StatusCode::OK, &b""[..])))
}

fn typed(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(http::header::CONTENT_TYPE, CONTENT_TYPE);
    answer
}

/// As [`search::Searcher::blocking`].
async fn blocking<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&LogStore) -> Result<T, lamina_logs::Error> + Send + 'static,
) -> Result<T, LogsError> {
    Ok(shared.searcher.blocking(work).await??)
}

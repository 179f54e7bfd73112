//! Calls of a function URL that have no answer of the function.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use lamina_invoke::InvokeError;
use lamina_types::{FunctionError, RequestId};

use super::infer::Unusable;
use crate::answer::{Answer, AnswerBody};
use crate::body::Unreadable;
use crate::error::{ApiError, exception};

/// Why there is none.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request is at fault, or a limit.
    Denied(ApiError),
    /// The function is at fault; the caller does not learn how.
    Failed(String),
    /// We are.
    Internal(String),
}

impl Refusal {
    pub(super) fn into_answer(self, id: &RequestId) -> Answer {
        match self {
            Self::Denied(error) => return error.into_answer(id),
            Self::Failed(reason) => tracing::debug!(request_id = %id, reason, "a function URL has no answer"),
            Self::Internal(reason) => tracing::error!(request_id = %id, reason, "a function URL has no answer"),
        }
        let mut answer = Response::new(AnswerBody::whole("Internal Server Error"));
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        answer
    }

    /// A body that could not be read, of at most so many bytes.
    pub(super) fn unreadable(error: Unreadable, bytes_max: usize) -> Self {
        Self::Denied(match error {
            Unreadable::TooLarge => Self::too_large(bytes_max),
            Unreadable::NoRoom => ApiError::throttled("CallerRateLimitExceeded").with_log(error.to_string()),
            Unreadable::TooSlow => ApiError::new(exception::TIMEOUT, "The request's body did not arrive in time."),
            Unreadable::Broken(reason) => {
                ApiError::new(exception::INVALID_CONTENT, "The request's body broke off.").with_log(reason)
            }
        })
    }

    pub(super) fn too_large(bytes_max: usize) -> ApiError {
        let text = format!("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation");
        ApiError::new(exception::TOO_LARGE, text)
    }
}

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Throttled(throttle) => Self::Denied(ApiError::throttle(throttle)),
            InvokeError::Resolve(_)
            | InvokeError::Refused { .. }
            | InvokeError::Unusable { .. }
            | InvokeError::World { .. } => Self::Failed(error.to_string()),
            InvokeError::Internal(reason) => Self::Internal(reason),
        }
    }
}

impl From<FunctionError> for Refusal {
    fn from(failure: FunctionError) -> Self {
        Self::Failed(failure.error_type)
    }
}

impl From<Unusable> for Refusal {
    fn from(error: Unusable) -> Self {
        Self::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use lamina_invoke::Throttle;

    use super::*;

    #[test]
    fn statuses() {
        let check = |refusal: Refusal, status: u16| {
            assert_eq!(refusal.into_answer(&RequestId::from_random([0; 16])).status().as_u16(), status);
        };
        check(InvokeError::Throttled(Throttle::Account).into(), 429);
        check(InvokeError::Refused { reason: "r".into() }.into(), 502);
        check(InvokeError::Internal("r".into()).into(), 502);
        check(FunctionError::response_too_large().into(), 502);
        check(Unusable::Member("statusCode").into(), 502);
        check(Refusal::unreadable(Unreadable::TooLarge, 1), 413);
        check(Refusal::unreadable(Unreadable::TooSlow, 1), 408);
        check(Refusal::unreadable(Unreadable::NoRoom, 1), 429);
        check(Refusal::unreadable(Unreadable::Broken("b".into()), 1), 400);
    }
}

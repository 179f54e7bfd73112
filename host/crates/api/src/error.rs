//! From every layer's errors to what a client may read, and what the log gets.
//!
//! One exhaustive match per error enum: a new variant below does not compile
//! here until someone picks its AWS name, status and text (reference 3.1, 3.3,
//! 3.4). Nothing internal crosses to the client.

mod mapping;

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use lamina_types::RequestId;
use serde_json::{Map, Value};

use crate::answer::{Answer, ERROR_TYPE, json_bytes};

/// How an exception is spelt on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exception {
    /// Its name: `x-amzn-ErrorType`.
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    /// `message` or `Message`, whichever the model has for it.
    key: &'static str,
    /// Whether the body has a `Type`: the model's exceptions do.
    typed: bool,
}

const fn lower(name: &'static str, status: StatusCode) -> Exception {
    Exception { name, status, key: "message", typed: true }
}

const fn upper(name: &'static str, status: StatusCode) -> Exception {
    Exception { name, status, key: "Message", typed: true }
}

const fn untyped(name: &'static str, status: StatusCode, key: &'static str) -> Exception {
    Exception { name, status, key, typed: false }
}

/// The exceptions this API gives.
pub(crate) mod exception {
    use super::{Exception, StatusCode, lower, untyped, upper};

    pub(crate) const INVALID_PARAMETER: Exception = lower("InvalidParameterValueException", StatusCode::BAD_REQUEST);
    pub(crate) const INVALID_CONTENT: Exception = lower("InvalidRequestContentException", StatusCode::BAD_REQUEST);
    pub(crate) const CONFLICT: Exception = lower("ResourceConflictException", StatusCode::CONFLICT);
    pub(crate) const PRECONDITION: Exception = lower("PreconditionFailedException", StatusCode::PRECONDITION_FAILED);
    pub(crate) const POLICY_LENGTH: Exception = lower("PolicyLengthExceededException", StatusCode::BAD_REQUEST);
    pub(crate) const CODE_STORAGE: Exception = lower("CodeStorageExceededException", StatusCode::BAD_REQUEST);
    pub(crate) const TOO_MANY: Exception = lower("TooManyRequestsException", StatusCode::TOO_MANY_REQUESTS);
    pub(crate) const NOT_FOUND: Exception = upper("ResourceNotFoundException", StatusCode::NOT_FOUND);
    pub(crate) const VERIFICATION: Exception = upper("CodeVerificationFailedException", StatusCode::BAD_REQUEST);
    pub(crate) const SIGNATURE: Exception = upper("InvalidCodeSignatureException", StatusCode::BAD_REQUEST);
    pub(crate) const INVALID_RUNTIME: Exception = upper("InvalidRuntimeException", StatusCode::BAD_GATEWAY);
    pub(crate) const SERVICE: Exception = upper("ServiceException", StatusCode::INTERNAL_SERVER_ERROR);
    pub(crate) const VALIDATION: Exception = untyped("ValidationException", StatusCode::BAD_REQUEST, "message");
    pub(crate) const SERIALIZATION: Exception = untyped("SerializationException", StatusCode::BAD_REQUEST, "message");
    pub(crate) const TIMEOUT: Exception = untyped("RequestTimeoutException", StatusCode::REQUEST_TIMEOUT, "message");
    pub(crate) const TOO_LARGE: Exception =
        untyped("RequestEntityTooLargeException", StatusCode::PAYLOAD_TOO_LARGE, "message");
    pub(crate) const UNKNOWN: Exception = untyped("UnknownOperationException", StatusCode::NOT_FOUND, "message");
    pub(crate) const DENIED: Exception = untyped("AccessDeniedException", StatusCode::FORBIDDEN, "Message");
    pub(crate) const NO_TOKEN: Exception =
        untyped("MissingAuthenticationTokenException", StatusCode::FORBIDDEN, "message");
    pub(crate) const INCOMPLETE: Exception = untyped("IncompleteSignatureException", StatusCode::FORBIDDEN, "message");
    pub(crate) const MISMATCH: Exception = untyped("InvalidSignatureException", StatusCode::FORBIDDEN, "message");
    pub(crate) const UNKNOWN_KEY: Exception = untyped("UnrecognizedClientException", StatusCode::FORBIDDEN, "message");
}

/// An answer that is an error: one text for the client, one for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) exception: Exception,
    /// What the client reads; `None` is JSON's null.
    pub(crate) text: Option<String>,
    /// `Reason` of a throttle.
    reason: Option<&'static str>,
    /// What the log gets, where that is more than the name.
    pub(crate) log: Option<String>,
}

impl ApiError {
    /// An error whose text says all there is.
    pub(crate) fn new(exception: Exception, text: impl Into<String>) -> Self {
        Self { exception, text: Some(text.into()), reason: None, log: None }
    }

    /// An error that tells the client nothing but its name.
    pub(crate) const fn mute(exception: Exception) -> Self {
        Self { exception, text: None, reason: None, log: None }
    }

    /// Our own fault: the client learns that, the log learns why.
    pub(crate) fn internal(log: impl Into<String>) -> Self {
        let text = Some("The Lambda service encountered an internal error.".to_owned());
        Self { exception: exception::SERVICE, text, reason: None, log: Some(log.into()) }
    }

    /// A throttle, with Lambda's word for the limit.
    pub(crate) fn throttled(reason: &'static str) -> Self {
        Self { exception: exception::TOO_MANY, text: Some("Rate Exceeded.".into()), reason: Some(reason), log: None }
    }

    /// Adds what only the log may know.
    pub(crate) fn with_log(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// The body, in Lambda's order of keys.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Map::new();
        if let Some(reason) = self.reason {
            body.insert("Reason".into(), reason.into());
        }
        if self.exception.typed {
            let at_fault = if self.exception.status.is_server_error() { "Service" } else { "User" };
            body.insert("Type".into(), at_fault.into());
        }
        body.insert(self.exception.key.into(), self.text.clone().map_or(Value::Null, Value::String));
        Value::Object(body).to_string().into_bytes()
    }

    /// The answer; the log gets a line, at the level its fault deserves.
    pub(crate) fn into_answer(self, id: &RequestId) -> Answer {
        let name = self.exception.name;
        let log = self.log.as_deref().unwrap_or_default();
        if self.exception.status.is_server_error() {
            tracing::error!(request_id = %id, error = name, "{log}");
        } else {
            tracing::debug!(request_id = %id, error = name, "{log}");
        }
        let mut answer = json_bytes(self.exception.status, self.body());
        answer.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(name));
        if self.exception == exception::TOO_MANY {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_spelt_as_lambda_does() {
        let check = |error: ApiError, expect: &str| assert_eq!(String::from_utf8(error.body()).unwrap(), expect);
        check(ApiError::new(exception::INVALID_PARAMETER, "x"), r#"{"Type":"User","message":"x"}"#);
        check(ApiError::new(exception::NOT_FOUND, "x"), r#"{"Message":"x","Type":"User"}"#);
        check(ApiError::new(exception::VALIDATION, "x"), r#"{"message":"x"}"#);
        check(ApiError::mute(exception::DENIED), r#"{"Message":null}"#);
        check(
            ApiError::throttled("ConcurrentInvocationLimitExceeded"),
            r#"{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#,
        );
        let internal = ApiError::internal("disk full");
        assert!(!String::from_utf8(internal.body()).unwrap().contains("disk"));
        let answer = internal.into_answer(&RequestId::from_random([0; 16]));
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[ERROR_TYPE]),
            (500, &"ServiceException".parse().unwrap())
        );
    }
}

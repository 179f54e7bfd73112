//! Errors as CloudWatch Logs writes them.

use http::{HeaderValue, StatusCode};
use lamina_types::RequestId;
use lamina_wire::Invalid;
use serde_json::json;

use super::typed;
use crate::answer::{Answer, ERROR_TYPE, json_bytes};
use crate::error::ApiError;

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct LogsError {
    name: &'static str,
    status: StatusCode,
    text: String,
    /// What the log gets, where that is more than the name.
    log: Option<String>,
}

impl LogsError {
    pub(super) fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, status: StatusCode::BAD_REQUEST, text: text.into(), log: None }
    }

    pub(super) fn parameter(text: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", text)
    }

    pub(super) fn no_group() -> Self {
        Self::new("ResourceNotFoundException", "The specified log group does not exist.")
    }

    pub(super) fn no_stream() -> Self {
        Self::new("ResourceNotFoundException", "The specified log stream does not exist.")
    }

    /// Our own fault: the client learns that, the log learns why.
    pub(super) fn internal(log: impl Into<String>) -> Self {
        Self {
            name: "ServiceUnavailableException",
            status: StatusCode::INTERNAL_SERVER_ERROR,
            text: "The service cannot complete the request.".to_owned(),
            log: Some(log.into()),
        }
    }

    pub(super) fn into_answer(self, id: &RequestId) -> Answer {
        let (name, log) = (self.name, self.log.as_deref().unwrap_or_default());
        if self.status.is_server_error() {
            tracing::error!(request_id = %id, error = name, "{log}");
        } else {
            tracing::debug!(request_id = %id, error = name, "{log}");
        }
        let body = json!({ "__type": name, "message": self.text }).to_string();
        let mut answer = typed(json_bytes(self.status, body.into_bytes()));
        answer.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(name));
        answer
    }
}

impl From<lamina_logs::Error> for LogsError {
    fn from(error: lamina_logs::Error) -> Self {
        use lamina_logs::Error;
        match error {
            Error::NoGroup(_) => Self::no_group(),
            Error::NoStream(_) => Self::no_stream(),
            Error::GroupExists(_) => {
                Self::new("ResourceAlreadyExistsException", "The specified log group already exists")
            }
            Error::StreamExists(_) => {
                Self::new("ResourceAlreadyExistsException", "The specified log stream already exists")
            }
            Error::Limit { .. } => Self::new("LimitExceededException", format!("Resource limit exceeded: {error}.")),
            Error::Io { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<Invalid> for LogsError {
    fn from(error: Invalid) -> Self {
        match error {
            Invalid::Serialization(text) => Self::new("SerializationException", text),
            // Of functions, which nothing here names.
            Invalid::Validation(_)
            | Invalid::Parameter(_)
            | Invalid::OtherRegion { .. }
            | Invalid::OtherAccount
            | Invalid::NoSuchFunction { .. } => Self::parameter(error.to_string()),
        }
    }
}

/// Of signatures and bodies; what concerns functions does not come here.
impl From<ApiError> for LogsError {
    fn from(error: ApiError) -> Self {
        let ApiError { exception, text, log, .. } = error;
        if exception.status.is_server_error() {
            return Self { log, ..Self::internal("") };
        }
        Self { name: exception.name, status: exception.status, text: text.unwrap_or_default(), log }
    }
}

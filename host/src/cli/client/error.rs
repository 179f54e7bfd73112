//! Why a call of the API did not succeed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Answer, advice};
use crate::cli::failure::Failure;

/// Bytes of a body that is no error of ours, quoted in a message.
const QUOTED_CHARS_MAX: usize = 200;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody answers there.
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable {
        endpoint: String,
        reason: String,
        /// The data directory that named the endpoint, if one did.
        data: Option<PathBuf>,
    },
    /// The connection ended before the answer did.
    #[error("the connection to {endpoint} broke off: {reason}")]
    Broken { endpoint: String, reason: String },
    /// No answer in time, or not the rest of it.
    #[error("{endpoint} did not answer, or not go on with its answer, within {} s", timeout.as_secs())]
    Timeout { endpoint: String, timeout: Duration },
    /// More than was allowed for.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// Not the JSON that was expected.
    #[error("the answer cannot be understood: {0}")]
    Unreadable(String),
    /// The request cannot be written down or signed.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// The API refused.
    #[error(transparent)]
    Aws(#[from] Exception),
}

/// An answer that is an error, in AWS's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exception {
    pub(crate) status: u16,
    /// Such as `ResourceNotFoundException`.
    pub(crate) name: String,
    pub(crate) message: String,
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.name),
            message => write!(f, "{}: {message}", self.name),
        }
    }
}

impl std::error::Error for Exception {}

impl Exception {
    /// Reads an answer; one that no Lambda API wrote is quoted.
    pub(super) fn read(answer: &Answer) -> Self {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let text = |name: &str| body.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let status = answer.status.as_u16();
        // What follows a colon is an address of documentation.
        let name = answer.header("x-amzn-errortype").and_then(|name| name.split(':').next());
        let Some(name) = name.map(str::to_owned).or_else(|| text("__type")) else {
            let body = String::from_utf8_lossy(&answer.body);
            let message: String = body.trim().chars().take(QUOTED_CHARS_MAX).collect();
            return Self { status, name: format!("HTTP status {}", answer.status), message };
        };
        let message = text("message").or_else(|| text("Message")).unwrap_or_default();
        Self { status, name, message }
    }
}

impl Error {
    /// Whether it is this exception.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Aws(exception) if exception.name == name)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(error.to_string());
        if let Some(step) = advice::next_step(&error) {
            failure = failure.next(step);
        }
        match error {
            Error::Aws(exception) => failure.with_exception(exception.name),
            _ => failure,
        }
    }
}

/// The cause under all causes: what the operating system said.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

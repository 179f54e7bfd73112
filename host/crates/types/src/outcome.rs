//! What a call came to: the answer or the guest's failure, and what it used.
//!
//! A failing guest is data here, not a Rust error (reference section 5.2).

use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The end of one call.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The handler's answer, or how it failed.
    pub result: Result<Vec<u8>, FunctionError>,
    /// What the call used.
    pub usage: Usage,
}

/// A function's failure. Its caller reads it as JSON (`Serialize`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// The guest's own error type, or one of [`error_type`].
    pub error_type: String,
    /// The text for people.
    pub message: String,
    /// Where it came from, outermost first.
    pub stack: Vec<String>,
    /// How it is written.
    pub form: ErrorForm,
}

/// The members of a failure's JSON: Lambda's runtimes differ (reference section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ErrorForm {
    /// `errorType`, `errorMessage`, and `stackTrace` where there is one.
    #[default]
    Plain,
    /// Those that Python's handlers end with: all, and `requestId`.
    Python {
        /// Empty where the handler could not be loaded.
        request_id: String,
    },
    /// Those that JavaScript's handlers end with: the stack is `trace`, always there.
    JavaScript,
}

impl Serialize for FunctionError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("errorType", &self.error_type)?;
        map.serialize_entry("errorMessage", &self.message)?;
        match &self.form {
            ErrorForm::Plain if self.stack.is_empty() => {}
            ErrorForm::Plain => map.serialize_entry("stackTrace", &self.stack)?,
            ErrorForm::Python { request_id } => {
                map.serialize_entry("requestId", request_id)?;
                map.serialize_entry("stackTrace", &self.stack)?;
            }
            ErrorForm::JavaScript => map.serialize_entry("trace", &self.stack)?,
        }
        map.end()
    }
}

impl FunctionError {
    /// A failure without a stack.
    pub fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.to_owned(),
            message: message.into(),
            stack: Vec::new(),
            form: ErrorForm::default(),
        }
    }

    /// A buffered answer over the limit, in Lambda's words (recorded).
    pub fn response_too_large() -> Self {
        let max = crate::limits::RESPONSE_PAYLOAD_BYTES_MAX;
        let message = format!("Response payload size exceeded maximum allowed payload size ({max} bytes).");
        Self::new(error_type::RESPONSE_TOO_LARGE, message)
    }

    /// An HTTP component that did not answer.
    pub fn no_response(message: &str) -> Self {
        Self::new(error_type::NO_RESPONSE, message)
    }
}

/// Error types the platform itself gives.
pub mod error_type {
    /// Past the function's timeout.
    pub const TIMED_OUT: &str = "Sandbox.Timedout";
    /// Past MemorySize.
    pub const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";
    /// Past the fuel budget.
    pub const OUT_OF_FUEL: &str = "Runtime.OutOfFuel";
    /// A panic that the guest reported before its trap.
    pub const PANIC: &str = "Runtime.Panic";
    /// Any other trap, or an exit.
    pub const EXIT: &str = "Runtime.ExitError";
    /// Code that the engine cannot run.
    pub const INVALID_ENTRYPOINT: &str = "Runtime.InvalidEntrypoint";
    /// Code that may not run any more: no key that signed it is trusted.
    pub const REFUSED: &str = "Runtime.CodeRefused";
    /// Code that could not be loaded, by our own fault.
    pub const UNKNOWN: &str = "Runtime.Unknown";
    /// A buffered answer over the limit.
    pub const RESPONSE_TOO_LARGE: &str = "Function.ResponseSizeTooLarge";
    /// An instance that was not restored from its snapshot in time.
    pub const RESTORE_TIMED_OUT: &str = "SnapStartTimeoutException";
    /// An HTTP component that ended without answering, or answered with an error.
    pub const NO_RESPONSE: &str = "Function.NoResponse";
}

/// How a call ended, for REPORT and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// With an answer.
    Success,
    /// With an error the handler returned.
    Failure,
    /// With a trap, a limit or an exit.
    Crash,
    /// At the timeout.
    Timeout,
}

/// What one call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How it ended.
    pub status: Status,
    /// Wall-clock time from taking the instance to the handler's end; for a
    /// streamed answer to the end of the stream.
    pub duration: Duration,
    /// Time to load the image, when this call had to wait for it.
    pub init: Option<Duration>,
    /// What its instance took to be restored, when it was.
    pub restore: Option<Restore>,
    /// The largest sum of all linear memories and tables, in bytes.
    pub memory_bytes_peak: u64,
    /// Fuel burned; about one unit a wasm instruction.
    pub fuel: u64,
}

/// What restoring an instance from a snapshot took, before the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// All of it.
    pub duration: Duration,
    /// The part that its own code took, hooks included: it is billed.
    pub hooks: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_members() {
        let json = |stack: &[&str], form: ErrorForm| {
            let stack = stack.iter().map(|line| (*line).to_owned()).collect();
            serde_json::to_string(&FunctionError { stack, form, ..FunctionError::new("E", "m") }).unwrap()
        };
        let python = |id: &str| ErrorForm::Python { request_id: id.to_owned() };
        assert_eq!(json(&[], ErrorForm::Plain), r#"{"errorType":"E","errorMessage":"m"}"#);
        assert_eq!(json(&["s"], ErrorForm::Plain), r#"{"errorType":"E","errorMessage":"m","stackTrace":["s"]}"#);
        assert_eq!(json(&[], ErrorForm::JavaScript), r#"{"errorType":"E","errorMessage":"m","trace":[]}"#);
        let expected = r#"{"errorType":"E","errorMessage":"m","requestId":"r","stackTrace":["s"]}"#;
        assert_eq!(json(&["s"], python("r")), expected);
    }
}

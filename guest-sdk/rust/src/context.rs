//! What a handler is told about the call it serves.

// The end of a call is a time of day; there is no host's clock to take here.
#![expect(clippy::disallowed_methods, reason = "a guest has no other clock than its own system's")]

use std::time::{Duration, SystemTime};

/// The facts of one call: the fields of Lambda's `context` object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The call's id, a lower-case UUID. The caller sees the same one, and START,
    /// END, REPORT and this crate's log lines carry it.
    pub request_id: String,
    /// The function's name, without version or alias.
    pub function_name: String,
    /// The version that runs: `$LATEST` or a number.
    pub function_version: String,
    /// The ARN as it was invoked, with the qualifier the caller gave.
    pub invoked_function_arn: String,
    /// The function's MemorySize, in MB.
    pub memory_limit_mb: u32,
    /// When the platform stops this call.
    pub deadline: SystemTime,
    /// The log group that this call's output goes to.
    pub log_group_name: String,
    /// The log stream that this call's output goes to.
    pub log_stream_name: String,
    /// The trace header of the call: `Root=...;Parent=...;Sampled=...`.
    pub trace_id: String,
    /// The client context the caller sent, as JSON text.
    pub client_context: Option<String>,
    /// The caller's Cognito identity, as JSON text.
    pub identity: Option<String>,
}

impl Context {
    /// The time until [`deadline`](Self::deadline); zero once it has passed.
    #[must_use]
    pub fn remaining_time(&self) -> Duration {
        self.deadline.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_time_counts_down_to_zero() {
        let mut context = crate::testing::context();
        let left = context.remaining_time();
        assert!(left > Duration::from_secs(1) && left <= Duration::from_secs(3), "{left:?}");
        context.deadline = SystemTime::UNIX_EPOCH;
        assert_eq!(context.remaining_time(), Duration::ZERO);
    }
}

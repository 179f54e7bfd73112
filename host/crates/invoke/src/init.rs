//! What the log says of code that had to be loaded: INIT_START, and INIT_REPORT where it
//! could not be.

use std::sync::Arc;
use std::time::Duration;

use lamina_kit::Clock;
use lamina_runtime::CodeError;
use lamina_telemetry::{Init, InitFailure};
use lamina_types::outcome::error_type;
use lamina_types::{Digest, ResolvedFunction, Timestamp};

use crate::dispatcher::Deps;

/// Hexadecimal digits of a stream's id.
const ID_DIGITS: usize = 32;

/// Where code is named that could not be loaded, which has no log stream of its own: one
/// stream for each version and day since the start, however many calls there are.
pub(crate) struct InitLog {
    id: String,
}

impl InitLog {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        let started = Digest::of(&clock.epoch_micros().to_le_bytes()).to_string();
        Self { id: started.chars().take(ID_DIGITS).collect() }
    }

    /// Code was loaded, and the call that waited for it goes on.
    pub(crate) fn done(deps: &Deps, function: &ResolvedFunction, stream: &Arc<str>, took: Duration) {
        write(deps, function, stream, took, None);
    }

    /// Code could not be loaded for a call that was accepted then.
    pub(crate) fn failed(&self, deps: &Deps, function: &ResolvedFunction, accepted: Timestamp, error: &CodeError) {
        let (error_type, message) = match error {
            // A throttle.
            CodeError::QueueFull { .. } => return,
            CodeError::Refused { reason, .. } => (error_type::REFUSED, reason.as_str()),
            CodeError::Unusable { reason, .. } => (error_type::INVALID_ENTRYPOINT, reason.as_str()),
            // Its reason is for us.
            CodeError::Internal { .. } => (error_type::UNKNOWN, "the code could not be loaded"),
        };
        let now = Timestamp(deps.clock.epoch_micros());
        let took = Duration::from_micros(now.0.saturating_sub(accepted.0));
        let stream = format!("{}/[{}]{}", now.to_slashed_date(), function.version, self.id).into();
        let stream = stream_of(function, stream);
        write(deps, function, &stream, took, Some(InitFailure { error_type, message }));
    }
}

/// The log stream of a function's calls: where its group is one of the author's choice,
/// which others may share, the function's name stands before its version, as on Lambda.
pub(crate) fn stream_of(function: &ResolvedFunction, stream: Arc<str>) -> Arc<str> {
    let own = function.log_group.strip_prefix("/aws/lambda/") == Some(function.name.as_str());
    if own { stream } else { stream.replacen("/[", &format!("/{}[", function.name), 1).into() }
}

fn write(
    deps: &Deps,
    function: &ResolvedFunction,
    stream: &Arc<str>,
    took: Duration,
    failure: Option<InitFailure<'_>>,
) {
    let runtime = deps.runtime.runtime_version(function);
    let init = Init { function: &function.name, version: function.version, runtime: &runtime, took, failure };
    deps.logs.init(&function.log_group, stream, function.log_format, init, &*deps.clock);
}

//! The sums of one function and version over some time.

use lamina_types::Status;
use serde::{Deserialize, Serialize};

use crate::meter::Used;

/// Exact sums; two of them can be added. A sum that would pass 2^64 stays there,
/// which takes 57,000 years at 10 GB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Counters {
    /// Calls that ran, however they ended.
    pub invocations: u64,
    /// Of these: the handler returned an error.
    pub function_errors: u64,
    /// Of these: the timeout passed.
    pub timeouts: u64,
    /// Of these: a trap, a limit or an exit.
    pub crashes: u64,
    /// Calls that a limit kept from running.
    pub throttles: u64,
    /// Calls that did not run for another reason: code that is gone or not trusted
    /// any more, a caller that left first, a fault of ours.
    pub not_run: u64,
    /// Billed duration, in milliseconds.
    pub billed_ms: u64,
    /// Billed duration times MemorySize, in MiB milliseconds: 1,048,576,000 of them
    /// are 1,000 GB-seconds.
    pub billed_mib_ms: u64,
    /// Duration, in microseconds.
    pub duration_us: u64,
    /// Calls that waited for their code to be loaded.
    pub inits: u64,
    /// For how long they did, in microseconds.
    pub init_us: u64,
    /// Fuel burned.
    pub fuel: u64,
    /// The largest peak of memory of one call, in bytes.
    pub memory_bytes_peak: u64,
    /// Bytes of events and requests' bodies.
    pub bytes_in: u64,
    /// Bytes of answers.
    pub bytes_out: u64,
}

impl Counters {
    /// Function errors, timeouts and crashes: Lambda's `Errors`.
    pub fn errors(&self) -> u64 {
        self.function_errors.saturating_add(self.timeouts).saturating_add(self.crashes)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One call that ran.
    pub(crate) fn of(used: &Used) -> Self {
        let is = |status| u64::from(used.usage.status == status);
        let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self {
            invocations: 1,
            function_errors: is(Status::Failure),
            timeouts: is(Status::Timeout),
            crashes: is(Status::Crash),
            billed_ms: used.billed_ms,
            billed_mib_ms: used.billed_ms.saturating_mul(u64::from(used.memory.0)),
            duration_us: micros(used.usage.duration),
            inits: u64::from(used.usage.init.is_some()),
            init_us: micros(used.usage.init.unwrap_or_default()),
            fuel: used.usage.fuel,
            memory_bytes_peak: used.usage.memory_bytes_peak,
            bytes_in: used.bytes_in,
            bytes_out: used.bytes_out,
            ..Self::default()
        }
    }

    /// Adds all of another one.
    pub fn add(&mut self, other: &Self) {
        let Self {
            invocations,
            function_errors,
            timeouts,
            crashes,
            throttles,
            not_run,
            billed_ms,
            billed_mib_ms,
            duration_us,
            inits,
            init_us,
            fuel,
            memory_bytes_peak,
            bytes_in,
            bytes_out,
        } = *other;
        for (sum, more) in [
            (&mut self.invocations, invocations),
            (&mut self.function_errors, function_errors),
            (&mut self.timeouts, timeouts),
            (&mut self.crashes, crashes),
            (&mut self.throttles, throttles),
            (&mut self.not_run, not_run),
            (&mut self.billed_ms, billed_ms),
            (&mut self.billed_mib_ms, billed_mib_ms),
            (&mut self.duration_us, duration_us),
            (&mut self.inits, inits),
            (&mut self.init_us, init_us),
            (&mut self.fuel, fuel),
            (&mut self.bytes_in, bytes_in),
            (&mut self.bytes_out, bytes_out),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.memory_bytes_peak = self.memory_bytes_peak.max(memory_bytes_peak);
    }
}

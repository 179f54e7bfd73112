//! The REPORT line of a call (reference section 5.5).

use std::fmt;
use std::time::Duration;

use lamina_types::{MemoryMib, RequestId, Span, Status, Usage};

use crate::timings::Timings;

/// What a REPORT line says. `Fuel Used` is ours, after Lambda's own fields.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The call.
    pub request_id: &'a RequestId,
    /// MemorySize.
    pub memory: MemoryMib,
    /// The function's timeout: what a call that ran into it is billed.
    pub timeout: Duration,
    /// What the call used.
    pub usage: Usage,
    /// The error type, when the call failed.
    pub error_type: Option<&'a str>,
    /// The call's span, when it is traced.
    pub span: Option<Span>,
    /// Its moments, where they were taken.
    pub timings: Option<&'a Timings>,
}

impl Report<'_> {
    /// What the call is billed: duration, init, and what its own code took of a restore
    /// together, rounded up to the next millisecond; a timeout bills the timeout.
    pub fn billed_ms(&self) -> u64 {
        self.billed(self.usage.restore.map(|restore| restore.hooks).unwrap_or_default())
    }

    /// Billed Duration and Billed Restore Duration, which is what the restore adds.
    pub(crate) fn billed_parts_ms(&self) -> (u64, u64) {
        let duration = self.billed(Duration::ZERO);
        (duration, self.billed_ms().saturating_sub(duration))
    }

    fn billed(&self, besides: Duration) -> u64 {
        let billed = match self.usage.status {
            Status::Timeout => self.timeout,
            _ => self.usage.duration + self.usage.init.unwrap_or_default(),
        };
        u64::try_from((billed + besides).as_micros().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
    }
}

/// The line, with its trailing tab; of a traced call a second one, in the same event.
impl fmt::Display for Report<'_> {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request_id, memory, usage, .. } = self;
        let (billed, billed_restore) = self.billed_parts_ms();
        write!(
            line,
            "REPORT RequestId: {request_id}\tDuration: {} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            Millis(usage.duration),
            billed,
            memory.0,
            usage.memory_bytes_peak.div_ceil(1 << 20),
        )?;
        if let Some(init) = usage.init {
            write!(line, "Init Duration: {} ms\t", Millis(init))?;
        }
        if let Some(restore) = usage.restore {
            let restore = Millis(restore.duration);
            write!(line, "Restore Duration: {restore} ms\tBilled Restore Duration: {billed_restore} ms\t")?;
        }
        write!(line, "Fuel Used: {}\t", usage.fuel)?;
        match usage.status {
            Status::Success | Status::Failure => {}
            Status::Timeout => line.write_str("Status: timeout\t")?,
            Status::Crash => write!(line, "Status: error\tError Type: {}\t", self.error_type.unwrap_or("Unknown"))?,
        }
        match self.span {
            None => Ok(()),
            Some(span) => {
                write!(line, "\nXRAY TraceId: {}\tSegmentId: {}\tSampled: true\t", span.trace_id(), span.segment_id())
            }
        }
    }
}

/// How a function's code failed to become ready to serve: Lambda's INIT_REPORT. The
/// phase is always `invoke`: every call's instance is made ready in the call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InitReport<'a> {
    pub(crate) status: Status,
    pub(crate) after: Duration,
    pub(crate) error_type: &'a str,
}

impl InitReport<'_> {
    pub(crate) fn status(&self) -> &'static str {
        if self.status == Status::Timeout { "timeout" } else { "error" }
    }
}

impl fmt::Display for InitReport<'_> {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, after, error_type } = self;
        write!(line, "INIT_REPORT Init Duration: {} ms\tPhase: invoke\tStatus: {}", Millis(*after), self.status())?;
        if *status == Status::Timeout { Ok(()) } else { write!(line, "\tError Type: {error_type}") }
    }
}

/// How restoring an instance from a snapshot ended: Lambda's RESTORE_REPORT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestoreReport<'a> {
    pub(crate) took: Duration,
    /// The error type, when it failed.
    pub(crate) error_type: Option<&'a str>,
}

impl fmt::Display for RestoreReport<'_> {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(line, "RESTORE_REPORT Restore Duration: {} ms", Millis(self.took))?;
        match self.error_type {
            None => Ok(()),
            Some(error_type) => write!(line, "\tStatus: error\tError Type: {error_type}"),
        }
    }
}

/// Milliseconds with two decimals, rounded; in integers, as every call pays for it.
pub(crate) struct Millis(pub(crate) Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX - 5).saturating_add(5) / 10;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

#[cfg(test)]
mod tests {
    use lamina_types::Restore;

    use super::*;

    fn check(status: Status, init_ms: Option<u64>, error_type: Option<&str>, expect: &str) {
        restored(status, (init_ms, None), error_type, expect);
    }

    /// `restore_us` is all that the restore took, and what its hooks did.
    fn restored(
        status: Status,
        (init_ms, restore_us): (Option<u64>, Option<(u64, u64)>),
        error_type: Option<&str>,
        expect: &str,
    ) {
        let request_id = RequestId::from_random([0; 16]);
        let usage = Usage {
            status,
            duration: Duration::from_micros(3_014),
            init: init_ms.map(Duration::from_millis),
            restore: restore_us.map(|(all, hooks)| Restore {
                duration: Duration::from_micros(all),
                hooks: Duration::from_micros(hooks),
            }),
            memory_bytes_peak: (35 << 20) + 1,
            fuel: 12_345,
        };
        let timeout = Duration::from_secs(3);
        let report = Report {
            request_id: &request_id,
            memory: MemoryMib(128),
            timeout,
            usage,
            error_type,
            span: None,
            timings: None,
        };
        let line = report.to_string();
        let (_, rest) = line.split_once("\tDuration: ").unwrap();
        assert_eq!(rest, expect);
    }

    #[test]
    fn lines() {
        check(
            Status::Success,
            None,
            None,
            "3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tFuel Used: 12345\t",
        );
        check(
            Status::Success,
            Some(110),
            None,
            "3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 110.00 ms\tFuel Used: 12345\t",
        );
        check(
            Status::Timeout,
            None,
            None,
            "3.01 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tFuel Used: 12345\tStatus: timeout\t",
        );
        check(
            Status::Crash,
            None,
            Some("Runtime.Panic"),
            "3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tFuel Used: 12345\tStatus: error\tError Type: Runtime.Panic\t",
        );
    }

    /// What the restore adds to the bill is Billed Restore Duration.
    #[test]
    fn restores() {
        for (restore, line) in [
            ((400, 20), "Restore Duration: 0.40 ms\tBilled Restore Duration: 0 ms\t"),
            ((12_340, 5_000), "Restore Duration: 12.34 ms\tBilled Restore Duration: 5 ms\t"),
        ] {
            let expect = format!(
                "3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t{line}Fuel Used: 12345\t"
            );
            restored(Status::Success, (None, Some(restore)), None, &expect);
        }
    }

    #[test]
    fn a_traced_call_says_its_trace() {
        let request_id = RequestId::from_random([0; 16]);
        let usage = Usage {
            status: Status::Success,
            duration: Duration::from_millis(1),
            init: None,
            restore: None,
            memory_bytes_peak: 0,
            fuel: 1,
        };
        let span = Some(Span { trace: [0xab; 16], span: [1; 8], parent: None });
        let (memory, timeout) = (MemoryMib(128), Duration::from_secs(3));
        let line = Report { request_id: &request_id, memory, timeout, usage, error_type: None, span, timings: None }
            .to_string();
        let (_, second) = line.split_once("Fuel Used: 1\t\n").unwrap();
        let trace = "1-abababab-abababababababababababab";
        assert_eq!(second, format!("XRAY TraceId: {trace}\tSegmentId: 0101010101010101\tSampled: true\t"));
    }
}

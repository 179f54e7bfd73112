//! A log that is JSON (reference 5.5): the platform's lines as events, and the levels
//! of a function's own.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use lamina_types::{FunctionName, LogLevel, RequestId, RuntimeVersion, Status, Timestamp, Version};
use serde::Deserialize;

use super::init::Init;
use crate::report::{InitReport, Millis, Report, RestoreReport};

/// The levels of the platform's lines, from which on they are written (AWS, "System log
/// level event mapping").
pub(super) const INIT_START: LogLevel = LogLevel::Info;
pub(super) const RESTORE_START: LogLevel = LogLevel::Info;
pub(super) const START: LogLevel = LogLevel::Info;
pub(super) const LOGS_DROPPED: LogLevel = LogLevel::Warn;
/// It is written of what failed only.
pub(super) const INIT_REPORT: LogLevel = LogLevel::Warn;

/// Of initRuntimeDone and of initReport. What failed is a warning.
pub(super) fn of_init(is_failed: bool) -> (LogLevel, LogLevel) {
    if is_failed { (LogLevel::Warn, LogLevel::Warn) } else { (LogLevel::Debug, LogLevel::Debug) }
}

/// Of restoreRuntimeDone and of restoreReport. What failed is a warning.
pub(super) fn of_restore(is_failed: bool) -> LogLevel {
    if is_failed { LogLevel::Warn } else { LogLevel::Debug }
}

/// Of runtimeDone and of report. What failed is a warning.
pub(super) fn of_end(status: Status) -> (LogLevel, LogLevel) {
    match status {
        Status::Success => (LogLevel::Debug, LogLevel::Info),
        Status::Failure | Status::Crash | Status::Timeout => (LogLevel::Warn, LogLevel::Warn),
    }
}

/// A text as JSON has it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

/// An event of the platform's.
pub(super) struct PlatformEvent<'a> {
    pub(super) time: Timestamp,
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    InitStart(&'a Init<'a>),
    InitRuntimeDone(&'a Init<'a>),
    InitReport(&'a Init<'a>),
    Start { request_id: &'a RequestId, version: Version },
    RuntimeDone(&'a Report<'a>),
    Report(&'a Report<'a>),
    LogsDropped { lines: u64, bytes: u64, reason: &'a str },
    InitFailed(&'a InitReport<'a>),
    RestoreStart { function: &'a FunctionName, version: Version, runtime: &'a RuntimeVersion },
    RestoreRuntimeDone(&'a RestoreReport<'a>),
    RestoreReport(&'a RestoreReport<'a>),
}

impl fmt::Display for PlatformEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.kind {
            Kind::InitStart(_) => "initStart",
            Kind::InitRuntimeDone(_) => "initRuntimeDone",
            Kind::InitReport(_) => "initReport",
            Kind::Start { .. } => "start",
            Kind::RuntimeDone(_) => "runtimeDone",
            Kind::Report(_) => "report",
            Kind::LogsDropped { .. } => "logsDropped",
            Kind::InitFailed(_) => "initReport",
            Kind::RestoreStart { .. } => "restoreStart",
            Kind::RestoreRuntimeDone(_) => "restoreRuntimeDone",
            Kind::RestoreReport(_) => "restoreReport",
        };
        write!(f, r#"{{"time":"{}","type":"platform.{name}","record":{{"#, self.time)?;
        match &self.kind {
            Kind::InitStart(init) => {
                let Init { function, version, runtime, .. } = init;
                write!(f, "{ON_DEMAND},")?;
                write_runtime(f, runtime)?;
                write!(f, r#","functionName":"{function}","functionVersion":"{version}""#)?;
            }
            Kind::InitRuntimeDone(init) => write_init(f, init)?,
            Kind::InitReport(init) => {
                write_init(f, init)?;
                write!(f, r#","metrics":{{"durationMs":{}}}"#, Millis(init.took))?;
            }
            Kind::Start { request_id, version } => {
                write!(f, r#""requestId":"{request_id}","version":"{version}""#)?;
            }
            Kind::RuntimeDone(report) => {
                write_end(f, report)?;
                write!(f, r#","metrics":{{"durationMs":{}}}"#, Millis(report.usage.duration))?;
                write_spans(f, self.time, report)?;
                write_tracing(f, report)?;
            }
            Kind::Report(report) => write_report(f, report)?,
            Kind::LogsDropped { lines, bytes, reason } => {
                write!(f, r#""reason":{},"droppedRecords":{lines},"droppedBytes":{bytes}"#, Quoted(reason))?;
            }
            Kind::InitFailed(report) => {
                let (status, kind, after) = (report.status(), Quoted(report.error_type), Millis(report.after));
                write!(
                    f,
                    r#""initializationType":"on-demand","phase":"invoke","status":"{status}","errorType":{kind}"#
                )?;
                write!(f, r#","metrics":{{"durationMs":{after}}}"#)?;
            }
            Kind::RestoreStart { function, version, runtime } => {
                write_runtime(f, runtime)?;
                write!(f, r#","functionName":"{function}","functionVersion":"{version}""#)?;
            }
            Kind::RestoreRuntimeDone(report) => write_restore(f, report)?,
            Kind::RestoreReport(report) => {
                write_restore(f, report)?;
                write!(f, r#","metrics":{{"durationMs":{}}}"#, Millis(report.took))?;
            }
        }
        f.write_str("}}")
    }
}

/// When code is loaded: here always because a call needs it.
const ON_DEMAND: &str = r#""initializationType":"on-demand","phase":"init""#;

fn write_init(f: &mut fmt::Formatter<'_>, init: &Init<'_>) -> fmt::Result {
    match init.failure {
        None => write!(f, r#"{ON_DEMAND},"status":"success""#),
        Some(failure) => {
            write!(f, r#"{ON_DEMAND},"status":"error","errorType":{}"#, Quoted(failure.error_type))
        }
    }
}

fn write_runtime(f: &mut fmt::Formatter<'_>, runtime: &RuntimeVersion) -> fmt::Result {
    let (name, arn) = (Quoted(&runtime.name), Quoted(&runtime.arn));
    write!(f, r#""runtimeVersion":{name},"runtimeVersionArn":{arn}"#)
}

fn write_restore(f: &mut fmt::Formatter<'_>, report: &RestoreReport<'_>) -> fmt::Result {
    match report.error_type {
        None => f.write_str(r#""status":"success""#),
        Some(error_type) => write!(f, r#""status":"error","errorType":{}"#, Quoted(error_type)),
    }
}

/// How a call ended.
fn write_end(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    write!(f, r#""requestId":"{}","status":"{}""#, report.request_id, status(report))?;
    match report.error_type.filter(|_| report.usage.status != Status::Success) {
        Some(error_type) => write!(f, r#","errorType":{}"#, Quoted(error_type)),
        None => Ok(()),
    }
}

fn write_report(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let usage = &report.usage;
    write_end(f, report)?;
    write!(
        f,
        r#","metrics":{{"durationMs":{},"billedDurationMs":{},"memorySizeMB":{},"maxMemoryUsedMB":{}"#,
        Millis(usage.duration),
        report.billed_parts_ms().0,
        report.memory.0,
        usage.memory_bytes_peak.div_ceil(1 << 20),
    )?;
    if let Some(init) = usage.init {
        write!(f, r#","initDurationMs":{}"#, Millis(init))?;
    }
    if let Some(restore) = usage.restore {
        let billed = report.billed_parts_ms().1;
        write!(f, r#","restoreDurationMs":{},"billedRestoreDurationMs":{billed}"#, Millis(restore.duration))?;
    }
    // Ours, after Lambda's own.
    write!(f, r#","fuelUsed":{}}}"#, usage.fuel)?;
    write_tracing(f, report)
}

/// The parts of a call, in the Telemetry API's form; the names are ours.
fn write_spans(f: &mut fmt::Formatter<'_>, ended: Timestamp, report: &Report<'_>) -> fmt::Result {
    let Some(timings) = report.timings else { return Ok(()) };
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let began = ended.0.saturating_sub(micros(report.usage.duration));
    f.write_str(r#","spans":["#)?;
    for (at, (name, from, to)) in timings.parts(report.usage.duration).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let (start, took) = (Timestamp(began + micros(from)), micros(to - from));
        let (ms, rest) = (took / 1_000, took % 1_000);
        write!(f, r#"{comma}{{"name":"{name}","start":"{start}","durationMs":{ms}.{rest:03}}}"#)?;
    }
    f.write_str("]")
}

/// The trace context of the Telemetry API, of a traced call.
fn write_tracing(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let Some(span) = report.span else { return Ok(()) };
    let (root, id) = (span.trace_id(), span.segment_id());
    write!(f, r#","tracing":{{"spanId":"{id}","type":"X-Amzn-Trace-Id","#)?;
    write!(f, r#""value":"Root={root};Parent={id};Sampled=1"}}"#)
}

fn status(report: &Report<'_>) -> &'static str {
    match report.usage.status {
        Status::Success => "success",
        Status::Failure => "failure",
        Status::Crash => "error",
        Status::Timeout => "timeout",
    }
}

/// A line in the form of a function's own, by the platform.
pub(super) struct Line<'a> {
    pub(super) time: Timestamp,
    pub(super) level: LogLevel,
    /// None outside of calls.
    pub(super) request_id: Option<&'a RequestId>,
    pub(super) message: &'a str,
    pub(super) error: Option<Failed<'a>>,
}

/// How a function failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'a> {
    pub(super) error_type: &'a str,
    pub(super) stack: &'a [&'a str],
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, level, request_id, message, error } = self;
        write!(f, r#"{{"timestamp":"{time}","level":"{}""#, level.as_str())?;
        if let Some(request_id) = request_id {
            write!(f, r#","requestId":"{request_id}""#)?;
        }
        write!(f, r#","message":{}"#, Quoted(message))?;
        if let Some(Failed { error_type, stack }) = error {
            write!(f, r#","errorType":{},"errorMessage":{},"stackTrace":["#, Quoted(error_type), Quoted(message))?;
            for (at, line) in stack.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(f, "{comma}{}", Quoted(line))?;
            }
            f.write_str("]")?;
        }
        f.write_str("}")
    }
}

/// What is looked at of a function's own line.
#[derive(Deserialize)]
struct Leveled<'a> {
    #[serde(borrow)]
    level: Option<Cow<'a, str>>,
}

/// The level of a function's own line: its member `level`. A line that says none, or
/// is no JSON, is INFO, as on Lambda.
pub(super) fn level(line: &str) -> LogLevel {
    let parsed = line.starts_with('{').then(|| serde_json::from_str::<Leveled<'_>>(line).ok()).flatten();
    parsed.and_then(|line| line.level?.parse().ok()).unwrap_or(LogLevel::Info)
}

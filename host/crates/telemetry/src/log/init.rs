//! INIT_START, and INIT_REPORT where the init failed: the lines of a version whose code
//! had to be loaded, before the START of the call that waited for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lamina_kit::Clock;
use lamina_types::{FunctionName, LogFormat, LogLevel, RuntimeVersion, Timestamp, Version};

use super::json::{self, Failed, Kind, Line, PlatformEvent};
use super::page::Origin;
use super::ring::{Group, Logs};
use crate::report::Millis;

/// The loading of a version's code.
#[derive(Debug, Clone, Copy)]
pub struct Init<'a> {
    /// The function.
    pub function: &'a FunctionName,
    /// Its version.
    pub version: Version,
    /// What runs the code.
    pub runtime: &'a RuntimeVersion,
    /// How long it took.
    pub took: Duration,
    /// How it failed, if it did.
    pub failure: Option<InitFailure<'a>>,
}

/// Why code could not be loaded.
#[derive(Debug, Clone, Copy)]
pub struct InitFailure<'a> {
    /// The error type.
    pub error_type: &'a str,
    /// For the author.
    pub message: &'a str,
}

/// Where the lines go.
struct Lines<'a> {
    group: Arc<Group>,
    stream: &'a Arc<str>,
    format: LogFormat,
    /// When the init ended.
    now: Timestamp,
}

impl Logs {
    /// Writes the lines of an init that ends now. They are no call's.
    pub fn init(&self, group: &Arc<str>, stream: &Arc<str>, format: LogFormat, init: Init<'_>, clock: &dyn Clock) {
        let now = Timestamp(clock.epoch_micros());
        let took = u64::try_from(init.took.as_micros()).unwrap_or(u64::MAX);
        let begun = Timestamp(now.0.saturating_sub(took));
        let lines = Lines { group: self.group(group), stream, format, now };
        match format {
            LogFormat::Text => lines.text(begun, init),
            LogFormat::Json { .. } => lines.json(begun, init),
        }
    }
}

impl Lines<'_> {
    fn line(&self, time: Timestamp, text: impl fmt::Display) {
        let origin = Origin { stream: self.stream, call: None };
        self.group.append(time, origin).line(|line| {
            use fmt::Write as _;
            // Writing into a String cannot fail.
            let _ = write!(line, "{text}");
        });
    }

    fn text(&self, begun: Timestamp, init: Init<'_>) {
        let Init { runtime, took, failure, .. } = init;
        let RuntimeVersion { name, arn } = runtime;
        self.line(begun, format_args!("INIT_START Runtime Version: {name}\tRuntime Version ARN: {arn}"));
        // One that went well is in the REPORT of its call.
        let Some(InitFailure { error_type, message }) = failure else { return };
        self.line(self.now, format_args!("[ERROR] {error_type}: {message}"));
        let took = Millis(took);
        self.line(
            self.now,
            format_args!("INIT_REPORT Init Duration: {took} ms\tPhase: init\tStatus: error\tError Type: {error_type}"),
        );
    }

    fn json(&self, begun: Timestamp, init: Init<'_>) {
        self.event(json::INIT_START, PlatformEvent { time: begun, kind: Kind::InitStart(&init) });
        let (done, report) = json::of_init(init.failure.is_some());
        if let Some(InitFailure { error_type, message }) = init.failure {
            let error = Some(Failed { error_type, stack: &[] });
            self.line(self.now, Line { time: self.now, level: LogLevel::Error, request_id: None, message, error });
        }
        self.event(done, PlatformEvent { time: self.now, kind: Kind::InitRuntimeDone(&init) });
        self.event(report, PlatformEvent { time: self.now, kind: Kind::InitReport(&init) });
    }

    fn event(&self, level: LogLevel, event: PlatformEvent<'_>) {
        if matches!(self.format, LogFormat::Json { system, .. } if level >= system) {
            self.line(event.time, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use lamina_kit::FixedClock;

    use super::*;
    use crate::LogsConfig;

    fn lines(format: LogFormat, failure: Option<InitFailure<'_>>) -> Vec<(u64, String)> {
        let logs = Logs::new(LogsConfig::default());
        let runtime = RuntimeVersion { name: "provided:al2023.v1".into(), arn: "ARN".into() };
        let init = Init {
            function: &"f".parse().unwrap(),
            version: Version::Latest,
            runtime: &runtime,
            took: Duration::from_micros(250_004),
            failure,
        };
        logs.init(&"g".into(), &"s".into(), format, init, &FixedClock::at(1_000_000));
        let events = logs.read("g", 0, 100);
        events.into_iter().map(|event| (event.time.millis(), event.message.into())).collect()
    }

    const FAILURE: InitFailure<'_> = InitFailure { error_type: "Runtime.X", message: "not \"code\"" };

    #[test]
    fn text_is_spelt_as_lambda_does() {
        let start = (749, "INIT_START Runtime Version: provided:al2023.v1\tRuntime Version ARN: ARN".to_owned());
        assert_eq!(lines(LogFormat::Text, None), std::slice::from_ref(&start));
        let failed = [
            start,
            (1_000, "[ERROR] Runtime.X: not \"code\"".to_owned()),
            (
                1_000,
                "INIT_REPORT Init Duration: 250.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.X".to_owned(),
            ),
        ];
        assert_eq!(lines(LogFormat::Text, Some(FAILURE)), failed);
    }

    #[test]
    fn events_are_spelt_as_lambda_does() {
        let check = |system, failure, expect: &[&str]| {
            let format = LogFormat::Json { application: LogLevel::Fatal, system };
            let lines: Vec<String> = lines(format, failure).into_iter().map(|(_, line)| line).collect();
            assert_eq!(lines, expect, "{system:?}");
        };
        let start = r#"{"time":"1970-01-01T00:00:00.749Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","runtimeVersion":"provided:al2023.v1","runtimeVersionArn":"ARN","functionName":"f","functionVersion":"$LATEST"}}"#;
        let done = r#"{"time":"1970-01-01T00:00:01.000Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}}"#;
        let report = r#"{"time":"1970-01-01T00:00:01.000Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":250.00}}}"#;
        check(LogLevel::Debug, None, &[start, done, report]);
        check(LogLevel::Info, None, &[start]);
        check(LogLevel::Warn, None, &[]);
        let line = r#"{"timestamp":"1970-01-01T00:00:01.000Z","level":"ERROR","message":"not \"code\"","errorType":"Runtime.X","errorMessage":"not \"code\"","stackTrace":[]}"#;
        let done = r#"{"time":"1970-01-01T00:00:01.000Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.X"}}"#;
        let report = r#"{"time":"1970-01-01T00:00:01.000Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.X","metrics":{"durationMs":250.00}}}"#;
        check(LogLevel::Info, Some(FAILURE), &[start, line, done, report]);
        check(LogLevel::Warn, Some(FAILURE), &[line, done, report]);
    }
}

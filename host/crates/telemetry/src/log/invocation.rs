//! The log of one call: START, the guest's lines, END and REPORT.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lamina_kit::Clock;
use lamina_types::{FunctionName, LogFormat, LogLevel, RequestId, RuntimeVersion, Status, Timestamp, Version, limits};

use super::json::{self, Failed, Kind, Line, PlatformEvent};
use super::lines::Lines;
use super::observer::Observer;
use super::page::Origin;
use super::ring::{Appending, Group, Logs};
use crate::report::{InitReport, Report, RestoreReport};

/// Which of a guest's output streams wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The log of one call. Clones share it; lines appear in the group as they are
/// written, so that a reader can follow a running call.
#[derive(Clone)]
pub struct InvocationLog {
    shared: Arc<Shared>,
}

struct Shared {
    group: Arc<Group>,
    stream: Arc<str>,
    request_id: RequestId,
    clock: Arc<dyn Clock>,
    limits: Limits,
    observer: Option<Observer>,
    format: LogFormat,
    version: Version,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct Limits {
    line_bytes_max: usize,
    lines_per_s: u32,
    bytes_per_s: u32,
}

#[derive(Default)]
struct State {
    stdout: Lines,
    stderr: Lines,
    window: Window,
    tail: Option<Vec<u8>>,
    begun: bool,
    /// The instance is being restored: START comes after.
    restoring: bool,
    ended: bool,
}

/// What was written in the current second, and what had to be dropped.
#[derive(Default)]
struct Window {
    start: Duration,
    lines: u32,
    bytes: u32,
    dropped_lines: u64,
    dropped_bytes: u64,
}

/// What a call's log is opened with.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// The log group.
    pub group: &'a Arc<str>,
    /// The log stream.
    pub stream: Arc<str>,
    /// The call.
    pub request_id: &'a RequestId,
    /// The version that runs.
    pub version: Version,
    /// Whether to keep the last 4 KiB for the caller.
    pub tail: bool,
    /// Who else is told of the guest's lines.
    pub observer: Option<Observer>,
    /// Text, or JSON with its levels.
    pub format: LogFormat,
}

impl Logs {
    /// Opens the log of a call. Its START is written when it has begun, so that one
    /// that a limit stops leaves no line, as on Lambda.
    pub fn start(&self, opening: Opening<'_>, clock: Arc<dyn Clock>) -> InvocationLog {
        let config = self.config();
        let limits = Limits {
            line_bytes_max: config.line_bytes_max,
            lines_per_s: config.call_lines_per_s,
            bytes_per_s: config.call_bytes_per_s,
        };
        let state = Mutex::new(State { tail: opening.tail.then(Vec::new), ..State::default() });
        let group = self.group(opening.group);
        let Opening { stream, version, observer, format, .. } = opening;
        let request_id = opening.request_id.clone();
        let shared = Shared { group, stream, request_id, clock, limits, format, version, observer, state };
        InvocationLog { shared: Arc::new(shared) }
    }
}

/// Lines on their way into the group and, if it is kept, the tail.
struct Emitting<'a, 't> {
    lines: Appending<'a>,
    tail: Option<&'t mut Vec<u8>>,
}

impl Emitting<'_, '_> {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        let line = self.lines.line(|line| {
            // Writing into a String cannot fail.
            let _ = line.write_fmt(text);
        });
        if let Some(tail) = &mut self.tail {
            tail.extend_from_slice(line.as_bytes());
            tail.push(b'\n');
            // Cut seldom: moving 4 KiB for every line would cost more than keeping 8.
            if tail.len() > 2 * limits::LOG_TAIL_BYTES_MAX {
                cut_to_tail(tail);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes START, once.
    fn begin(&self, state: &mut State) {
        if state.restoring || std::mem::replace(&mut state.begun, true) {
            return;
        }
        let Self { request_id, version, .. } = self;
        match self.format {
            LogFormat::Text => self.emit(state, |mut lines| {
                lines.line(format_args!("START RequestId: {request_id} Version: {version}"));
            }),
            LogFormat::Json { .. } => {
                self.event(state, json::START, Kind::Start { request_id, version: *version });
            }
        }
    }

    /// The state of a call that has begun.
    fn lock_begun(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        self.begin(&mut state);
        state
    }

    /// Appends to the group, past all limits.
    fn emit(&self, state: &mut State, write: impl FnOnce(Emitting<'_, '_>)) {
        let origin = Origin { stream: &self.stream, call: Some(&self.request_id) };
        let lines = self.group.append(Timestamp(self.clock.epoch_micros()), origin);
        write(Emitting { lines, tail: state.tail.as_mut() });
    }

    /// Appends an event of the platform's own, unless its level is left out.
    fn event(&self, state: &mut State, level: LogLevel, kind: Kind<'_>) {
        let LogFormat::Json { system, .. } = self.format else { return };
        if level >= system {
            let event = PlatformEvent { time: Timestamp(self.clock.epoch_micros()), kind };
            self.emit(state, |mut lines| lines.line(format_args!("{event}")));
        }
    }

    /// Whether a guest's line is below the level from which on they are written.
    fn is_left_out(&self, line: &str) -> bool {
        match self.format {
            LogFormat::Json { application, .. } if application > LogLevel::Trace => json::level(line) < application,
            LogFormat::Text | LogFormat::Json { .. } => false,
        }
    }

    /// Appends a guest's line if the call is within its rate.
    fn emit_limited(&self, state: &mut State, line: &str) {
        if self.is_left_out(line) {
            return;
        }
        let now = self.clock.monotonic();
        if now.saturating_sub(state.window.start) >= Duration::from_secs(1) {
            self.say_dropped(state);
            state.window = Window { start: now, ..Window::default() };
        }
        let bytes = u32::try_from(line.len()).unwrap_or(u32::MAX).saturating_add(1);
        let window = &mut state.window;
        let full = window.lines >= self.limits.lines_per_s
            || window.bytes.saturating_add(bytes) > self.limits.bytes_per_s && window.lines > 0;
        if full {
            window.dropped_lines += 1;
            window.dropped_bytes += u64::from(bytes);
            return;
        }
        window.lines += 1;
        window.bytes = window.bytes.saturating_add(bytes);
        self.emit(state, |mut lines| lines.line(format_args!("{line}")));
        if let Some(observer) = &self.observer {
            observer.tell(line, || Timestamp(self.clock.epoch_micros()));
        }
    }

    /// Appends an error in the form of a function's own lines, whatever their level.
    fn say(&self, state: &mut State, message: &str, error: Option<Failed<'_>>) {
        let (time, request_id) = (Timestamp(self.clock.epoch_micros()), Some(&self.request_id));
        let line = Line { time, level: LogLevel::Error, request_id, message, error };
        self.emit(state, |mut lines| lines.line(format_args!("{line}")));
    }

    /// Writes what the guest has not ended with a line feed.
    fn finish_lines(&self, state: &mut State) {
        let (mut stdout, mut stderr) = (std::mem::take(&mut state.stdout), std::mem::take(&mut state.stderr));
        stdout.finish(|line| self.emit_limited(state, line));
        stderr.finish(|line| self.emit_limited(state, line));
    }

    fn say_dropped(&self, state: &mut State) {
        let (lines, bytes) = (state.window.dropped_lines, state.window.dropped_bytes);
        if lines > 0 {
            state.window.dropped_lines = 0;
            self.group.losses.rate(lines);
            let Limits { lines_per_s, bytes_per_s, .. } = self.limits;
            let reason = format!("over {lines_per_s} lines or {bytes_per_s} bytes a second");
            match self.format {
                LogFormat::Text => self.emit(state, |mut out| {
                    out.line(format_args!("LAMINA log lines dropped: {lines} ({bytes} bytes), {reason}"));
                }),
                LogFormat::Json { .. } => {
                    let reason = reason.as_str();
                    self.event(state, json::LOGS_DROPPED, Kind::LogsDropped { lines, bytes, reason });
                }
            }
        }
    }
}

fn cut_to_tail(tail: &mut Vec<u8>) {
    let cut = tail.len().saturating_sub(limits::LOG_TAIL_BYTES_MAX);
    tail.drain(..cut);
}

impl InvocationLog {
    /// The call has begun.
    pub fn begin(&self) {
        drop(self.shared.lock_begun());
    }

    /// The log stream.
    pub fn stream(&self) -> &str {
        &self.shared.stream
    }

    /// Whether anything was written.
    pub fn has_begun(&self) -> bool {
        let state = self.shared.lock();
        state.begun || state.restoring
    }

    /// The call's instance is being restored from a snapshot. What it writes meanwhile
    /// comes before START.
    pub fn restoring(&self, function: &FunctionName, runtime: &RuntimeVersion) {
        let mut state = self.shared.lock();
        if state.begun || std::mem::replace(&mut state.restoring, true) {
            return;
        }
        match self.shared.format {
            LogFormat::Text => self.shared.emit(&mut state, |mut lines| {
                let RuntimeVersion { name, arn } = runtime;
                lines.line(format_args!("RESTORE_START Runtime Version: {name}\tRuntime Version ARN: {arn}"));
            }),
            LogFormat::Json { .. } => {
                let start = Kind::RestoreStart { function, version: self.shared.version, runtime };
                self.shared.event(&mut state, json::RESTORE_START, start);
            }
        }
    }

    /// The instance was restored, or failed to be with an error of this type: the call
    /// begins.
    pub fn restored(&self, took: Duration, error_type: Option<&str>) {
        let mut state = self.shared.lock();
        if !state.restoring {
            return;
        }
        self.shared.finish_lines(&mut state);
        state.restoring = false;
        let report = RestoreReport { took, error_type };
        match self.shared.format {
            LogFormat::Text => self.shared.emit(&mut state, |mut lines| lines.line(format_args!("{report}"))),
            LogFormat::Json { .. } => {
                let level = json::of_restore(error_type.is_some());
                self.shared.event(&mut state, level, Kind::RestoreRuntimeDone(&report));
                self.shared.event(&mut state, level, Kind::RestoreReport(&report));
            }
        }
        self.shared.begin(&mut state);
    }

    /// Takes what the guest wrote. Nothing is taken after the END line.
    pub fn write(&self, source: Source, bytes: &[u8]) {
        let mut state = self.shared.lock_begun();
        if state.ended {
            return;
        }
        let mut lines = match source {
            Source::Stdout => std::mem::take(&mut state.stdout),
            Source::Stderr => std::mem::take(&mut state.stderr),
        };
        lines.write(bytes, self.shared.limits.line_bytes_max, |line| self.shared.emit_limited(&mut state, line));
        match source {
            Source::Stdout => state.stdout = lines,
            Source::Stderr => state.stderr = lines,
        }
    }

    /// Takes one event of the guest's, which may hold line feeds. It comes after what
    /// was written before, finished lines or not.
    pub fn event(&self, message: &str) {
        let mut state = self.shared.lock_begun();
        if state.ended {
            return;
        }
        self.shared.finish_lines(&mut state);
        let most = self.shared.limits.line_bytes_max;
        let message = &message[..message.floor_char_boundary(most)];
        self.shared.emit_limited(&mut state, message.strip_suffix('\n').unwrap_or(message));
    }

    /// Writes that the code could not be made ready to serve, and after how long.
    pub fn init_failed(&self, status: Status, after: Duration, error_type: &str) {
        let mut state = self.shared.lock_begun();
        if state.ended {
            return;
        }
        self.shared.finish_lines(&mut state);
        let report = InitReport { status, after, error_type };
        match self.shared.format {
            LogFormat::Text => self.shared.emit(&mut state, |mut lines| lines.line(format_args!("{report}"))),
            LogFormat::Json { .. } => {
                self.shared.event(&mut state, json::INIT_REPORT, Kind::InitFailed(&report));
            }
        }
    }

    /// Writes a line of the platform's own, such as the one about a timeout.
    pub fn platform_line(&self, line: impl fmt::Display) {
        let mut state = self.shared.lock_begun();
        if state.ended {
            return;
        }
        match self.shared.format {
            LogFormat::Text => self.shared.emit(&mut state, |mut lines| lines.line(format_args!("{line}"))),
            LogFormat::Json { .. } => self.shared.say(&mut state, &line.to_string(), None),
        }
    }

    /// Writes how the function failed, if the log is JSON: then it is one line.
    /// Whether it was; a log that is text has lines of its own for it.
    pub fn failed(&self, error_type: &str, message: &str, stack: &[&str]) -> bool {
        let mut state = self.shared.lock_begun();
        let json = self.shared.format != LogFormat::Text;
        if json && !state.ended {
            self.shared.say(&mut state, message, Some(Failed { error_type, stack }));
        }
        json
    }

    /// Writes unfinished lines, END and REPORT, and answers the tail if it was
    /// asked for. A second call does nothing.
    pub fn end(&self, report: &Report<'_>) -> Option<Vec<u8>> {
        let mut state = self.shared.lock_begun();
        if std::mem::replace(&mut state.ended, true) {
            return None;
        }
        self.shared.finish_lines(&mut state);
        self.shared.say_dropped(&mut state);
        match self.shared.format {
            LogFormat::Text => self.shared.emit(&mut state, |mut lines| {
                lines.line(format_args!("END RequestId: {}", report.request_id));
                lines.line(format_args!("{report}"));
            }),
            LogFormat::Json { .. } => {
                let (done, reported) = json::of_end(report.usage.status);
                self.shared.event(&mut state, done, Kind::RuntimeDone(report));
                self.shared.event(&mut state, reported, Kind::Report(report));
            }
        }
        let mut tail = state.tail.take()?;
        cut_to_tail(&mut tail);
        Some(tail)
    }
}

impl std::fmt::Debug for InvocationLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvocationLog").field("stream", &self.shared.stream).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

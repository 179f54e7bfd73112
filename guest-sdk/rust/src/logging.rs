//! Log lines: `TIMESTAMP <tab> REQUEST_ID <tab> LEVEL <tab> message`, as Node's on
//! Lambda, on standard error; objects of `timestamp`, `level`, `requestId` and
//! `message` when the function's LogFormat is JSON (`AWS_LAMBDA_LOG_FORMAT`).
//!
//! [`log`] is set up before the handler runs, [`tracing`](self) too with the
//! feature of that name. `AWS_LAMBDA_LOG_LEVEL` says which levels are written
//! (`trace`, `debug`, `info`, `warn`, `error`, `off`); without it INFO and above.
//! A message's own line breaks become carriage returns: one message stays one line.

#[cfg(feature = "tracing")]
mod subscriber;
mod timestamp;

use std::cell::RefCell;
#[cfg(target_family = "wasm")]
use std::io::Write as _;
use std::sync::OnceLock;

use log::{Level, LevelFilter, Log, Metadata, Record};

/// The variable that says which levels are written.
pub const LEVEL_VARIABLE: &str = "AWS_LAMBDA_LOG_LEVEL";
/// The variable that says whether lines are JSON.
pub const FORMAT_VARIABLE: &str = "AWS_LAMBDA_LOG_FORMAT";

thread_local! {
    static REQUEST_ID: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            write(record.level(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Sets up the loggers, and gives the lines from here on this id. A logger that
/// was there already (a test's own) stays.
pub(crate) fn begin(request_id: &str) {
    REQUEST_ID.with_borrow_mut(|current| request_id.clone_into(current));
    if log::set_logger(&Logger).is_ok() {
        // The variable is read when the first line comes: many calls write none.
        log::set_max_level(LevelFilter::Trace);
    }
    #[cfg(feature = "tracing")]
    subscriber::begin();
}

/// Writes one line, whatever the level.
pub(crate) fn write(level: Level, message: &str) {
    let line = REQUEST_ID.with_borrow(|request_id| {
        let write = if is_json() { json_line } else { line };
        write(&timestamp::now(), request_id, level, message)
    });
    emit(&line);
}

#[cfg(target_family = "wasm")]
fn emit(line: &str) {
    // One write, so that one line is one call of the host. A line that cannot be
    // written has nowhere else to go.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(not(target_family = "wasm"))]
fn emit(line: &str) {
    // The macro's output, and only that, is shown with the test that made it.
    eprint!("{line}");
}

fn is_json() -> bool {
    static JSON: OnceLock<bool> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a guest's environment is its configuration")]
    *JSON.get_or_init(|| std::env::var(FORMAT_VARIABLE).is_ok_and(|format| format.eq_ignore_ascii_case("json")))
}

fn level() -> LevelFilter {
    static LEVEL: OnceLock<LevelFilter> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a guest's environment is its configuration")]
    *LEVEL.get_or_init(|| {
        std::env::var(LEVEL_VARIABLE).ok().and_then(|name| parse_level(&name)).unwrap_or(LevelFilter::Info)
    })
}

/// Lambda's names; FATAL is not one of Rust's levels.
fn parse_level(name: &str) -> Option<LevelFilter> {
    if name.eq_ignore_ascii_case("fatal") { Some(LevelFilter::Error) } else { name.parse().ok() }
}

fn json_line(timestamp: &str, request_id: &str, level: Level, message: &str) -> String {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Line<'a> {
        timestamp: &'a str,
        level: &'a str,
        request_id: &'a str,
        message: &'a str,
    }

    let message = message.trim_end_matches('\n');
    // Texts alone can always be written.
    let mut line =
        serde_json::to_string(&Line { timestamp, level: level.as_str(), request_id, message }).unwrap_or_default();
    line.push('\n');
    line
}

fn line(timestamp: &str, request_id: &str, level: Level, message: &str) -> String {
    let mut line = format!("{timestamp}\t{request_id}\t{level}\t{}", message.trim_end_matches('\n'));
    if line.contains('\n') {
        line = line.replace('\n', "\r");
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_with_time_id_and_level() {
        let check = |message: &str, expect: &str| assert_eq!(line("T", "ID", Level::Warn, message), expect);
        check("text", "T\tID\tWARN\ttext\n");
        check("text\n", "T\tID\tWARN\ttext\n");
        check("two\nlines", "T\tID\tWARN\ttwo\rlines\n");
    }

    #[test]
    fn a_message_is_one_object() {
        let line = json_line("T", "ID", Level::Warn, "two\n\"lines\"\n");
        let expect =
            "{\"timestamp\":\"T\",\"level\":\"WARN\",\"requestId\":\"ID\",\"message\":\"two\\n\\\"lines\\\"\"}\n";
        assert_eq!(line, expect);
    }

    #[test]
    fn levels_are_lambdas() {
        assert_eq!(parse_level("DEBUG"), Some(LevelFilter::Debug));
        assert_eq!(parse_level("fatal"), Some(LevelFilter::Error));
        assert_eq!(parse_level("loud"), None);
    }
}

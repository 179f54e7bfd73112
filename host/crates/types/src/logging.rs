//! LoggingConfig's format and levels (reference 4.1, 5.5).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How grave a line is; the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Lambda's own levels")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// What is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is TRACE, DEBUG, INFO, WARN, ERROR or FATAL")]
pub struct NotALevel;

impl LogLevel {
    /// Lambda's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

/// In any case; `WARNING` and `CRITICAL` are Python's.
impl FromStr for LogLevel {
    type Err = NotALevel;

    fn from_str(text: &str) -> Result<Self, NotALevel> {
        let names = [
            ("trace", Self::Trace),
            ("debug", Self::Debug),
            ("info", Self::Info),
            ("warn", Self::Warn),
            ("warning", Self::Warn),
            ("error", Self::Error),
            ("fatal", Self::Fatal),
            ("critical", Self::Fatal),
        ];
        names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, level)| *level).ok_or(NotALevel)
    }
}

/// The form of a function's log. Only JSON has levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LogFormat {
    /// START, END and REPORT, and what the function wrote.
    #[default]
    Text,
    /// Objects, those below a level left out.
    Json {
        /// Of the function's own lines.
        application: LogLevel,
        /// Of the platform's.
        system: LogLevel,
    },
}

/// A partial change of a [`LogFormat`]: what is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFormatChange {
    /// Whether the log becomes JSON, or text.
    pub json: Option<bool>,
    /// The level of the function's own lines.
    pub application: Option<LogLevel>,
    /// The level of the platform's.
    pub system: Option<LogLevel>,
}

/// Levels were given for a log that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change the \
     LogFormat to \"JSON\" and try again."
)]
pub struct LevelOfText;

impl LogFormat {
    /// The format after a change. Levels that were never given are INFO.
    pub fn changed(self, change: LogFormatChange) -> Result<Self, LevelOfText> {
        let before = match self {
            Self::Json { application, system } => Some((application, system)),
            Self::Text => None,
        };
        if !change.json.unwrap_or(before.is_some()) {
            let levels = change.application.is_some() || change.system.is_some();
            return if levels { Err(LevelOfText) } else { Ok(Self::Text) };
        }
        let (application, system) = before.unwrap_or((LogLevel::Info, LogLevel::Info));
        Ok(Self::Json {
            application: change.application.unwrap_or(application),
            system: change.system.unwrap_or(system),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_merged() {
        let json = |application, system| LogFormat::Json { application, system };
        let change = |json, application, system| LogFormatChange { json, application, system };
        let (info, warn, debug) = (LogLevel::Info, LogLevel::Warn, LogLevel::Debug);
        for (before, change, after) in [
            (LogFormat::Text, change(None, None, None), Ok(LogFormat::Text)),
            (LogFormat::Text, change(Some(true), None, None), Ok(json(info, info))),
            (LogFormat::Text, change(Some(true), Some(debug), Some(warn)), Ok(json(debug, warn))),
            (LogFormat::Text, change(None, Some(debug), None), Err(LevelOfText)),
            (json(debug, warn), change(None, None, Some(info)), Ok(json(debug, info))),
            (json(debug, warn), change(Some(true), None, None), Ok(json(debug, warn))),
            (json(debug, warn), change(Some(false), None, None), Ok(LogFormat::Text)),
            (json(debug, warn), change(Some(false), Some(info), None), Err(LevelOfText)),
        ] {
            assert_eq!(before.changed(change), after, "{before:?} {change:?}");
        }
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(LogLevel::Trace < LogLevel::Debug && LogLevel::Error < LogLevel::Fatal);
        for level in
            [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error, LogLevel::Fatal]
        {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        assert_eq!(("warning".parse(), "loud".parse::<LogLevel>()), (Ok(LogLevel::Warn), Err(NotALevel)));
    }
}

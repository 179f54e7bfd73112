//! What can go wrong.

use std::io::{self, ErrorKind};

/// Why the log could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk has no room. Nothing that was acknowledged is lost, and the same
    /// call can be made again.
    #[error("the disk is full: writing {file}: {source}")]
    Full {
        /// The file.
        file: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A file or directory.
    #[error("{doing} {file}: {source}")]
    Io {
        /// What was done to it.
        doing: &'static str,
        /// The file.
        file: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A sync, or the undoing of a write, has failed before: what is on the disk is
    /// not known. Opening the log again finds out.
    #[error("{file} takes nothing more since it could not be synced: see to the disk, then start again")]
    Stopped {
        /// The file.
        file: String,
    },
    /// An entry has too much detail.
    #[error("entry {n} of the audit log makes a line of {bytes} bytes: at most {max} are allowed")]
    TooLong {
        /// Its number.
        n: u64,
        /// Of the line.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// An entry cannot be written as JSON.
    #[error("entry {n} of the audit log cannot be written: {source}")]
    Entry {
        /// Its number.
        n: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// Entries do not go on from the last one.
    #[error("entry {expected} of the audit log is next, not {found}")]
    Gap {
        /// The number that is next.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// There is no entry whose head could be signed.
    #[error("the audit log has no entry yet")]
    Empty,
    /// The log was damaged or changed.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl Error {
    pub(crate) fn io(doing: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { file, source },
            _ => Self::Io { doing, file, source },
        }
    }
}

/// Where the log does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", place(file, *line))]
pub struct Broken {
    /// The file, as `audit/NAME`; or what else was compared.
    pub file: String,
    /// The line, from 1; 0 when it is the file as a whole.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
    /// Nothing but a last line that was not written to its end: a crash leaves
    /// that, and opening the log cuts it away. Everything else holds.
    pub torn: bool,
}

fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}, line {line}") }
}

impl Broken {
    pub(crate) fn new(file: &str, line: u64, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, reason: reason.into(), torn: false }
    }

    pub(crate) fn torn(file: &str, line: u64) -> Self {
        Self { torn: true, ..Self::new(file, line, "the last line was not written to its end") }
    }

    pub(crate) fn read(file: &str, error: &io::Error) -> Self {
        Self::new(file, 0, format!("it cannot be read: {error}"))
    }
}

//! What can go wrong.

use std::fmt;
use std::io;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, and to what.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// No such group.
    #[error("there is no log group {0}")]
    NoGroup(String),
    /// No such stream.
    #[error("there is no log stream {0}")]
    NoStream(String),
    /// The group is there.
    #[error("there is a log group {0} already")]
    GroupExists(String),
    /// The stream is there.
    #[error("there is a log stream {0} already")]
    StreamExists(String),
    /// As many as there may be.
    #[error("there are {most} {what} already, as many as there may be")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }
}

/// Bytes that are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, within the data directory.
    pub file: String,
    /// From which byte on.
    pub offset: u64,
    /// What is wrong, and what was done.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.file, self.offset, self.what)
    }
}

//! The seam: a step, and who is asked before it.

use std::io;

/// One change of the disk. Paths are relative to the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A directory is made.
    MakeDir {
        /// The directory.
        path: &'a str,
    },
    /// An empty file is made.
    Create {
        /// The file.
        path: &'a str,
    },
    /// Bytes are written.
    Write {
        /// The file.
        path: &'a str,
        /// Where in the file.
        offset: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// A file is cut or lengthened.
    SetLen {
        /// The file.
        path: &'a str,
        /// Its length from now on.
        len: u64,
    },
    /// A file's data, and what is needed to read it, is synced.
    Sync {
        /// The file.
        path: &'a str,
    },
    /// A directory's entries are synced.
    SyncDir {
        /// The directory.
        path: &'a str,
    },
    /// A file takes another name, in place of what had it.
    Rename {
        /// The name so far.
        from: &'a str,
        /// The new name.
        to: &'a str,
    },
    /// A file gets a second name.
    Link {
        /// A name it has.
        from: &'a str,
        /// The new name.
        to: &'a str,
    },
    /// A file loses this name.
    Remove {
        /// The name.
        path: &'a str,
    },
    /// A directory and all in it are removed.
    RemoveAll {
        /// The directory.
        path: &'a str,
    },
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is made.
    Go,
    /// So many bytes of a write are written, then it fails; any other step fails.
    Tear(usize),
}

/// Asked before each step; its error becomes the step's own, and nothing happens.
pub trait Seam: Send + Sync + 'static {
    /// See the trait.
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict>;
}

/// Lets every step pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Seam for System {
    fn before(&self, _: &Step<'_>) -> io::Result<Verdict> {
        Ok(Verdict::Go)
    }
}

pub(crate) fn torn() -> io::Error {
    io::Error::other("the step was torn")
}

/// Asks, and makes the step unless it is torn.
pub(crate) fn pass<T>(seam: &dyn Seam, step: &Step<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match seam.before(step)? {
        Verdict::Go => make(),
        Verdict::Tear(_) => Err(torn()),
    }
}

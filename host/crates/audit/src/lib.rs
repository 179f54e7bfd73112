//! The audit log: who changed what, in files that only grow.
//!
//! Each line holds the hash of the line before, and heads of this chain are
//! signed, so that an edit is found; one who keeps a head elsewhere finds a tail
//! that was cut as well. `host/ARCHITECTURE.md`, "The audit log", draws the format.
//!
//! What is worth an entry, and who may read it, is decided elsewhere. All calls
//! block.

mod appender;
mod chain;
mod end;
mod entry;
mod error;
mod files;
mod head;
mod log;
mod verify;

#[cfg(test)]
mod fuzz;

pub use chain::{Chain, ChainError, Fault, verify_lines};
pub use entry::{Entry, LINE_BYTES_MAX};
pub use error::{Broken, Error};
pub use head::{Head, HeadError};
pub use log::{FILE_BYTES_MAX, Log, READ_BYTES_MAX};
pub use verify::{Verified, verify};

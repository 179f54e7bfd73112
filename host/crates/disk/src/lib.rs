//! What the platform changes on the disk, through one seam.
//!
//! The records' journal, the artifacts and the audit log write, sync, rename and
//! remove through a [`Folder`], which asks its [`Seam`] before each step. In
//! production that is [`System`], which lets everything pass; a test makes the
//! nth step fail or tear, and sees what is left. Reading does not pass the seam.
//!
//! The index's engine does its own I/O: what can be lost of that is the `kv`
//! crate's business.

mod file;
mod folder;
mod seam;
mod through;

pub use file::File;
pub use folder::Folder;
pub use seam::{Seam, Step, System, Verdict};
pub use through::{BLOCK_BYTES, Through, Unwritten};

//! Bytes by their SHA-256, and files derived from them.
//!
//! Content is written to a temporary name, synced, renamed, and its directory
//! synced; it is never trusted on read: the digest is checked each time.
//! Derived files may be thrown away at any moment. Works through a directory
//! handle; knows no records, and so never decides what is no longer needed.

mod derived;
mod error;
mod package;
mod store;

pub use error::Error;
pub use store::Artifacts;

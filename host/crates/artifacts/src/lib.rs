//! Bytes by their SHA-256, and files derived from them.
//!
//! Content is written to a temporary name, synced, renamed, and its directory
//! synced; it is never trusted on read: the digest is checked each time.
//! Derived files may be thrown away at any moment. All changes pass the seam of
//! [`lamina_disk`]. Knows no records: what is still needed, the caller says.

mod collect;
mod derived;
mod error;
mod files;
mod ingest;
mod package;
mod scrub;
mod store;
mod temporary;
mod usage;

pub use collect::{Collected, Hold};
pub use derived::{DerivedFile, Evicted};
pub use error::Error;
pub use files::PackageFile;
pub use scrub::{Found, ScrubStep, Scrubbed};
pub use store::Artifacts;
pub use usage::Usage;

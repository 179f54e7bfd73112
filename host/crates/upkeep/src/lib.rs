//! Keeping a data directory: backups of a platform that runs, restoring them,
//! checking and mending a directory, figures, and what runs in the background.
//!
//! The layout of a backup is drawn in `host/ARCHITECTURE.md`. Knows the files of a
//! data directory and who may read them; of records no more than which artifacts
//! they refer to.

mod backup;
mod error;
mod fsck;
pub mod keys;
mod manifest;
mod place;
mod restore;
mod stats;
mod tar;
mod tasks;
mod upkeep;

pub use backup::Backup;
pub use error::{Error, Refusal};
pub use fsck::{Finding, Fsck, Report, fsck};
pub use manifest::{Entry, Manifest};
pub use restore::{Restored, restore};
pub use stats::{Scrub, Stats, Table, Unsound, Usage};
pub use tasks::Config;
pub use upkeep::{Deps, Upkeep};

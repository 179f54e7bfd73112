//! Log groups on the disk: append-only segments with an index by time, bounded by
//! bytes and by retention, and what can be asked of them.
//!
//! The lines come from the rings of `telemetry`, out of which a thread of this
//! crate's own takes them at most half a second after they were written, so that no
//! call waits for a disk. A read sees what is kept and what is still in memory.
//! Formats: `host/ARCHITECTURE.md`, "The logs". Nothing here knows HTTP or AWS's
//! shapes; filter patterns are CloudWatch Logs' own language.

mod config;
mod encode;
mod error;
mod frame;
mod group;
mod manage;
mod meta;
pub mod pattern;
mod read;
mod segment;
mod store;
mod thread;

pub use config::Config;
pub use error::{Damage, Error};
pub use manage::{GroupInfo, StreamInfo};
pub use pattern::Pattern;
pub use read::{Event, Found, Position, Query, Streams};
pub use store::LogStore;

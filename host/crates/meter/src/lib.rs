//! What calls used, counted in memory: for each function and version, from the
//! start of the platform, by the minute for some hours, and by the hour until the
//! ledger takes it.
//!
//! A call costs one look into a map, some atomics and one short lock, and allocates
//! nothing unless its bodies are streamed. Everything is bounded: past so many
//! functions the least used are folded into one entry, which loses their names and
//! nothing else. Knows no HTTP, no records and no wasm.

mod counters;
mod custom;
mod gauge;
mod histogram;
mod meter;
mod meters;
mod minutes;

pub use counters::Counters;
pub use custom::{Custom, CustomKey, CustomSeries, Sample};
pub use histogram::{BOUNDS, Histogram, seconds};
pub use meter::{Call, Traffic, Used};
pub use meters::{Config, Hourly, Meters, Snapshot, Subject};
pub use minutes::Minute;

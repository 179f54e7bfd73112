//! What the platform says about its own work: the lines of functions, bounded
//! and in memory, and the END and REPORT of each call.
//!
//! Metrics, the usage ledger, traces and log segments on disk come with the
//! issue about the door; a restart therefore begins with empty logs. Our own
//! diagnostics go through `tracing` and never mix with a function's lines.

pub mod log;
pub mod report;
pub mod timings;

pub use log::{InvocationLog, LogEvent, Logs, LogsConfig, Observer, Opening, Source};
pub use report::Report;
pub use timings::Timings;

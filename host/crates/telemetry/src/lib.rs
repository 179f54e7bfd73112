//! What the platform says about its own work: the lines of functions, bounded
//! and in memory, and the END and REPORT of each call.
//!
//! The crate `logs` keeps the lines on the disk; nothing here does I/O. Our own
//! diagnostics go through `tracing` and never mix with a function's lines.

pub mod log;
pub mod report;
pub mod timings;

pub use log::{
    Batch, Dropped, Init, InitFailure, InvocationLog, LineRef, LogEvent, Logs, LogsConfig, Observer, Opening, Source,
};
pub use report::Report;
pub use timings::Timings;

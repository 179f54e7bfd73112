//! The usage ledger: what each function's versions used, hour by hour, as records.
//!
//! The meters count in memory; every few seconds, and at the end, what they have
//! counted is added to the hour's records. A kill loses what was counted since.
//! Knows no prices. The tables are drawn in `host/ARCHITECTURE.md`.

mod error;
mod ledger;
mod prune;
mod record;
mod usage;

pub use error::Error;
pub use ledger::{Config, Deps, Ledger};
pub use usage::{By, Hours, Of, Row};

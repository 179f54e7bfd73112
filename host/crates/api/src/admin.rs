//! Our own operations, under `/lamina/v1`; drawn in `host/ARCHITECTURE.md`.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod code;
pub(crate) mod logs;
pub(crate) mod meters;
pub(crate) mod runtimes;
pub(crate) mod secrets;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod trust;
pub(crate) mod usage;

//! Our own operations, under `/lamina/v1`; drawn in `host/ARCHITECTURE.md`.

pub(crate) mod code;
pub(crate) mod logs;
pub(crate) mod status;
pub(crate) mod trust;

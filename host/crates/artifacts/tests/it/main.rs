//! The store's contract, from outside: bytes come back as they were put, or
//! are refused; what a step that fails leaves behind does no harm.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

mod collect;
mod content;
mod derived;
mod faults;
mod files;
mod history;
mod ingest;
mod scrub;
mod support;

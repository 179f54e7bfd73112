//! The runtime's contract, from outside: real guests on real instances, with
//! every limit and promise of "The instance" in `host/SPECIFICATION.md`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "test helpers, on the real clock")]

mod support;

mod failures;
mod fuel;
mod http;
mod images;
mod managed;
mod memory;
mod output;
mod reach;
mod snapshots;
mod streaming;
mod time;
mod tmp;

//! The store through its public API, on real directories.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

mod bounds;
mod damage;
mod faults;
mod hostile;
mod lines;
mod manage;
mod support;

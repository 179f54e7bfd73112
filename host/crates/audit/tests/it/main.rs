//! The log's contract, from outside: what was acknowledged stays, and what was
//! edited is found.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

mod append;
mod crash;
mod edit;
mod hostile;
mod rotation;
mod support;

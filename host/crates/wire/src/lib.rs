//! Lambda's requests and answers: AWS's spellings on the outside, `types` on
//! the inside.
//!
//! A request is read member by member (`object`, `query`), checked in Lambda's
//! two layers (`violation`, then the texts of `error::Invalid::Parameter`), and
//! becomes a value that cannot be wrong. Nothing is dropped: a member is acted
//! on, stored and returned because it has no effect here, or refused by name.
//! No sockets, no status codes, no look-ups.
//!
//! Rules: the service model of November 2026 (patterns and bounds verbatim).

pub mod account;
pub mod cbor;
pub mod emf;
pub mod error;
pub mod event_stream;
pub mod form;
pub mod function;
pub mod logs;
pub mod managed;
pub mod monitoring;
pub mod naming;
pub mod object;
pub mod pattern;
pub mod policy;
pub mod query;
pub mod tags;
pub mod tree;
pub mod url;
pub mod view;
pub mod violation;

#[cfg(test)]
mod fuzz;

pub use error::Invalid;
pub use naming::{Owner, Shape};

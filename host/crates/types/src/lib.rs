//! The platform's vocabulary: names, ids, limits, records, and the three values
//! that travel (`Invocation`, `ResolvedFunction`, `Outcome`).
//!
//! No I/O, no async, and no mention of HTTP, sled or wasmtime. Every name, id
//! and digest is parsed once, at the edge, into a type that cannot be wrong.

pub mod actor;
pub mod arn;
pub mod digest;
pub mod ids;
pub mod invocation;
pub mod limits;
pub mod logging;
pub mod managed;
pub mod names;
pub mod outcome;
pub mod records;
pub mod resolved;
pub mod runtime_version;
pub mod settings;
pub mod time;
pub mod trace;
pub mod units;

#[cfg(test)]
mod fuzz;

pub use actor::Actor;
pub use arn::{AccountId, FunctionArn, Region};
pub use digest::Digest;
pub use ids::{RequestId, RevisionId, UrlId};
pub use invocation::{Invocation, Payload};
pub use logging::{LogFormat, LogLevel};
pub use managed::{InstalledRuntime, Language, RuntimeKind, RuntimeManagement, UpdateRuntimeOn};
pub use names::{FunctionName, FunctionRef, NameError, Qualifier, Version};
pub use outcome::{ErrorForm, FunctionError, Outcome, Restore, Status, Usage};
pub use resolved::{CodeId, Managed, Package, ResolvedFunction, SnapshotId, World};
pub use runtime_version::RuntimeVersion;
pub use time::Timestamp;
pub use trace::Span;
pub use units::MemoryMib;

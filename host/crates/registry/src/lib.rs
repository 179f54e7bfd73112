//! Every record of the control plane and its invariants: functions, versions,
//! tags, policies, URLs, trusted keys, credentials, managed runtimes; and the catalog, the
//! immutable view of them that the data plane reads. Changes that an auditor asks
//! for go into the audit log in the same transaction.
//!
//! One writer at a time computes a change from the current catalog, commits it,
//! and then swaps the catalog, so that no reader sees what is not on the disk.
//! Lambda's rules for states, revisions and versions are those of reference
//! section 4.3; tables and records are drawn in `host/ARCHITECTURE.md`.
//!
//! Knows digests, never bytes; nothing of wasm, HTTP or AWS's spellings.

mod audit;
mod catalog;
mod change;
mod draft;
mod entry;
mod error;
mod records;
mod registry;
mod runtimes;
mod sorted;

pub use audit::Event;
pub use catalog::{Catalog, ResolveError};
pub use change::code::CodeUpdate;
pub use change::complete::Failure;
pub use change::configuration::ConfigurationUpdate;
pub use change::create::NewFunction;
pub use change::permission::Permission;
pub use change::publish::PublishVersion;
pub use change::runtime::RuntimeChoice;
pub use change::trust::{Trusted, public_key_pem};
pub use change::url::{NewUrl, UrlChange};
pub use entry::{FunctionEntry, UrlEntry};
pub use error::{Error, Revised};
pub use records::{Policy, SEALED};
pub use registry::{Change, Config, Registry};
pub use runtimes::{NoRuntime, Runtimes};

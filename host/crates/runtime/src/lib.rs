//! The wasm side: engine, images, instances and their limits.
//!
//! One fresh instance serves one invocation. Nothing compiles on an invoking
//! thread, and nothing is loaded that this host did not compile itself from
//! bytes whose digest and signature were just checked.
//!
//! Knows no records and opens no paths: it gets digests, artifacts and
//! directory handles. The only crate that names wasmtime.

mod bindings;
mod bundle;
mod code;
mod compile;
mod config;
mod ctx;
mod engine;
mod error;
mod exec;
mod facts;
mod failure;
mod image;
mod inspect;
mod instrumented;
mod lifecycle;
mod limits;
mod linker;
mod merged;
mod mounts;
mod outgoing;
mod output;
mod packages;
mod response;
mod runtime;
mod segments;
mod snapshot;
mod sources;
mod start;
mod tmp;
mod turns;
mod version;

pub use code::Code;
pub use config::Config;
pub use error::{CodeError, PrepareError, RunError};
pub use exec::http::HttpStart;
pub use exec::streaming::StreamStart;
pub use exec::{Call, HttpError, RequestBody, ResponseBody};
pub use inspect::{InspectError, inspect};
pub use packages::{DERIVED_VERSION, PackageError, Packages};
pub use response::{HttpPrelude, StreamHead};
pub use runtime::{CodeCheck, Deps, Refused, Runtime};
pub use snapshot::{NoSnapshot, SnapshotEnd};
pub use start::{StartError, started};

//! The data plane: from an invocation to its answer.
//!
//! Resolves the name in the catalog, admits or throttles, loads the code, runs
//! it on a fresh instance, and writes the call's START, END and REPORT. Knows no
//! status codes and no wasm; writes no record and compiles nothing itself.

mod admission;
mod answer;
mod buffered;
mod dispatcher;
mod error;
mod http;
mod init;
mod streaming;

pub use answer::{Body, End, Ended, HttpServed, Served, StreamAnswer, Streamed};
pub use dispatcher::{Config, Deps, Dispatcher};
pub use error::{InvokeError, Throttle};

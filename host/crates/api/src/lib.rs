//! The platform's HTTP side: Lambda's REST API, our own operations under
//! `/lamina/v1`, and function URLs, all on one port.
//!
//! A request is bounded while it is read and believed before it is acted on;
//! every answer carries its id. Operations read with `wire`, act through the
//! layers below, and answer: one file each under `manage` and `admin`. The only
//! place that knows status codes (`error`); no retries, no records, no wasm.

mod admin;
mod answer;
mod auth;
mod body;
mod cloudwatch;
mod config;
mod deadline;
mod error;
mod function_url;
mod invoke;
mod limits;
mod logs;
mod manage;
mod pace;
mod request;
mod router;
mod server;
mod tls;
mod trace;

pub use config::{Config, Deps, RotateSecrets};
pub use limits::Limits;
pub use pace::STREAM_BYTES_PER_S_MIN;
pub use server::{Network, NotNetwork, Server};
pub use tls::{Tls, TlsError};

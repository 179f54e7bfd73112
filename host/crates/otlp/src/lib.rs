//! Traces and metrics to an OpenTelemetry collector: OTLP 1.x over HTTP, binary
//! protobuf, written here as it is two messages of a dozen kinds.
//!
//! What cannot be sent in time is dropped and counted: a collector that is slow or
//! gone holds up no call.

mod config;
mod exporter;
mod metrics;
mod protobuf;
mod spans;
mod tls;
mod tracer;

pub use config::{Config, Refused};
pub use exporter::Exporter;
pub use spans::CallSpan;
pub use tracer::Tracer;

//! The second listener, for those who watch the platform: `/metrics` for
//! Prometheus, `/health` and `/ready`.
//!
//! It is read-only, asks for no signature, and listens on the loopback unless the
//! operator says otherwise: metrics name functions. It goes on while the platform
//! drains. Knows no function's data and no secrets.

mod metrics;
mod places;
mod process;
mod ready;
mod server;

pub use server::{Config, Deps, Monitor};

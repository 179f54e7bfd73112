//! What the platform's tests share: a real server process, a client that signs,
//! the command line, and other people's tools from a cache outside the checkout.
//!
//! Nothing here looks inside the platform. A set-up that fails panics with a
//! text that says what to do: it is a failed test, never a skipped one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests call it, and a failed set-up is a failed test"
)]
#![allow(clippy::disallowed_methods, reason = "the bans are for the platform; tests read the real clock")]

pub mod awscli;
pub mod cache;
pub mod certificates;
pub mod componentize;
pub mod debian;
pub mod frames;
pub mod functions;
pub mod http;
pub mod javascript;
pub mod managed;
mod options;
pub mod others;
mod platform;
pub mod process;
pub mod python;
pub mod raw;
mod shared;
mod sigv4;
pub mod tiny;
pub mod unpacked;
pub mod wire;

pub use functions::{Logged, Url, creation};
pub use http::Reply;
pub use options::Options;
pub use platform::Platform;
pub use process::Finished;
pub use shared::Shared;
pub use sigv4::Client;

/// The checkout's root.
pub fn root() -> std::path::PathBuf {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are in a folder of the checkout").to_owned()
}

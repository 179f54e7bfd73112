//! Write Lamina functions in Rust.
//!
//! ```
//! use lamina::{Context, Error};
//!
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     id: u32,
//! }
//!
//! #[lamina::handler]
//! async fn handle(order: Order, ctx: Context) -> Result<String, Error> {
//!     if order.id == 0 {
//!         return Err(Error::new("Order.NotFound", "there is no order 0"));
//!     }
//!     log::info!("{} ms left", ctx.remaining_time().as_millis());
//!     Ok(format!("order {}", order.id))
//! }
//! # assert_eq!(lamina::testing::invoke(handle, serde_json::json!({"id": 7})).unwrap(), "order 7");
//! ```
//!
//! A handler takes an event and, if it wants, a [`Context`], and returns a
//! `Result`; it may be `async`. Events are anything that deserialises, answers
//! anything that serialises, the types of the crate `aws_lambda_events` among them;
//! [`Raw`] is for bytes that are not JSON. A third parameter, [`ResponseStream`], makes
//! it a streaming handler. With the feature `http` a handler behind a function URL may
//! take an `http::Request` and return an `http::Response`.
//!
//! A function beside the handler, with the attribute [`init`](macro@init), does what is
//! the same for every call; for a version with SnapStart it ran before the call came
//! (see [`snapshot`]).
//!
//! The crate of a function has `crate-type = ["cdylib"]` and is built for
//! `wasm32-wasip2`. Built for any other target, the attribute leaves the function
//! as it is, and [`testing`] runs it there.
//!
//! What is sent where: standard output, standard error, `log` and `tracing` (with
//! the feature of that name) become log lines of the call; a returned error or a
//! panic becomes the caller's error, and the platform writes it to the log.

// The attribute's output names this crate; its own doc tests and unit tests too.
extern crate self as lamina;

pub mod context;
pub mod error;
pub mod event;
#[cfg(feature = "http")]
pub mod http;
pub mod logging;
pub mod snapshot;
pub mod stream;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod time;

#[cfg(target_family = "wasm")]
mod bindings;
mod executor;
#[cfg(target_family = "wasm")]
mod guest;
mod handler;

pub use context::Context;
pub use error::Error;
pub use event::{Answer, Event, Raw};
pub use handler::{Handler, Init, StreamHandler};
pub use lamina_macros::{handler, init};
pub use stream::{Body, Head, ResponseStream};

/// What the attribute's output names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::guest::private::*;

    /// Makes the compiler check a handler that this target does not export.
    pub const fn check<K, H: crate::Handler<K> + Copy>(_: &H) {}

    /// Makes the compiler check an init that this target does not export.
    pub const fn check_init<K, I: crate::Init<K> + Copy>(_: &I) {}

    /// Makes the compiler check a streaming handler that this target does not export.
    pub const fn check_stream<K, H: crate::StreamHandler<K> + Copy>(_: &H) {}
}

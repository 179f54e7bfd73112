//! Runs handlers natively, without wasm: in a function's own unit tests.
//!
//! ```
//! use lamina::{Context, Error, testing};
//! use serde_json::json;
//!
//! async fn handle(name: String, _ctx: Context) -> Result<String, Error> {
//!     Ok(format!("Hello, {name}"))
//! }
//!
//! let answer = testing::invoke(handle, json!("Ada")).unwrap();
//! assert_eq!(answer, "Hello, Ada");
//! let error = testing::invoke(handle, json!(7)).unwrap_err();
//! assert_eq!(error.error_type(), "Runtime.UnmarshalError");
//! ```
//!
//! A handler is a function still: `handle("Ada".into(), testing::context())` works
//! as well. Log lines go to standard error.

// Tests of handlers run in real time.
#![expect(clippy::disallowed_methods, reason = "handlers under test see the real clock")]

pub(crate) mod sink;

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::handler::serve;
use crate::{Context, Error, Handler, Head, ResponseStream, StreamHandler};

/// The context of a made-up call that has 3 seconds left.
#[must_use]
pub fn context() -> Context {
    let function_name = "test-function".to_owned();
    Context {
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        invoked_function_arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{function_name}"),
        log_group_name: format!("/aws/lambda/{function_name}"),
        log_stream_name: "2026/01/01/[$LATEST]00000000000000000000000000000000".to_owned(),
        function_name,
        function_version: "$LATEST".to_owned(),
        memory_limit_mb: 128,
        deadline: SystemTime::now() + Duration::from_secs(3),
        trace_id: "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0".to_owned(),
        client_context: None,
        identity: None,
    }
}

/// Calls a handler with an event, by way of JSON as the platform does.
///
/// # Errors
/// What the handler returned, or that the event or the answer does not fit its type.
pub fn invoke<K>(handler: impl Handler<K>, event: Value) -> Result<Value, Error> {
    let answer = invoke_raw(handler, event.to_string().into_bytes())?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Calls a handler with bytes: for [`Raw`](crate::Raw) events and answers.
///
/// # Errors
/// What the handler returned, or that the event or the answer does not fit its type.
pub fn invoke_raw<K>(handler: impl Handler<K>, event: Vec<u8>) -> Result<Vec<u8>, Error> {
    serve(context(), |context| handler.call(event, context))
}

/// What a streaming handler sent, and how it ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Streamed {
    /// The head; `None` when the handler never started its answer.
    pub head: Option<Head>,
    /// What each write sent.
    pub chunks: Vec<Vec<u8>>,
    /// What the handler returned.
    pub result: Result<(), Error>,
}

impl Streamed {
    /// The whole body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.chunks.concat()).into_owned()
    }
}

/// Calls a streaming handler with an event and collects what it sends.
pub fn invoke_stream<K>(handler: impl StreamHandler<K>, event: Value) -> Streamed {
    let (response, sent) = sink::response();
    let event = event.to_string().into_bytes();
    let result = serve(context(), |context| handler.call(event, context, ResponseStream(response)));
    let (head, chunks) = sent.take();
    Streamed { head, chunks, result }
}

/// Runs a future to its end, for tests that call an async handler by themselves.
pub fn block_on<F: Future>(future: F) -> F::Output {
    crate::executor::block_on(future)
}

/// Measures time from here.
#[cfg(test)]
pub(crate) fn stopwatch() -> impl Fn() -> Duration {
    let begun = std::time::Instant::now();
    move || begun.elapsed()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::Raw;

    #[derive(Deserialize)]
    struct Order {
        quantity: String,
    }

    #[derive(Serialize)]
    struct Receipt {
        pieces: u32,
    }

    #[lamina::handler]
    fn plain(order: Order, ctx: Context) -> Result<Receipt, Error> {
        log::info!("{} asks", ctx.function_name);
        Ok(Receipt { pieces: order.quantity.parse()? })
    }

    #[lamina::handler]
    async fn waiting(order: Order, ctx: Context) -> Result<Receipt, std::num::ParseIntError> {
        crate::time::sleep(Duration::from_millis(1)).await;
        log::debug!("{} asks", ctx.function_name);
        Ok(Receipt { pieces: order.quantity.parse()? })
    }

    #[test]
    fn plain_and_async_handlers_answer_alike() {
        let event = || json!({"quantity": "3"});
        assert_eq!(invoke(plain, event()).unwrap(), json!({"pieces": 3}));
        assert_eq!(invoke(waiting, event()).unwrap(), json!({"pieces": 3}));
    }

    #[test]
    fn errors_are_lambdas_whatever_the_handler_returns() {
        let event = || json!({"quantity": "three"});
        let error = invoke(plain, event()).unwrap_err();
        assert_eq!((error.error_type(), error.message()), ("ParseIntError", "invalid digit found in string"));
        assert!(error.stack_trace()[0].contains("testing.rs:"));
        let error = invoke(waiting, event()).unwrap_err();
        assert_eq!((error.error_type(), error.stack_trace()), ("ParseIntError", vec![]));
    }

    #[test]
    fn an_event_of_another_shape_never_reaches_the_handler() {
        let error = invoke(plain, json!({})).unwrap_err();
        assert_eq!(error.error_type(), "Runtime.UnmarshalError");
        assert_eq!(error.message(), "missing field `quantity` at line 1 column 2");
    }

    #[test]
    fn bytes_pass_as_they_are() {
        let echo = |event: Raw, _: Context| Ok::<_, Error>(event);
        assert_eq!(invoke_raw(echo, vec![0xff, 0]).unwrap(), [0xff, 0]);
    }
}

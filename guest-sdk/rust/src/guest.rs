//! The handler's side of the contract: what the exports call.

mod lifecycle;
pub(crate) mod stream;

use std::panic::PanicHookInfo;
use std::time::{Duration, SystemTime};

use crate::bindings::imports::lamina::function::{diagnostics, types};
use crate::handler::serve;
use crate::{Context, Error, Handler, ResponseStream, StreamHandler};

/// What the attribute's output names.
pub(crate) mod private {
    pub use wit_bindgen::rt;

    pub use super::lifecycle::{after_restore, before_snapshot, init};
    pub use super::{call, call_stream};
    pub use crate::bindings::buffered::{self, __export_buffered as export_buffered};
    pub use crate::bindings::imports::lamina::function::response::ResponseWriter;
    pub use crate::bindings::imports::lamina::function::types::{Context, FunctionError};
    pub use crate::bindings::lifecycle::{self, __export_lifecycle as export_lifecycle};
    pub use crate::bindings::streaming::{self, __export_streaming as export_streaming};
}

/// Serves one call of a buffered handler.
///
/// # Errors
/// What the handler returned.
pub fn call<K>(
    handler: impl Handler<K>,
    event: Vec<u8>,
    context: types::Context,
) -> Result<Vec<u8>, types::FunctionError> {
    std::panic::set_hook(Box::new(report_panic));
    serve(context.into(), |context| handler.call(event, context)).map_err(Into::into)
}

/// Serves one call of a streaming handler.
///
/// # Errors
/// What the handler returned.
pub fn call_stream<K>(
    handler: impl StreamHandler<K>,
    event: Vec<u8>,
    context: types::Context,
    writer: private::ResponseWriter,
) -> Result<(), types::FunctionError> {
    std::panic::set_hook(Box::new(report_panic));
    let response = ResponseStream(stream::Response::new(writer));
    serve(context.into(), |context| handler.call(event, context, response)).map_err(Into::into)
}

/// Stands in for std's hook: the platform writes what it is told to the log.
fn report_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("the panic's payload is not text");
    let location = info.location().map(ToString::to_string);
    diagnostics::panicked(message, location.as_deref());
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Self {
        Self {
            request_id: context.request_id,
            function_name: context.function_name,
            function_version: context.function_version,
            invoked_function_arn: context.invoked_function_arn,
            memory_limit_mb: context.memory_limit_in_mb,
            deadline: SystemTime::UNIX_EPOCH + Duration::from_millis(context.deadline_ms),
            log_group_name: context.log_group_name,
            log_stream_name: context.log_stream_name,
            trace_id: context.trace_id,
            client_context: context.client_context,
            identity: context.identity,
        }
    }
}

impl From<Error> for types::FunctionError {
    fn from(error: Error) -> Self {
        let (error_type, message, stack_trace) = error.into_parts();
        Self { error_type, message, stack_trace }
    }
}

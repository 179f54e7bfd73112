//! A `function` component: bytes in, bytes out.

use lamina_types::limits::RESPONSE_PAYLOAD_BYTES_MAX;
use lamina_types::outcome::error_type;
use lamina_types::{FunctionError, Outcome, World};

use super::{Call, Facts, Running};
use crate::bindings::types;
use crate::error::RunError;
use crate::runtime::{Handler, Runtime};

impl Runtime {
    /// Runs a `function` component on a fresh instance. Dropped half-way, the
    /// guest stops where it is and leaves nothing behind.
    pub async fn buffered(&self, call: Call) -> Result<Outcome, RunError> {
        let mut running = Running::new(self, call)?;
        let image = running.call.code.image.clone();
        let Handler::Buffered(pre) = &image.handler else {
            return Err(RunError::World { world: running.call.function.world, wanted: World::Function.name() });
        };
        let (timeout, deadline_ms) = (running.timeout(), running.deadline_ms());
        let facts = Facts::of(&running.call);
        let ended = tokio::time::timeout(timeout, async {
            let Running { store, call, .. } = &mut running;
            let context = facts.context(call, deadline_ms);
            let instance = pre.instantiate_async(&mut *store).await?;
            let handler = instance.lamina_function_handler();
            handler.call_handle(store, &call.invocation.payload, context).await
        });
        let ended = ended.await.map(|ended| ended.map(|answer| answer.map_err(failure).and_then(within_limit)));
        running.outcome(ended)
    }
}

fn within_limit(answer: Vec<u8>) -> Result<Vec<u8>, FunctionError> {
    if answer.len() <= RESPONSE_PAYLOAD_BYTES_MAX {
        return Ok(answer);
    }
    Err(too_large())
}

/// Lambda's words for an answer over the limit (recorded).
pub(super) fn too_large() -> FunctionError {
    FunctionError {
        error_type: error_type::RESPONSE_TOO_LARGE.to_owned(),
        message: format!(
            "Response payload size exceeded maximum allowed payload size ({RESPONSE_PAYLOAD_BYTES_MAX} bytes)."
        ),
        stack: Vec::new(),
    }
}

pub(super) fn failure(error: types::FunctionError) -> FunctionError {
    FunctionError { error_type: error.error_type, message: error.message, stack: error.stack_trace }
}

//! A `function` component: bytes in, bytes out.

use std::pin::pin;

use lamina_types::limits::RESPONSE_PAYLOAD_BYTES_MAX;
use lamina_types::{FunctionError, Outcome, World};
use wasmtime::WasmBacktrace;

use super::{Call, Facts, Running, within};
use crate::bindings::types;
use crate::code::Handler;
use crate::error::RunError;
use crate::runtime::Runtime;

impl Runtime {
    /// Runs a `function` component on a fresh instance; the future is the call.
    /// Dropped half-way, the guest stops where it is and leaves nothing behind.
    pub fn buffered(
        &self,
        call: Call,
    ) -> Result<impl Future<Output = Result<Outcome, RunError>> + Send + 'static, RunError> {
        let mut running = Running::new(self, call)?;
        let loaded = running.call.code.loaded.clone();
        if !matches!(loaded.linked.handler, Handler::Buffered(_)) {
            return Err(RunError::World { world: running.call.function.world, wanted: World::Function.name() });
        }
        Ok(async move {
            let Handler::Buffered(indices) = &loaded.linked.handler else {
                return Err(RunError::Internal("the world changed".into()));
            };
            let restored = match running.restored().await {
                Ok(restored) => restored,
                Err(stopped) => return stopped,
            };
            let (timeout, deadline_ms) = (running.timeout(), running.deadline_ms());
            let facts = Facts::of(&running.call);
            let ended = within(
                timeout,
                pin!(async {
                    let instance = match running.begun(restored).await? {
                        Ok(instance) => instance,
                        Err(failure) => return Ok(Err(failure)),
                    };
                    let Running { store, call, .. } = &mut running;
                    let context = facts.context(call, deadline_ms);
                    let function = indices.load(&mut *store, &instance)?;
                    function.lamina_function_handler().call_handle(store, &call.invocation.payload, context).await
                }),
            )
            .await;
            let ended = ended.map(|ended| match ended {
                Err(error) if is_answer_past_bound(&error) => Ok(Err(FunctionError::response_too_large())),
                ended => ended.map(|answer| answer.map_err(failure).and_then(within_limit)),
            });
            running.outcome(ended)
        })
    }
}

pub(super) fn within_limit(answer: Vec<u8>) -> Result<Vec<u8>, FunctionError> {
    if answer.len() <= RESPONSE_PAYLOAD_BYTES_MAX {
        return Ok(answer);
    }
    Err(FunctionError::response_too_large())
}

/// Whether the answer is larger than the host takes from a guest at once, which
/// is more than the limit. The engine has no type for it; an argument of a host
/// call that is too large comes with a backtrace.
pub(super) fn is_answer_past_bound(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<WasmBacktrace>().is_none()
        && error.root_cause().to_string().starts_with("too much data is being copied between the host and the guest")
}

/// A failure as the guest reported it; it is an answer too, and bounded as one.
pub(super) fn failure(error: types::FunctionError) -> FunctionError {
    let stack_bytes = error.stack_trace.iter().map(String::len).sum::<usize>();
    if error.error_type.len() + error.message.len() + stack_bytes > RESPONSE_PAYLOAD_BYTES_MAX {
        return FunctionError::response_too_large();
    }
    FunctionError { stack: error.stack_trace, ..FunctionError::new(&error.error_type, error.message) }
}

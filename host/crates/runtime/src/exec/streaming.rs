//! A `function-stream` component: the head as soon as it is there, then a body.

use std::future::Future;
use std::pin::pin;

use http_body_util::BodyExt as _;
use lamina_types::{Outcome, World};
use tokio::sync::oneshot;

use super::buffered::failure;
use super::{Call, Facts, ResponseBody, Running, within};
use crate::code::Handler;
use crate::error::RunError;
use crate::response::{self, Channel, StreamHead};
use crate::runtime::Runtime;

/// The caller's side of a streamed call.
pub struct StreamStart {
    /// Resolves when the guest starts its answer; fails when the call ends
    /// before it did.
    pub head: oneshot::Receiver<StreamHead>,
    /// The body. It ends when the call does, and with an error when it failed.
    pub body: ResponseBody,
}

impl Runtime {
    /// Runs a `function-stream` component on a fresh instance. The future is the
    /// call: it must be polled for the guest to run, and resolves at its end.
    /// Dropping the body does not stop the guest: its next write fails. Dropping
    /// the future does, and breaks the body off.
    pub fn streaming(
        &self,
        call: Call,
    ) -> Result<(impl Future<Output = Result<Outcome, RunError>> + Send + 'static, StreamStart), RunError> {
        let mut running = Running::new(self, call)?;
        let loaded = running.call.code.loaded.clone();
        if !matches!(loaded.linked.handler, Handler::Streaming(_)) {
            return Err(RunError::World { world: running.call.function.world, wanted: World::FunctionStream.name() });
        }
        let Channel { writer, head, body, mut open } = response::channel(running.call.traffic.take());
        let drive = async move {
            let Handler::Streaming(indices) = &loaded.linked.handler else {
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
                    let writer = store.data_mut().table().push(writer)?;
                    let handler = function.lamina_function_stream_handler();
                    handler.call_handle(store, &call.invocation.payload, context, writer).await
                }),
            )
            .await;
            let ended = ended.map(|ended| ended.map(|end| end.map(|()| Vec::new()).map_err(failure)));
            let outcome = running.outcome(ended);
            open.verdict.whole = matches!(&outcome, Ok(outcome) if outcome.result.is_ok());
            // The body may end only now, and the head's sender goes with the store.
            drop(running);
            drop(open);
            outcome
        };
        Ok((drive, StreamStart { head, body: body.boxed_unsync() }))
    }
}

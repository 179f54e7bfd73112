//! A managed runtime: it loads the handler of a package, then runs it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use lamina_types::outcome::error_type;
use lamina_types::{ErrorForm, FunctionError, Language, Outcome, ResolvedFunction, RuntimeKind, World};
use wasmtime::StoreContextMut;
use wasmtime::component::{Instance, Linker};

use super::buffered::{failure, is_answer_past_bound, within_limit};
use super::streaming::StreamStart;
use super::{Call, Ended, Facts, Running, within};
use crate::bindings::{ManagedRuntimeIndices, types};
use crate::code::Handler;
use crate::ctx::Ctx;
use crate::error::RunError;
use crate::response::{self, Channel, ResponseWriter};
use crate::runtime::Runtime;

/// The answer of a handler, or its failure.
type Answered = Result<Vec<u8>, FunctionError>;

impl Runtime {
    /// Runs a managed runtime's function on a fresh instance. The future is the call,
    /// as in [`Runtime::streaming`]: when the handler answers with bytes, they are in
    /// its outcome and the head never comes; when it streams, the outcome is empty.
    pub fn managed(
        &self,
        call: Call,
    ) -> Result<(impl Future<Output = Result<Outcome, RunError>> + Send + 'static, StreamStart), RunError> {
        let mut running = Running::new(self, call)?;
        let loaded = running.call.code.loaded.clone();
        if !matches!(loaded.linked.handler, Handler::Managed(_)) {
            return Err(RunError::World { world: running.call.function.world, wanted: World::ManagedRuntime.name() });
        }
        let Channel { writer, head, body, mut open } = response::channel(running.call.traffic.take());
        let drive = async move {
            let Handler::Managed(indices) = &loaded.linked.handler else {
                return Err(RunError::Internal("the world changed".into()));
            };
            let restored = match running.restored().await {
                Ok(restored) => restored,
                Err(stopped) => return stopped,
            };
            let ended = running.serve(indices, restored, writer).await;
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

impl Running {
    /// Loads the handler, unless the instance has it, and runs it.
    async fn serve(
        &mut self,
        indices: &ManagedRuntimeIndices,
        restored: Option<Instance>,
        writer: ResponseWriter,
    ) -> Ended<Answered> {
        let (timeout, deadline_ms) = (self.timeout(), self.deadline_ms());
        let facts = Facts::of(&self.call);
        let ended = within(
            timeout,
            pin!(async {
                let instance = match self.begun(restored).await? {
                    Ok(instance) => instance,
                    // No request is known while a handler is loaded.
                    Err(error) => return Ok(Err(told(error, &self.call.function, ""))),
                };
                let Running { store, call, .. } = self;
                let context = facts.context(call, deadline_ms);
                let runtime = indices.load(&mut *store, &instance)?;
                let writer = store.data_mut().table().push(writer)?;
                let handled = runtime.call_handle(store, &call.invocation.payload, context, writer).await?;
                Ok(handled.map_err(|error| told(error, &call.function, call.invocation.request_id.as_str())))
            }),
        )
        .await;
        ended.map(|ended| match ended {
            Err(error) if is_answer_past_bound(&error) => Ok(Err(FunctionError::response_too_large())),
            ended => ended.map(|answer| within_limit(answer?.unwrap_or_default())),
        })
    }
}

/// A failure that a runtime told, with the members that its language's have. An exit
/// is told by Lambda itself, not by a runtime.
pub(super) fn told(error: types::FunctionError, function: &ResolvedFunction, request_id: &str) -> FunctionError {
    let failure = failure(error);
    let form = match RuntimeKind::of(&function.runtime) {
        _ if [error_type::EXIT, error_type::RESPONSE_TOO_LARGE].contains(&failure.error_type.as_str()) => {
            ErrorForm::Plain
        }
        RuntimeKind::Managed(Language::Python) => ErrorForm::Python { request_id: request_id.to_owned() },
        RuntimeKind::Managed(Language::JavaScript) => ErrorForm::JavaScript,
        RuntimeKind::Own | RuntimeKind::Foreign => ErrorForm::Plain,
    };
    FunctionError { form, ..failure }
}

/// Links `managed-host`.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, Ctx>;
    let mut host = linker.instance("lamina:function/managed-host@0.1.0")?;
    // From the shared bytes into the guest's memory: nothing is copied in between.
    host.func_wrap("bundle", |store: Store<'_>, ()| Ok((store.data().bundle() as Option<Arc<[u8]>>,)))?;
    host.func_wrap("log", |store: Store<'_>, (message,): (String,)| {
        if let Some(log) = store.data().log() {
            log.event(&message);
        }
        Ok(())
    })
}

//! How an instance comes to where its handler can be called: made and initialized, or
//! restored from a snapshot.

use std::pin::pin;
use std::time::Duration;

use lamina_types::outcome::error_type;
use lamina_types::{FunctionError, Outcome, Restore, Status};
use wasmtime::component::Instance;

use super::managed::told;
use super::{Running, within};
use crate::bindings::types;
use crate::error::RunError;

/// What restoring an instance may take, hooks included: Lambda's own bound.
pub(crate) const RESTORE_TIME: Duration = Duration::from_secs(10);

impl Running {
    /// Makes a fresh instance and has it initialize, unless there is one that was
    /// restored. Its own failure to is the inner error.
    pub(super) async fn begun(
        &mut self,
        restored: Option<Instance>,
    ) -> wasmtime::Result<Result<Instance, types::FunctionError>> {
        if let Some(instance) = restored {
            return Ok(Ok(instance));
        }
        let linked = self.call.code.loaded.linked.clone();
        let instance = linked.pre.instantiate_async(&mut self.store).await?;
        self.call.log.begin();
        self.instantiated();
        if let Some(lifecycle) = &linked.lifecycle {
            self.is_initializing = true;
            let handler = self.call.function.handler.clone();
            if let Err(failure) = lifecycle.init(&mut self.store, &instance, &handler).await? {
                return Ok(Err(failure));
            }
            self.is_initializing = false;
            if let Some(timings) = &self.call.timings {
                timings.loaded(self.elapsed());
            }
        }
        Ok(Ok(instance))
    }

    /// Restores an instance, where the code is a snapshot; the call begins after it. The
    /// error is the end of a call that could not begin.
    pub(super) async fn restored(&mut self) -> Result<Option<Instance>, Result<Outcome, RunError>> {
        if self.call.code.loaded.restored.is_none() {
            return Ok(None);
        }
        let (linked, log) = (self.call.code.loaded.linked.clone(), self.call.log.clone());
        let mut instantiated = None;
        let ended = within(
            RESTORE_TIME,
            pin!(async {
                let instance = linked.pre.instantiate_async(&mut self.store).await?;
                let runtime = self.runtime.runtime_version(&self.call.code.loaded, &self.call.function);
                log.restoring(&self.call.function.name, runtime);
                instantiated = Some(self.elapsed());
                let after = match &linked.lifecycle {
                    Some(lifecycle) => lifecycle.after_restore(&mut self.store, &instance).await?,
                    None => Ok(()),
                };
                Ok(after.map(|()| instance))
            }),
        )
        .await;
        let duration = self.elapsed();
        let hooks = duration.saturating_sub(instantiated.unwrap_or(duration));
        let stopped = match ended {
            Ok(Ok(Ok(instance))) => {
                log.restored(duration, None);
                self.restore = Some(Restore { duration, hooks });
                self.start += duration;
                // The call has nothing to wait for.
                self.instantiated();
                return Ok(Some(instance));
            }
            Ok(Ok(Err(own))) => {
                let failure = told(own, &self.call.function, "");
                self.outcome(Ok(Ok(Err(failure))))
            }
            Ok(Err(error)) => self.outcome(Ok(Err(error))),
            Err(_) => {
                let seconds = RESTORE_TIME.as_secs();
                let message = format!("what runs after a restore did not end in {seconds} seconds");
                let failure = FunctionError::new(error_type::RESTORE_TIMED_OUT, message);
                if self.call.function.managed.is_some() {
                    // It tells of its own failures only.
                    self.log_failure(&failure, Status::Failure);
                }
                self.outcome(Ok(Ok(Err(failure))))
            }
        };
        if let Ok(Outcome { result: Err(failure), .. }) = &stopped {
            log.restored(duration, Some(&failure.error_type));
        }
        Err(stopped)
    }
}

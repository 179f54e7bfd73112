//! The way of every call: resolve, admit, load, run, report.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lamina_kit::{Clock, Tasks};
use lamina_registry::Registry;
use lamina_runtime::{Call, RunError, Runtime};
use lamina_telemetry::{InvocationLog, Logs, Opening, Report};
use lamina_types::{FunctionRef, Invocation, Outcome, ResolvedFunction, limits};

use crate::admission::{Admission, Permit};
use crate::answer::Ended;
use crate::error::InvokeError;

/// How often a drain looks whether calls still run.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// The dispatcher's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Calls of all functions that may be under way at once; past it a call is
    /// throttled. Default 1,000: Lambda's quota.
    pub concurrency_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { concurrency_max: limits::ACCOUNT_CONCURRENCY }
    }
}

/// The layers below.
pub struct Deps {
    /// Names and versions.
    pub registry: Arc<Registry>,
    /// Code and instances.
    pub runtime: Runtime,
    /// Functions' logs.
    pub logs: Logs,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// See the crate. Shared behind an `Arc`.
pub struct Dispatcher {
    pub(crate) deps: Deps,
    /// Calls whose callers have left, or read on as the guest writes.
    pub(crate) tasks: Tasks,
    admission: Admission,
}

/// A call that may run: everything it needs but the instance.
pub(crate) struct Admitted {
    pub(crate) call: Call,
    pub(crate) ending: Ending,
}

/// What the end of a call needs: END and REPORT are written, and the permit is
/// given back.
pub(crate) struct Ending {
    function: Arc<ResolvedFunction>,
    request_id: lamina_types::RequestId,
    log: InvocationLog,
    permit: Permit,
}

impl Dispatcher {
    /// A dispatcher over the layers below.
    pub fn new(config: Config, deps: Deps) -> Self {
        Self { deps, tasks: Tasks::new(), admission: Admission::new(config.concurrency_max) }
    }

    /// What a call of this name would run now.
    pub fn resolve(&self, function: &FunctionRef) -> Result<Arc<ResolvedFunction>, InvokeError> {
        Ok(self.deps.registry.catalog().resolve(function)?)
    }

    /// Calls under way.
    pub fn running(&self) -> u32 {
        self.admission.running()
    }

    /// Waits until no call runs, at most this long; answers whether that came
    /// true. New calls are not refused: the caller has closed its doors before.
    pub async fn drain(&self, grace: Duration) -> bool {
        let ended = async {
            while self.running() > 0 {
                tokio::time::sleep(DRAIN_STEP).await;
            }
        };
        tokio::time::timeout(grace, ended).await.is_ok()
    }

    /// Takes the call to the point where it can run, and opens its log.
    pub(crate) async fn admit(&self, invocation: Invocation) -> Result<Admitted, InvokeError> {
        let function = self.resolve(&invocation.function)?;
        let permit = self.admission.permit()?;
        let code = self.deps.runtime.code(&function).await?;
        let log_stream = code.log_stream(function.version);
        let opening = Opening {
            group: &function.log_group,
            stream: log_stream.clone(),
            request_id: &invocation.request_id,
            version: function.version,
            tail: invocation.tail,
            format: function.log_format,
        };
        let log = self.deps.logs.start(opening, self.deps.clock.clone());
        let ending =
            Ending { function: function.clone(), request_id: invocation.request_id.clone(), log: log.clone(), permit };
        Ok(Admitted { call: Call { code, function, invocation, log, log_stream }, ending })
    }
}

impl Ending {
    /// Runs the call and ends it.
    pub(crate) async fn after(self, run: impl Future<Output = Result<Outcome, RunError>>) -> Ended {
        let outcome = run.await;
        self.end(outcome)
    }

    /// The call could not run: START is written already, so the log says why
    /// nothing follows it.
    pub(crate) fn refused(self, error: RunError) -> RunError {
        self.log.platform_line(format!("LAMINA the call {} did not run: {error}", self.request_id));
        error
    }

    /// Writes the last lines and gives the permit back.
    pub(crate) fn end(self, outcome: Result<Outcome, RunError>) -> Ended {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.refused(error)),
        };
        let Self { function, request_id, log, permit } = self;
        let report = Report {
            request_id: &request_id,
            memory: function.memory,
            timeout: function.timeout,
            usage: outcome.usage,
            error_type: outcome.result.as_ref().err().map(|failure| failure.error_type.as_str()),
        };
        let tail = log.end(&report);
        drop(permit);
        Ok((outcome, tail))
    }
}

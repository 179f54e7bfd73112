//! One call on one fresh instance: store, limits, handler, outcome.

pub(crate) mod http;
pub(crate) mod managed;
pub(crate) mod streaming;

mod begin;
mod buffered;

pub(crate) use begin::RESTORE_TIME;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http_body_util::combinators::UnsyncBoxBody;
use bytes::Bytes;
use lamina_meter::Traffic;
use lamina_telemetry::{InvocationLog, Timings};
use lamina_types::outcome::error_type;
use lamina_types::{FunctionError, Invocation, Outcome, ResolvedFunction, Restore, Status, Timestamp, Usage};
use tokio::time::Instant;
use tokio::time::error::Elapsed;
use wasmtime::{Engine, PoolConcurrencyLimitError, Store};

use crate::bindings::types;
use crate::code::Code;
use crate::ctx::{Ctx, Guest, Role, Serve};
use crate::error::RunError;
use crate::failure;
use crate::runtime::{Runtime, Shared};
use crate::sources::Sources;
use crate::turns;

/// The body of a request that a component gets itself.
pub type RequestBody = UnsyncBoxBody<Bytes, HttpError>;
/// The body of a streamed answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, HttpError>;

/// Why a body broke off.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

impl HttpError {
    pub(crate) fn broken() -> Self {
        Self("the function failed after the first byte of its answer".to_owned())
    }
}

/// What the log gets of a failure's texts, which are a guest's and bounded only as
/// answers are: as many lines of the stack, and as much of each text.
const LOGGED_STACK_LINES_MAX: usize = 100;
const LOGGED_TEXT_BYTES_MAX: usize = 16 << 10;

/// One call.
pub struct Call {
    /// The code to run.
    pub code: Code,
    /// The version it belongs to.
    pub function: Arc<ResolvedFunction>,
    /// What the caller sent.
    pub invocation: Invocation,
    /// Where the guest's lines go.
    pub log: InvocationLog,
    /// Where bytes of bodies are counted that are passed on as they come.
    pub traffic: Option<Arc<Traffic>>,
    /// What its trace needs, when it has one.
    pub timings: Option<Arc<Timings>>,
}

/// A store with its limits, and what is needed to end the call.
struct Running {
    runtime: Arc<Shared>,
    call: Call,
    store: Store<Ctx>,
    fuel: u64,
    /// When the call began: after its instance was restored, if it was.
    start: Duration,
    restore: Option<Restore>,
    /// Its code makes ready to serve.
    is_initializing: bool,
}

/// How the wasm side of a call ended: within its timeout or not.
type Ended<T> = Result<wasmtime::Result<T>, Elapsed>;

impl Running {
    fn new(runtime: &Runtime, call: Call) -> Result<Self, RunError> {
        let shared = runtime.shared.clone();
        let function = &call.function;
        let fuel = function.settings.fuel.unwrap_or_else(|| fuel_budget(&shared.config, function));
        let serve =
            Serve { function: function.clone(), log: call.log.clone(), trace_id: call.invocation.trace_id.clone() };
        let loaded = call.code.loaded.clone();
        let random_bytes_max = shared.config.random_bytes_max;
        let guest =
            Guest { role: Role::Serve(serve), loaded, sources: Sources::of(function, &shared.clock), random_bytes_max };
        let start = shared.clock.monotonic();
        let ctx = Ctx::new(guest, function.memory.bytes(), &shared.config);
        let store = store(&call.code.loaded.linked.engine, ctx, fuel, shared.config.hostcall_bytes_max)?;
        Ok(Self { runtime: shared, call, store, fuel, start, restore: None, is_initializing: false })
    }

    fn elapsed(&self) -> Duration {
        self.runtime.clock.monotonic().saturating_sub(self.start)
    }

    /// Tells whoever traces the call that its instance is there.
    fn instantiated(&self) {
        if let Some(timings) = &self.call.timings {
            timings.instantiated(self.elapsed());
        }
    }

    fn timeout(&self) -> Duration {
        self.call.function.timeout
    }

    /// When the guest is told that its time ends.
    fn deadline_ms(&self) -> u64 {
        let timeout = u64::try_from(self.timeout().as_millis()).unwrap_or(u64::MAX);
        self.store.data().epoch_millis().saturating_add(timeout)
    }

    /// The outcome of a call that ended one way or another, and its log lines.
    fn outcome(&mut self, ended: Ended<Result<Vec<u8>, FunctionError>>) -> Result<Outcome, RunError> {
        let id = &self.call.invocation.request_id;
        let (result, status) = match ended {
            Ok(Ok(Ok(answer))) => (Ok(answer), Status::Success),
            Ok(Ok(Err(failure))) => (Err(failure), Status::Failure),
            Ok(Err(error)) if error.is::<PoolConcurrencyLimitError>() => return Err(RunError::PoolExhausted),
            Ok(Err(error)) => {
                if self.call.code.loaded.restored.is_some() && failure::is_lost_handle(&error) {
                    self.runtime.spoil_snapshot(&self.call.function);
                }
                let (failure, status) = failure::crashed(id, self.store.data(), self.fuel, &error);
                (Err(failure), status)
            }
            Err(_) => {
                let (failure, status) = failure::timed_out(id, self.timeout());
                (Err(failure), status)
            }
        };
        // A managed runtime has written what its handlers fail with, in its own form.
        let is_told = |failure: &FunctionError| {
            let is_handlers = status == Status::Failure && failure.error_type != error_type::RESPONSE_TOO_LARGE;
            is_handlers && self.call.function.managed.is_some()
        };
        if let Err(failure) = result.as_ref()
            && !is_told(failure)
        {
            self.log_failure(failure, status);
        }
        let usage = self.usage(status);
        if let Err(failure) = &result
            && self.is_initializing
        {
            self.call.log.init_failed(status, usage.duration, &failure.error_type);
        }
        Ok(Outcome { result, usage })
    }

    fn usage(&self, status: Status) -> Usage {
        Usage {
            status,
            duration: self.elapsed(),
            init: self.call.code.init,
            restore: self.restore,
            memory_bytes_peak: self.store.data().limiter.peak,
            fuel: self.fuel - self.store.get_fuel().unwrap_or_default().min(self.fuel),
        }
    }

    fn log_failure(&self, failure: &FunctionError, status: Status) {
        let (id, log) = (&self.call.invocation.request_id, &self.call.log);
        let stack: Vec<&str> = failure.stack.iter().take(LOGGED_STACK_LINES_MAX).map(|line| cut(line)).collect();
        if log.failed(cut(&failure.error_type), cut(&failure.message), &stack) {
            return;
        }
        match status {
            Status::Timeout => {
                let now = Timestamp(self.runtime.clock.epoch_micros()).to_iso_millis();
                let seconds = self.timeout().as_secs_f64();
                log.platform_line(format!("{now} {id} Task timed out after {seconds:.2} seconds"));
                // Lambda's own has an empty line after it.
                log.platform_line(String::new());
            }
            Status::Crash => log.platform_line(format!("{}\t{}", cut(&failure.message), failure.error_type)),
            Status::Success | Status::Failure => {
                log.platform_line(format!("[ERROR] {}: {}", cut(&failure.error_type), cut(&failure.message)));
            }
        }
        for line in stack {
            log.platform_line(format!("  {line}"));
        }
    }
}

/// A store with its limits, whose guest is run by [`turns::taken`].
pub(crate) fn store(engine: &Engine, ctx: Ctx, fuel: u64, hostcall_bytes_max: usize) -> Result<Store<Ctx>, RunError> {
    let mut store = Store::new(engine, ctx);
    store.limiter(|ctx| &mut ctx.limiter);
    store.set_fuel(fuel).map_err(|error| RunError::Internal(error.to_string()))?;
    store.set_hostcall_fuel(hostcall_bytes_max);
    turns::take(&mut store).map_err(|error| RunError::Internal(error.to_string()))?;
    Ok(store)
}

/// Waits for a run, at most this long. Most end when they are polled first, and never
/// need the timer, whose making has a price.
async fn within<T>(time: Duration, run: Pin<&mut impl Future<Output = T>>) -> Result<T, Elapsed> {
    let mut run = pin!(turns::taken(run));
    let until = Instant::now() + time;
    match poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await {
        Poll::Ready(ended) => Ok(ended),
        Poll::Pending => tokio::time::timeout_at(until, run).await,
    }
}

/// The beginning of a text that a guest chose.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOGGED_TEXT_BYTES_MAX)]
}

/// The operator's rate, times GB, times seconds.
fn fuel_budget(config: &crate::Config, function: &ResolvedFunction) -> u64 {
    let per_gb = u128::from(config.fuel_per_gb_second) * u128::from(function.memory.0) / 1_024;
    let budget = per_gb * function.timeout.as_millis() / 1_000;
    u64::try_from(budget).unwrap_or(u64::MAX)
}

/// The strings of a WIT context that borrow from a call.
struct Facts {
    version: String,
    arn: String,
}

impl Facts {
    fn of(call: &Call) -> Self {
        let function = &call.function;
        let arn = call.invocation.function.arn(&function.region, &function.account);
        Self { version: function.version.to_string(), arn }
    }

    fn context<'a>(&'a self, call: &'a Call, deadline_ms: u64) -> types::Context<'a> {
        types::Context {
            request_id: call.invocation.request_id.as_str(),
            function_name: call.function.name.as_str(),
            function_version: &self.version,
            invoked_function_arn: &self.arn,
            memory_limit_in_mb: call.function.memory.0,
            deadline_ms,
            log_group_name: &call.function.log_group,
            log_stream_name: call.log.stream(),
            trace_id: &call.invocation.trace_id,
            client_context: call.invocation.client_context.as_deref(),
            identity: None,
        }
    }
}

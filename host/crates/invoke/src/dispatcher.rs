//! The way of every call: resolve, admit, load, run, report.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use lamina_kit::{Clock, DetachOnDrop, Tasks};
use lamina_meter::{Meters, Traffic, Used};
use lamina_otlp::{CallSpan, Tracer};
use lamina_registry::Registry;
use lamina_runtime::{Call, CodeError, RunError, Runtime};
use lamina_telemetry::{InvocationLog, Logs, Observer, Opening, Report, Timings};
use lamina_types::{
    FunctionError, FunctionName, FunctionRef, Invocation, LogFormat, LogLevel, Outcome, ResolvedFunction, Span,
    Timestamp, World, limits,
};

use crate::admission::{Admission, Permit};
use crate::answer::{Ended, body_bytes};
use crate::error::InvokeError;
use crate::init::{InitLog, stream_of};

/// How often a drain looks whether calls still run.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// The dispatcher's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Calls of all functions that may be under way at once; past it a call is
    /// throttled. Default 1,000: Lambda's quota.
    pub concurrency_max: u32,
    /// Calls of one function that may be under way at once, if they are bounded
    /// apart. Default: they are not.
    pub function_concurrency_max: Option<u32>,
}

impl Config {
    /// The defaults.
    pub const DEFAULT: Self = Self { concurrency_max: limits::ACCOUNT_CONCURRENCY, function_concurrency_max: None };
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
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
    /// What calls use.
    pub meters: Meters,
    /// Who else is told of guests' lines.
    pub observer: Option<Observer>,
    /// Where spans go, when calls are traced.
    pub tracer: Option<Tracer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// See the crate. Shared behind an `Arc`.
pub struct Dispatcher {
    pub(crate) deps: Deps,
    /// Calls whose callers have left, or read on as the guest writes.
    pub(crate) tasks: Tasks,
    admission: Admission,
    init_log: InitLog,
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
    metered: lamina_meter::Call,
    /// Of the event, when it is not passed on as it comes.
    bytes_in: u64,
    answers: Answers,
    /// Apart: most calls have none, and this is moved about.
    traced: Option<Box<Traced>>,
    timings: Option<Arc<Timings>>,
    permit: Permit,
}

/// How an answer comes to its caller, and so how its bytes are counted.
enum Answers {
    /// Whole.
    Whole,
    /// As a stream, which counts itself; a call that fails before its first byte is
    /// answered with its failure.
    Stream(Arc<Traffic>),
    /// As a stream, or whole where it is none.
    Either(Arc<Traffic>),
    /// As the response to a request; a call that fails has none of its own.
    Http,
}

/// What a call's spans need that is known before it ends.
struct Traced {
    tracer: Tracer,
    span: Span,
    accepted: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Dispatcher {
    /// A dispatcher over the layers below.
    pub fn new(config: Config, deps: Deps) -> Self {
        Self {
            init_log: InitLog::new(&*deps.clock),
            deps,
            tasks: Tasks::new(),
            admission: Admission::new(config.concurrency_max, config.function_concurrency_max),
        }
    }

    /// What a call of this name would run now.
    pub fn resolve(&self, function: &FunctionRef) -> Result<Arc<ResolvedFunction>, InvokeError> {
        Ok(self.deps.registry.resolve(function)?)
    }

    /// What is asked of what a call of this name would run now.
    pub fn look<T>(&self, function: &FunctionRef, look: impl FnOnce(&ResolvedFunction) -> T) -> Result<T, InvokeError> {
        self.deps.registry.look(|catalog| Ok(look(catalog.resolve(function)?)))
    }

    /// Whether code can be loaded: that of the first function that is ready, if there
    /// is one. Code that may not run, or cannot, is its function's matter and no
    /// reason.
    pub async fn loadable(&self) -> Result<(), String> {
        let function = {
            let catalog = self.deps.registry.catalog();
            let named = |name: &FunctionName| FunctionRef { name: name.clone(), qualifier: None };
            catalog.functions().find_map(|entry| catalog.resolve(&named(entry.name())).ok().cloned())
        };
        let Some(function) = function else { return Ok(()) };
        match self.deps.runtime.code(&function).await {
            Err(error @ CodeError::Internal { .. }) => Err(error.to_string()),
            Ok(_) | Err(CodeError::Refused { .. } | CodeError::Unusable { .. } | CodeError::QueueFull { .. }) => Ok(()),
        }
    }

    /// Calls under way.
    pub fn running(&self) -> u32 {
        self.admission.running()
    }

    /// Calls that may be under way at once.
    pub fn concurrency_max(&self) -> u32 {
        self.admission.max()
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
        let (meters, accepted) = (&self.deps.meters, invocation.accepted);
        let permit = self.admission.permit(&invocation.function.name).inspect_err(|_| {
            meters.throttled(&function.name, function.version, accepted);
        })?;
        let metered = meters.begin(&function.name, function.version, accepted);
        let code = match self.deps.runtime.code(&function).await {
            Ok(code) => code,
            Err(error) => {
                match error {
                    CodeError::QueueFull { .. } => metered.throttled(),
                    _ => self.init_log.failed(&self.deps, &function, accepted, &error),
                }
                return Err(error.into());
            }
        };
        let traffic = (function.world != World::Function).then(|| metered.traffic());
        let answers = match (&traffic, function.world) {
            (Some(traffic), World::FunctionStream) => Answers::Stream(traffic.clone()),
            (Some(traffic), World::ManagedRuntime) => Answers::Either(traffic.clone()),
            (Some(_), _) => Answers::Http,
            (None, _) => Answers::Whole,
        };
        let log_stream = stream_of(&function, code.log_stream(function.version));
        if let Some(took) = code.init {
            InitLog::done(&self.deps, &function, &log_stream, took);
        }
        let opening = Opening {
            group: &function.log_group,
            stream: log_stream,
            request_id: &invocation.request_id,
            version: function.version,
            tail: invocation.tail,
            observer: self.deps.observer.clone(),
            format: function.log_format,
        };
        let log = self.deps.logs.start(opening, self.deps.clock.clone());
        let traced = invocation.span.zip(self.deps.tracer.as_ref()).map(|(span, tracer)| {
            let clock = self.deps.clock.clone();
            Box::new(Traced { tracer: tracer.clone(), span, accepted, clock })
        });
        let says_parts = matches!(function.log_format, LogFormat::Json { system, .. } if system <= LogLevel::Debug);
        let timings = (traced.is_some() || says_parts).then(Arc::<Timings>::default);
        let ending = Ending {
            function: function.clone(),
            request_id: invocation.request_id.clone(),
            log: log.clone(),
            metered,
            bytes_in: invocation.payload.len() as u64,
            answers,
            traced,
            timings: timings.clone(),
            permit,
        };
        Ok(Admitted { call: Call { code, function, invocation, log, traffic, timings }, ending })
    }

    /// A call that can run, in its box: who waits for it does not carry it about. What
    /// its caller gets before its end goes along.
    pub(crate) fn start<T>(
        &self,
        started: Result<(impl Future<Output = Result<Outcome, RunError>> + Send + 'static, T), RunError>,
        ending: Ending,
    ) -> Result<(DetachOnDrop<Ended>, T), InvokeError> {
        match started {
            Ok((run, start)) => Ok((self.tasks.detach_on_drop(ending.after(run)), start)),
            Err(error) => Err(ending.refused(error).into()),
        }
    }
}

impl Ending {
    /// Runs the call and ends it. The future is as large as the call's and this
    /// together; that of an `async fn` would have room for the call twice.
    pub(crate) fn after(
        self,
        run: impl Future<Output = Result<Outcome, RunError>> + Send + 'static,
    ) -> impl Future<Output = Ended> + Send + 'static {
        run.map(|outcome| self.end(outcome))
    }

    /// The call could not run. What is its caller's matter is in its log only when
    /// START is: then it says why nothing follows.
    pub(crate) fn refused(self, error: RunError) -> RunError {
        let is_callers = match error {
            RunError::PoolExhausted | RunError::World { .. } => true,
            RunError::Internal(_) => false,
        };
        if !is_callers || self.log.has_begun() {
            self.log.platform_line(format!("LAMINA the call {} did not run: {error}", self.request_id));
        }
        if matches!(error, RunError::PoolExhausted) {
            self.metered.throttled();
        }
        error
    }

    /// Writes the last lines and gives the permit back.
    pub(crate) fn end(self, outcome: Result<Outcome, RunError>) -> Ended {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.refused(error)),
        };
        let Self { function, request_id, log, metered, bytes_in, answers, traced, timings, permit } = self;
        let report = Report {
            request_id: &request_id,
            memory: function.memory,
            timeout: function.timeout,
            usage: outcome.usage,
            error_type: outcome.result.as_ref().err().map(|failure| failure.error_type.as_str()),
            span: traced.as_ref().map(|traced| traced.span),
            timings: timings.as_deref(),
        };
        let bytes_out = answers.bytes_out(&outcome.result);
        metered.ended(&Used {
            usage: outcome.usage,
            memory: function.memory,
            billed_ms: report.billed_ms(),
            bytes_in,
            bytes_out,
        });
        if let Some(traced) = traced {
            let Traced { tracer, span, accepted, clock } = *traced;
            tracer.record(CallSpan {
                span,
                function,
                request_id: request_id.clone(),
                accepted,
                ended: Timestamp(clock.epoch_micros()),
                instantiated: timings.as_ref().map_or(Duration::ZERO, |timings| timings.until_instantiated()),
                loaded: timings.as_ref().map_or(Duration::ZERO, |timings| timings.until_loaded()),
                usage: outcome.usage,
                billed_ms: report.billed_ms(),
                error_type: report.error_type.map(str::to_owned),
            });
        }
        let tail = log.end(&report);
        drop(permit);
        Ok((outcome, tail))
    }
}

impl Answers {
    /// The bytes of an answer that nothing else counts.
    fn bytes_out(&self, result: &Result<Vec<u8>, FunctionError>) -> u64 {
        match (self, result) {
            (Self::Either(traffic), _) if traffic.has_written() => 0,
            (Self::Whole | Self::Either(_), Ok(answer)) => answer.len() as u64,
            (Self::Whole | Self::Either(_), Err(failure)) => body_bytes(failure),
            (Self::Stream(traffic), Err(failure)) if !traffic.has_written() => body_bytes(failure),
            (Self::Stream(_) | Self::Http, _) => 0,
        }
    }
}

//! The data of one instance's store.

use std::sync::Arc;

use http::HeaderName;
use lamina_telemetry::{InvocationLog, Source};
use lamina_types::{LogFormat, ResolvedFunction};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::bindings::{diagnostics, types};
use crate::code::Loaded;
use crate::config::Config;
use crate::limits::Limiter;
use crate::mounts::TASK_ROOT;
use crate::output::{Output, WRITE_BYTES_MAX};
use crate::sources::Sources;
use crate::tmp::Tmp;
use crate::turns::HostCalls;

/// What a guest's logger is told.
const LOG_FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";
const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// What a guest's panic report may hold of each text, in bytes.
const PANIC_TEXT_BYTES_MAX: usize = 4 << 10;

/// Everything an instance can reach. Built for one call, dropped with it.
pub(crate) struct Ctx {
    table: ResourceTable,
    /// Built on first use: most calls never touch it.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    hooks: NoNetwork,
    guest: Guest,
    tmp: Tmp,
    /// Handles of preopened directories that the guest was given.
    pub(crate) preopens: usize,
    pub(crate) limiter: Limiter,
    pub(crate) calls: HostCalls,
    pub(crate) panic: Option<Panic>,
}

/// The facts a guest's WASI context is built from.
pub(crate) struct Guest {
    pub(crate) role: Role,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) sources: Sources,
    pub(crate) random_bytes_max: u64,
}

/// What an instance is made for.
pub(crate) enum Role {
    /// A call.
    Serve(Serve),
    /// Making a bundle: it is told nothing of a function, and nobody hears it.
    Derive,
    /// Making a snapshot of a version, or trying one: nobody hears it.
    Snapshot(Arc<ResolvedFunction>),
}

/// The call that an instance serves.
pub(crate) struct Serve {
    pub(crate) function: Arc<ResolvedFunction>,
    pub(crate) log: InvocationLog,
    pub(crate) trace_id: String,
}

/// A panic as the guest reported it.
#[derive(Debug, Clone)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) location: Option<String>,
}

impl Ctx {
    pub(crate) fn new(guest: Guest, memory_bytes: u64, config: &Config) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(config.handles_max);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(config.http_fields_bytes_max);
        let limiter = Limiter::new(memory_bytes, config);
        Self {
            table,
            wasi: None,
            http,
            hooks: NoNetwork,
            guest,
            tmp: Tmp::default(),
            preopens: 0,
            limiter,
            calls: HostCalls::new(),
            panic: None,
        }
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// What is loaded, with its directories; what the instance has of `/tmp`; handles.
    pub(crate) fn files(&mut self) -> (&Loaded, &mut Tmp, &mut ResourceTable) {
        (&self.guest.loaded, &mut self.tmp, &mut self.table)
    }

    /// The bundle of what is loaded, if there is one.
    pub(crate) fn bundle(&self) -> Option<Arc<[u8]>> {
        match self.guest.role {
            Role::Serve(_) | Role::Snapshot(_) => self.guest.loaded.bundle.get(),
            Role::Derive => None,
        }
    }

    /// Milliseconds since the Unix epoch, as the guest sees them.
    pub(crate) fn epoch_millis(&self) -> u64 {
        self.guest.sources.epoch_millis()
    }

    /// The instance's environment.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        match &self.guest.role {
            Role::Serve(serve) => environment(&serve.function, Some(serve)).into_iter().map(owned).collect(),
            Role::Snapshot(function) => environment(function, None).into_iter().map(owned).collect(),
            Role::Derive => [("LAMBDA_TASK_ROOT", TASK_ROOT), ("TZ", ":UTC")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// Where the instance has its clock and randomness from.
    pub(crate) fn sources(&self) -> &Sources {
        &self.guest.sources
    }

    /// Where the instance's own lines go.
    pub(crate) fn log(&self) -> Option<&InvocationLog> {
        self.guest.log()
    }
}

impl Guest {
    fn log(&self) -> Option<&InvocationLog> {
        match &self.role {
            Role::Serve(serve) => Some(&serve.log),
            Role::Derive | Role::Snapshot(_) => None,
        }
    }

    fn wasi(&self) -> WasiCtx {
        let mut wasi = WasiCtxBuilder::new();
        self.sources.install(&mut wasi);
        wasi.allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .allow_blocking_current_thread(true)
            .max_random_size(self.random_bytes_max)
            .stdout(Output { log: self.log().cloned(), source: Source::Stdout })
            .stderr(Output { log: self.log().cloned(), source: Source::Stderr });
        // The environment is not read from here: see `facts`.
        wasi.build()
    }
}

/// Lambda's own variables, those of the call too if there is one, then the author's;
/// the author cannot have set a reserved one (reference 4.5), and may replace the others.
fn environment<'a>(function: &'a ResolvedFunction, call: Option<&'a Serve>) -> Vec<(&'a str, String)> {
    let initialization = if function.snapshot.is_some() { "snap-start" } else { "on-demand" };
    let mut all: Vec<(&str, String)> = vec![
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.to_string()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.0.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization.to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.to_string()),
        ("AWS_REGION", function.region.to_string()),
        ("AWS_DEFAULT_REGION", function.region.to_string()),
        ("LAMBDA_TASK_ROOT", TASK_ROOT.to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("_HANDLER", function.handler.to_string()),
    ];
    if let Some(call) = call {
        all.push(("AWS_LAMBDA_LOG_STREAM_NAME", call.log.stream().to_owned()));
        all.push(("_X_AMZN_TRACE_ID", call.trace_id.clone()));
    }
    // Only managed runtimes have one (reference 4.5).
    if let Some(managed) = &function.managed {
        all.push(("AWS_EXECUTION_ENV", managed.execution_env.to_string()));
    }
    // The author's own level counts where the log has none.
    let json = match function.log_format {
        LogFormat::Text => false,
        LogFormat::Json { application, .. } => {
            all.push((LOG_FORMAT, "JSON".to_owned()));
            all.push((LOG_LEVEL, application.as_str().to_owned()));
            true
        }
    };
    for (name, value) in [
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ] {
        if !function.environment.contains_key(name) {
            all.push((name, value.to_owned()));
        }
    }
    let own =
        function.environment.iter().filter(|(name, _)| !(json && [LOG_FORMAT, LOG_LEVEL].contains(&name.as_str())));
    all.extend(own.map(|(name, value)| (name.as_str(), value.clone())));
    all
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let guest = &self.guest;
        WasiCtxView { ctx: self.wasi.get_or_insert_with(|| guest.wasi()), table: &mut self.table }
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Refuses every outgoing request: no function has a network yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoNetwork;

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>);

impl WasiHttpHooks for NoNetwork {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, HttpError>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }

    /// What one unread body holds of the host's memory is twice this, and a guest
    /// can make hundreds of them: the engine's own 1 MiB would be too much.
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        WRITE_BYTES_MAX
    }

    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_hop_by_hop(name)
    }

    fn forbidden_header_filter(&mut self) -> wasmtime_wasi_http::ForbiddenHeaderFilter {
        Arc::new(is_hop_by_hop)
    }
}

/// Fields that belong to a connection, not to a message (RFC 9110, 7.6.1). A
/// guest neither sees nor sets them. `host` and `te: trailers` stay readable.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 6] = [
        http::header::CONNECTION,
        http::header::PROXY_AUTHENTICATE,
        http::header::PROXY_AUTHORIZATION,
        http::header::TRANSFER_ENCODING,
        http::header::UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    NAMES.contains(name)
}

impl types::Host for Ctx {}

impl diagnostics::Host for Ctx {
    fn panicked(&mut self, message: String, location: Option<String>) -> wasmtime::Result<()> {
        self.panic.get_or_insert_with(|| Panic { message: cut(message), location: location.map(cut) });
        Ok(())
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(PANIC_TEXT_BYTES_MAX));
    text
}

//! What a server needs to be told, and what it works with.

use std::sync::Arc;
use std::time::Duration;

use lamina_deploy::Deployer;
use lamina_invoke::Dispatcher;
use lamina_kit::{Clock, Ids};
use lamina_ledger::Ledger;
use lamina_meter::Meters;
use lamina_registry::Registry;
use lamina_telemetry::Logs;
use lamina_types::limits::{CREATE_REQUEST_BYTES_MAX, REQUEST_PAYLOAD_BYTES_MAX};
use lamina_types::{AccountId, Region};

/// Settings of the server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The region in ARNs, scopes and host names.
    pub region: Region,
    /// The account in ARNs.
    pub account: AccountId,
    /// What `GET /lamina/v1/status` says: `enforce`, `warn` or `off`.
    pub signing: &'static str,
    /// What `GET /lamina/v1/status` says of the platform's version.
    pub version: &'static str,
    /// Connections at a time; more wait to be accepted. Default 10,000.
    pub connections_max: usize,
    /// Time for a request's head to arrive, idle time before it included.
    /// Default 60 s.
    pub head_timeout: Duration,
    /// Time for a request's body to arrive. Default 120 s.
    pub body_timeout: Duration,
    /// Bytes of a request's line and headers. Default 256 KiB.
    pub head_bytes_max: usize,
    /// Bytes of a management request's body. Default: Lambda's 70,167,211.
    pub request_bytes_max: usize,
    /// Bytes of an event, and of a request to a function URL. Default: Lambda's
    /// 6,291,456.
    pub payload_bytes_max: usize,
    /// Time that requests in flight have to end at drain. Default 30 s.
    pub drain_grace: Duration,
}

impl Config {
    /// The defaults for a platform of this region and account.
    pub const fn new(region: Region, account: AccountId) -> Self {
        Self {
            region,
            account,
            signing: "enforce",
            version: env!("CARGO_PKG_VERSION"),
            connections_max: 10_000,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(120),
            head_bytes_max: 256 << 10,
            request_bytes_max: CREATE_REQUEST_BYTES_MAX,
            payload_bytes_max: REQUEST_PAYLOAD_BYTES_MAX,
            drain_grace: Duration::from_secs(30),
        }
    }
}

/// Makes a new key for secrets and seals everything with it; answers once the key
/// is kept. Blocks.
pub type RotateSecrets = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The layers below.
#[derive(Clone)]
pub struct Deps {
    /// Records.
    pub registry: Arc<Registry>,
    /// Uploads.
    pub deployer: Deployer,
    /// Calls.
    pub dispatcher: Arc<Dispatcher>,
    /// Functions' logs.
    pub logs: Logs,
    /// What calls use.
    pub meters: Meters,
    /// Whether calls are traced, and which.
    pub tracer: Option<lamina_otlp::Tracer>,
    /// What they used, as records.
    pub ledger: Ledger,
    /// Backups and figures.
    pub upkeep: lamina_upkeep::Upkeep,
    /// Makes a new key for secrets; `None` when the operator gives the keys.
    pub rotate_secrets: Option<RotateSecrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

//! What a server needs to be told, and what it works with.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use lamina_deploy::Deployer;
use lamina_invoke::Dispatcher;
use lamina_kit::{Clock, Ids};
use lamina_ledger::Ledger;
use lamina_logs::LogStore;
use lamina_meter::Meters;
use lamina_registry::Registry;
use lamina_telemetry::Logs;
use lamina_types::limits::{CREATE_REQUEST_BYTES_MAX, REQUEST_PAYLOAD_BYTES_MAX};
use lamina_types::{AccountId, Region};

use crate::limits::Limits;
use crate::server::Network;
use crate::tls::Tls;

/// See [`Config::url_host`].
const URL_HOST: &str = "localhost";

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
    /// Whether functions are refused whose runtime there is none of here; else they
    /// are when they are called. Default: no.
    pub strict_runtimes: bool,
    /// What one client may cost.
    pub limits: Limits,
    /// The certificate, where connections are of TLS. Default: they are not.
    pub tls: Option<Arc<Tls>>,
    /// Proxies whose connections begin with a PROXY header, which says where they
    /// come from. Default: none, and nobody's header is believed.
    pub proxies: Vec<Network>,
    /// The host that function URLs are names under, as answers show them:
    /// `ID.lambda-url.REGION.HOST`. Default `localhost`.
    pub url_host: String,
    /// Bytes of a management request's body. Default: Lambda's 70,167,211.
    pub request_bytes_max: usize,
    /// Bytes of an event, and of a request to a function URL. Default: Lambda's
    /// 6,291,456.
    pub payload_bytes_max: usize,
    /// Bytes a second of a streamed answer after its first 6 MiB, Lambda's being
    /// 2,097,152, and the least [`STREAM_BYTES_PER_S_MIN`](crate::STREAM_BYTES_PER_S_MIN).
    /// Default `None`: as it comes.
    pub stream_bytes_per_s: Option<NonZeroU64>,
    /// Time that requests in flight have to end at drain. Default 30 s.
    pub drain_grace: Duration,
}

impl Config {
    /// What URLs of this platform begin with.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The defaults for a platform of this region and account.
    pub fn new(region: Region, account: AccountId) -> Self {
        Self {
            region,
            account,
            signing: "enforce",
            version: env!("CARGO_PKG_VERSION"),
            strict_runtimes: false,
            limits: Limits::DEFAULT,
            tls: None,
            proxies: Vec::new(),
            url_host: URL_HOST.to_owned(),
            request_bytes_max: CREATE_REQUEST_BYTES_MAX,
            payload_bytes_max: REQUEST_PAYLOAD_BYTES_MAX,
            stream_bytes_per_s: None,
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
    /// Functions' logs, as they are written.
    pub logs: Logs,
    /// Functions' logs, as they are kept.
    pub log_store: LogStore,
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

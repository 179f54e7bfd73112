//! A platform behind its HTTP endpoint.

mod tls;

use std::fs;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use lamina_api::Server;
use lamina_deploy::Signing;
use lamina_kit::Tasks;
use lamina_monitor::Monitor;
use lamina_types::{AccountId, Region};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use self::tls::Followed;
use crate::platform::{self, Platform};

pub use self::tls::{Error as TlsError, TlsFiles};

/// Time that calls whose callers have left get to end.
const CALLS_GRACE: Duration = Duration::from_secs(30);
/// Beside the data: where a client on this machine finds the platform.
const ENDPOINT: &str = "endpoint";
/// Likewise the second listener.
const ADMIN: &str = "admin";
/// Time that answers of the second listener get to end.
const MONITOR_GRACE: Duration = Duration::from_secs(2);

/// What a serving platform needs to be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory; made if it is not there.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where metrics, health and readiness are answered, without a signature; port 0
    /// takes a free one. `None`: nowhere.
    pub admin_listen: Option<SocketAddr>,
    /// The account in ARNs.
    pub account: AccountId,
    /// The region in ARNs and signatures.
    pub region: Region,
    /// What is done with code that nobody trusted has signed.
    pub signing: Signing,
    /// Whether functions are refused whose runtime there is none of here.
    pub strict_runtimes: bool,
    /// Fuel of a call for each GB of its memory and second of its timeout.
    pub fuel_per_gb_second: u64,
    /// Bytes a second of a streamed answer after its first 6 MiB; `None`: as it comes.
    pub stream_bytes_per_s: Option<NonZeroU64>,
    /// Where the keys come from that seal secrets.
    pub secrets: platform::SecretKeys,
    /// Limits of calls.
    pub calls: lamina_invoke::Config,
    /// Places of the instance pool, 1 to 4,000.
    pub instances_max: u32,
    /// Memory for bundles of packages; past it the sources serve.
    pub bundles_bytes_max: usize,
    /// What one client may cost.
    pub limits: lamina_api::Limits,
    /// Bytes of an event, and of a request to a function URL.
    pub body_bytes_max: usize,
    /// The certificate's files, where connections are of TLS.
    pub tls: Option<TlsFiles>,
    /// The host that function URLs are names under.
    pub url_host: String,
    /// Proxies that say whose connections they hand on.
    pub proxies: Vec<lamina_api::Network>,
    /// The collector that traces and metrics go to, if there is one.
    pub otlp: Option<lamina_otlp::Config>,
}

/// The default of [`Config::url_host`].
pub const URL_HOST: &str = "localhost";

/// The default of [`Config::fuel_per_gb_second`]: more than a core burns, so that
/// the timeout is felt first.
pub const FUEL_PER_GB_SECOND: u64 = lamina_runtime::Config::FUEL_PER_GB_SECOND;

/// The default of [`Config::instances_max`]: as many as Lambda's quota of calls.
pub const INSTANCES_MAX: u32 = lamina_runtime::Config::INSTANCES_MAX;

/// The default of [`Config::bundles_bytes_max`].
pub const BUNDLES_BYTES_MAX: usize = lamina_runtime::Config::BUNDLES_BYTES_MAX;

/// The default of [`Config::body_bytes_max`]: Lambda's limit.
pub const BODY_BYTES_MAX: usize = lamina_types::limits::REQUEST_PAYLOAD_BYTES_MAX;

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The platform itself.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// The address.
    #[error("listening on {address}: {source}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The endpoint's file.
    #[error("writing {path}: {source}")]
    Endpoint {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A platform that listens; see [`Serving::run`].
pub struct Serving {
    platform: Platform,
    server: Server,
    listener: TcpListener,
    endpoint: String,
    admin: Option<String>,
    monitor: Option<(Monitor, TcpListener)>,
    draining: watch::Sender<bool>,
    files: Vec<PathBuf>,
    certificate: Option<Followed>,
}

/// Opens the platform, listens, and writes `DIR/endpoint`: the URL, the region on
/// a second line, and on a third the certificate's file if there is one; and
/// `DIR/admin`: the second listener's URL.
pub async fn start(config: Config) -> Result<Serving, Error> {
    let Config { data, listen, admin_listen, account, region, signing, fuel_per_gb_second, stream_bytes_per_s, .. } =
        config;
    let (secrets, calls, otlp) = (config.secrets, config.calls, config.otlp);
    let strict_runtimes = config.strict_runtimes;
    let (limits, payload_bytes_max, url_host) = (config.limits, config.body_bytes_max, config.url_host);
    let certificate = config.tls.map(Followed::load).transpose()?;
    if let Some(certificate) = &certificate {
        certificate.check_names(&region, &url_host);
    }
    raise_file_limit();
    // Before the directory is opened: an address in use changes nothing.
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let (listener, endpoint) = bind(listen, scheme).await?;
    let second = match admin_listen {
        Some(address) => Some(bind(address, "http").await?),
        None => None,
    };
    let runtime = lamina_runtime::Config {
        fuel_per_gb_second,
        instances_max: config.instances_max,
        bundles_bytes_max: config.bundles_bytes_max,
        ..lamina_runtime::Config::default()
    };
    let (here, owner) = (region.clone(), account.clone());
    let settings = platform::Config {
        data: data.clone(),
        account: owner,
        region: here,
        signing,
        runtime,
        calls,
        secrets,
        images_bytes_max: platform::IMAGES_BYTES_MAX,
        otlp,
    };
    let platform = Platform::open(settings).await?;
    let (draining, is_draining) = watch::channel(false);
    let (mut admin, mut monitor, mut files) = (None, None, Vec::new());
    if let Some((listener, url)) = second {
        let deps = lamina_monitor::Deps {
            meters: platform.meters.clone(),
            logs: platform.logs.clone(),
            store: platform.store(),
            dispatcher: platform.dispatcher.clone(),
            clock: platform.clock.clone(),
            draining: is_draining,
        };
        monitor = Some((Monitor::new(lamina_monitor::Config::default(), deps), listener));
        files.push(write(data.join(ADMIN), &format!("{url}\n"))?);
        admin = Some(url);
    } else {
        // Of a platform that was killed.
        let _ = fs::remove_file(data.join(ADMIN));
    }
    // Last: whoever finds it finds the rest.
    let mut text = format!("{endpoint}\n{region}\n");
    if let Some(certificate) = &certificate {
        // For a client with another working directory.
        let path = std::path::absolute(certificate.cert()).unwrap_or_else(|_| certificate.cert().to_owned());
        text.push_str(&format!("{}\n", path.display()));
    }
    files.push(write(data.join(ENDPOINT), &text)?);
    let api = lamina_api::Config {
        signing: signing.as_str(),
        strict_runtimes,
        limits,
        payload_bytes_max,
        tls: certificate.as_ref().map(|certificate| certificate.tls.clone()),
        url_host,
        proxies: config.proxies,
        stream_bytes_per_s,
        ..lamina_api::Config::new(region, account)
    };
    let deps = lamina_api::Deps {
        registry: platform.registry.clone(),
        deployer: platform.deployer.clone(),
        dispatcher: platform.dispatcher.clone(),
        logs: platform.logs.clone(),
        log_store: platform.log_store.clone(),
        meters: platform.meters.clone(),
        ledger: platform.ledger.clone(),
        tracer: platform.tracer.clone(),
        upkeep: platform.upkeep.clone(),
        rotate_secrets: platform.rotate_secrets.clone(),
        clock: platform.clock.clone(),
        ids: platform.ids.clone(),
    };
    tracing::info!(%endpoint, data = %data.display(), "listening");
    let server = Server::new(api, deps);
    Ok(Serving { platform, server, listener, endpoint, admin, monitor, draining, files, certificate })
}

/// Listens, and says at which URL.
async fn bind(address: SocketAddr, scheme: &str) -> Result<(TcpListener, String), Error> {
    let listening = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((listener, format!("{scheme}://{}", reachable(local))))
    };
    listening.await.map_err(|source| Error::Listen { address, source })
}

fn write(path: PathBuf, text: &str) -> Result<PathBuf, Error> {
    match fs::write(&path, text) {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Endpoint { path, source }),
    }
}

impl Serving {
    /// The URL that clients use.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The URL of the second listener, if there is one.
    pub fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }

    /// Serves until `shutdown` completes, then drains: connections first, then
    /// calls whose callers have left, then changes. Answers whether all ended in
    /// time. Dropped half-way, the directory is given free without a drain.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> bool {
        let Self { platform, server, listener, monitor, draining, files, certificate, .. } = self;
        let (watching, (stop, stopped)) = (Tasks::new(), oneshot::channel::<()>());
        if let Some((monitor, listener)) = monitor {
            // Told by the sender's end, not by a value.
            watching.spawn(monitor.serve(listener, async { drop(stopped.await) }));
        }
        let told = async {
            shutdown.await;
            draining.send_replace(true);
            // Nobody new is answered there from now on.
            for file in files {
                let _ = fs::remove_file(file);
            }
        };
        let served = match certificate {
            None => server.serve(listener, told).await,
            Some(certificate) => tokio::select! {
                served = server.serve(listener, told) => served,
                never = certificate.follow() => match never {},
            },
        };
        let called = platform.dispatcher.drain(CALLS_GRACE).await;
        // It has the records, which are closed now.
        drop(stop);
        watching.drain(MONITOR_GRACE).await;
        let closed = platform.close().await;
        tracing::info!(served, called, closed, "stopped");
        served && called && closed
    }
}

/// Lets the process open as many files as it may: connections and guests' files
/// count alike, and the usual soft limit is one guest's worth.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// An address to connect to, for one to listen on.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

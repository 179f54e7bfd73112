//! A platform behind its HTTP endpoint.

use std::fs;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use lamina_api::Server;
use lamina_deploy::Signing;
use lamina_types::{AccountId, Region};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::platform::{self, Platform};

/// Time that calls whose callers have left get to end.
const CALLS_GRACE: Duration = Duration::from_secs(30);
/// Beside the data: where a client on this machine finds the platform.
const ENDPOINT: &str = "endpoint";

/// What a serving platform needs to be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory; made if it is not there.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The account in ARNs.
    pub account: AccountId,
    /// The region in ARNs and signatures.
    pub region: Region,
    /// What is done with code that nobody trusted has signed.
    pub signing: Signing,
    /// Fuel of a call for each GB of its memory and second of its timeout.
    pub fuel_per_gb_second: u64,
    /// Bytes a second of a streamed answer after its first 6 MiB; `None`: as it comes.
    pub stream_bytes_per_s: Option<NonZeroU64>,
    /// Where the keys come from that seal secrets.
    pub secrets: platform::SecretKeys,
}

/// The default of [`Config::fuel_per_gb_second`]: more than a core burns, so that
/// the timeout is felt first.
pub const FUEL_PER_GB_SECOND: u64 = lamina_runtime::Config::FUEL_PER_GB_SECOND;

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
    file: PathBuf,
}

/// Opens the platform, listens, and writes `DIR/endpoint`: the URL, and the
/// region on a second line.
pub async fn start(config: Config) -> Result<Serving, Error> {
    let Config { data, listen, account, region, signing, fuel_per_gb_second, stream_bytes_per_s, secrets } = config;
    raise_file_limit();
    // Before the directory is opened: an address in use changes nothing.
    let bound = TcpListener::bind(listen).await;
    let listener = bound.map_err(|source| Error::Listen { address: listen, source })?;
    let local = listener.local_addr().map_err(|source| Error::Listen { address: listen, source })?;
    let runtime = lamina_runtime::Config { fuel_per_gb_second, ..lamina_runtime::Config::default() };
    let (here, owner) = (region.clone(), account.clone());
    let settings = platform::Config {
        data: data.clone(),
        account: owner,
        region: here,
        signing,
        runtime,
        secrets,
        images_bytes_max: platform::IMAGES_BYTES_MAX,
    };
    let platform = Platform::open(settings).await?;
    let endpoint = format!("http://{}", reachable(local));
    let file = data.join(ENDPOINT);
    let text = format!("{endpoint}\n{region}\n");
    fs::write(&file, text).map_err(|source| Error::Endpoint { path: file.clone(), source })?;
    let api = lamina_api::Config {
        signing: signing.as_str(),
        stream_bytes_per_s,
        ..lamina_api::Config::new(region, account)
    };
    let deps = lamina_api::Deps {
        registry: platform.registry.clone(),
        deployer: platform.deployer.clone(),
        dispatcher: platform.dispatcher.clone(),
        logs: platform.logs.clone(),
        upkeep: platform.upkeep.clone(),
        rotate_secrets: platform.rotate_secrets.clone(),
        clock: platform.clock.clone(),
        ids: platform.ids.clone(),
    };
    tracing::info!(%endpoint, data = %data.display(), "listening");
    Ok(Serving { platform, server: Server::new(api, deps), listener, endpoint, file })
}

impl Serving {
    /// The URL that clients use.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Serves until `shutdown` completes, then drains: connections first, then
    /// calls whose callers have left, then changes. Answers whether all ended in
    /// time. Dropped half-way, the directory is given free without a drain.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> bool {
        let Self { platform, server, listener, file, .. } = self;
        let told = async {
            shutdown.await;
            // Nobody new is answered there from now on.
            let _ = fs::remove_file(file);
        };
        let served = server.serve(listener, told).await;
        let called = platform.dispatcher.drain(CALLS_GRACE).await;
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

//! The parts put together, in order: records, artifacts, runtime, deploy, invoke.
//!
//! The only place that knows them all. What belongs to HTTP is in `serve`.

mod secrets;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use lamina_artifacts::Artifacts;
use lamina_deploy::{Deployer, Signing, code_check};
use lamina_invoke::Dispatcher;
use lamina_kit::{Clock, Ids, RandomIds, SystemClock};
use lamina_kv::Store;
use lamina_registry::Registry;
use lamina_runtime::Runtime;
use lamina_telemetry::{Logs, LogsConfig};
use lamina_types::{AccountId, Region, Timestamp};

const HOST_KEY: &str = "host.key";
const CREDENTIALS: &str = "credentials.json";
/// Time that recorded changes have to end when the platform stops.
const DRAIN_GRACE: Duration = Duration::from_secs(10);

/// What a platform is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory; made if it is not there.
    pub data: PathBuf,
    /// The account in ARNs.
    pub account: AccountId,
    /// The region in ARNs and signatures.
    pub region: Region,
    /// What is done with code that nobody trusted has signed.
    pub signing: Signing,
    /// Limits of instances and images.
    pub runtime: lamina_runtime::Config,
}

/// Why a platform does not start. Nothing was changed by a refused directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The records.
    #[error("opening the records: {0}")]
    Records(#[from] lamina_kv::Error),
    /// What the records say.
    #[error("reading the records: {0}")]
    Registry(#[from] lamina_registry::Error),
    /// The artifacts.
    #[error("opening the artifacts: {0}")]
    Artifacts(#[from] lamina_artifacts::Error),
    /// The engine.
    #[error("starting the runtime: {0}")]
    Runtime(#[from] lamina_runtime::RunError),
    /// Code that is not needed any more could not be removed.
    #[error("collecting artifacts: {0}")]
    Collect(#[from] lamina_deploy::DeployError),
    /// A file of the directory.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The host's key is not one of ours.
    #[error("{0} does not hold 32 bytes: restore it, or remove it and all compiled images are made again")]
    HostKey(PathBuf),
    /// A task died.
    #[error("starting: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A platform without its HTTP side.
pub struct Platform {
    /// Records.
    pub registry: Arc<Registry>,
    /// Changes.
    pub deployer: Deployer,
    /// Calls.
    pub dispatcher: Arc<Dispatcher>,
    /// Functions' logs.
    pub logs: Logs,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
    store: Store,
}

impl Platform {
    /// Opens the directory, takes up what was interrupted, and makes the first
    /// credential. Must be called inside a tokio runtime.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (Arc::new(SystemClock::new()), Arc::new(RandomIds));
        let data = config.data.clone();
        let opened = {
            let (clock, ids) = (clock.clone(), ids.clone());
            tokio::task::spawn_blocking(move || Opened::new(&config, clock, ids).map(|opened| (opened, config)))
        };
        let (Opened { store, registry, artifacts, host_key }, config) = opened.await??;
        let registry = Arc::new(registry);
        let runtime = Runtime::new(
            config.runtime,
            &host_key,
            artifacts.clone(),
            code_check(config.signing, registry.clone()),
            clock.clone(),
            ids.clone(),
        )?;
        let logs = Logs::new(LogsConfig::default());
        let deployer = Deployer::new(
            lamina_deploy::Config { signing: config.signing },
            lamina_deploy::Deps { registry: registry.clone(), runtime: runtime.clone(), artifacts },
        );
        let removed = deployer.collect().await?;
        if removed > 0 {
            tracing::info!(removed, "files that no function needs were removed");
        }
        deployer.resume();
        let deps =
            lamina_invoke::Deps { registry: registry.clone(), runtime, logs: logs.clone(), clock: clock.clone() };
        let dispatcher = Arc::new(Dispatcher::new(lamina_invoke::Config::default(), deps));
        let platform = Self { registry, deployer, dispatcher, logs, clock, ids, store };
        platform.credential(&data).await?;
        Ok(platform)
    }

    /// Ends what runs and gives the directory free. Calls must have ended.
    pub async fn close(self) -> bool {
        let deployed = self.deployer.drain(DRAIN_GRACE).await;
        let written = self.registry.drain(DRAIN_GRACE).await;
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await.is_ok();
        deployed && written && closed
    }

    /// Sees to it that there is a credential, and that its file is there.
    async fn credential(&self, data: &Path) -> Result<(), Error> {
        let path = data.join(CREDENTIALS);
        let credential = match self.registry.catalog().credentials().next() {
            Some(credential) => credential.clone(),
            None => {
                let made = secrets::new_credential(self.ids.as_ref(), Timestamp(self.clock.epoch_micros()));
                self.registry.add_credential(made.clone()).await?;
                made
            }
        };
        // A file that does not open this platform helps nobody.
        if secrets::is_of(&path, self.registry.catalog().credentials()) {
            return Ok(());
        }
        // The shape that the AWS clients' `credential_process` reads.
        let text = serde_json::json!({
            "Version": 1,
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
        });
        secrets::private_file(&path, format!("{text}\n").as_bytes()).map_err(|source| Error::File { path, source })
    }
}

/// What is opened by blocking calls.
struct Opened {
    store: Store,
    registry: Registry,
    artifacts: Artifacts,
    host_key: [u8; 32],
}

impl Opened {
    fn new(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Self, Error> {
        let data = &config.data;
        let file = |path: PathBuf| move |source| Error::File { path, source };
        // First: it refuses a directory that is in use or of another format.
        let store = Store::open(data, lamina_kv::Config::default())?;
        // Functions' environments are in there.
        fs::set_permissions(data, Permissions::from_mode(0o700)).map_err(file(data.clone()))?;
        let host_key = secrets::host_key(&data.join(HOST_KEY), ids.as_ref())?;
        let folder = data.join("artifacts");
        fs::create_dir_all(&folder).map_err(file(folder.clone()))?;
        let dir = cap_std::fs::Dir::open_ambient_dir(&folder, ambient_authority()).map_err(file(folder))?;
        let artifacts = Artifacts::open(dir, ids.clone())?;
        let settings = lamina_registry::Config::new(config.region.clone(), config.account.clone());
        let registry = Registry::open(store.clone(), settings, clock, ids)?;
        Ok(Self { store, registry, artifacts, host_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_directory_is_made_kept_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let config = || Config {
            data: dir.path().join("data"),
            account: "000000000000".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            signing: Signing::Enforce,
            runtime: lamina_runtime::Config::default(),
        };
        let platform = Platform::open(config()).await.unwrap();
        assert!(matches!(Platform::open(config()).await, Err(Error::Records(lamina_kv::Error::InUse(_)))));
        assert!(platform.close().await);
        let read = |name: &str| fs::read(dir.path().join("data").join(name)).unwrap();
        let (key, credentials) = (read(HOST_KEY), read(CREDENTIALS));
        for name in [HOST_KEY, CREDENTIALS] {
            let mode = fs::metadata(dir.path().join("data").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(Platform::open(config()).await.unwrap().close().await);
        assert_eq!((read(HOST_KEY), read(CREDENTIALS)), (key, credentials));
        fs::write(dir.path().join("data").join(HOST_KEY), b"short").unwrap();
        assert!(matches!(Platform::open(config()).await, Err(Error::HostKey(_))));
    }
}

//! The parts put together, in order: records, artifacts, runtime, deploy, invoke.
//!
//! The only place that knows them all. What belongs to HTTP is in `serve`.

mod embedded;
mod opened;
mod secrets;

pub use opened::SecretKeys;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lamina_deploy::{Deployer, Signing, code_check};
use lamina_disk::Folder;
use lamina_invoke::Dispatcher;
use lamina_kit::{Clock, Ids, RandomIds, SystemClock, Tasks};
use lamina_kv::Store;
use lamina_ledger::Ledger;
use lamina_logs::LogStore;
use lamina_meter::Meters;
use lamina_otlp::{Exporter, Tracer};
use lamina_registry::Registry;
use lamina_runtime::Runtime;
use lamina_telemetry::{Logs, LogsConfig};
use lamina_types::{AccountId, Region, Timestamp};
use lamina_upkeep::Upkeep;
use tokio::sync::watch;

use self::opened::Opened;

const CREDENTIALS: &str = "credentials.json";
const LOGS: &str = "logs";
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
    /// Limits of calls.
    pub calls: lamina_invoke::Config,
    /// Where the keys come from that seal secrets.
    pub secrets: SecretKeys,
    /// Bytes of compiled images that are kept; past it the one used longest ago
    /// goes.
    pub images_bytes_max: u64,
    /// The collector that traces and metrics go to, if there is one.
    pub otlp: Option<lamina_otlp::Config>,
}

/// The default of [`Config::images_bytes_max`]: 20 GiB.
pub const IMAGES_BYTES_MAX: u64 = 20 << 30;
/// What no record refers to is removed when it is so old: longer than any upload
/// takes to be recorded.
const COLLECT_AGE: Duration = Duration::from_secs(3_600);
/// How often it is looked for.
const COLLECT_PERIOD: Duration = Duration::from_secs(3_600);

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
    #[error("{0} does not hold 32 bytes: restore it from a backup, without it the records are not to be trusted")]
    HostKey(PathBuf),
    /// The keys of the secrets.
    #[error("the keys of the secrets: {0}")]
    Secrets(String),
    /// Functions' logs.
    #[error("opening the logs: {0}")]
    Logs(#[from] lamina_logs::Error),
    /// The audit log.
    #[error("opening the audit log: {0}")]
    Audit(#[from] lamina_audit::Error),
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
    /// Functions' logs, as they are written.
    pub logs: Logs,
    /// Functions' logs, as they are kept.
    pub log_store: LogStore,
    /// What calls use.
    pub meters: Meters,
    /// What they used, as records.
    pub ledger: Ledger,
    /// Where spans go, when calls are traced.
    pub tracer: Option<Tracer>,
    /// Backups and figures.
    pub upkeep: Upkeep,
    /// See [`lamina_api::RotateSecrets`].
    pub rotate_secrets: Option<lamina_api::RotateSecrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
    store: Store,
    /// What runs beside the calls, until `stop` is dropped.
    tasks: Tasks,
    stop: watch::Sender<()>,
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
        let (opened, config) = opened.await??;
        let Opened { folder, store, registry, artifacts, tmp, host_key, rotate_secrets } = opened;
        let registry = Arc::new(registry);
        let deps = lamina_runtime::Deps {
            host_key,
            artifacts: artifacts.clone(),
            check: code_check(config.signing, registry.clone()),
            packages: lamina_deploy::packages(config.signing, registry.clone(), artifacts.clone()),
            tmp,
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let runtime = Runtime::new(config.runtime, deps)?;
        let logs = Logs::new(LogsConfig::default());
        let log_store = keep_logs(folder.clone(), logs.clone(), clock.clone()).await?;
        let deployer = Deployer::new(
            lamina_deploy::Config { signing: config.signing },
            lamina_deploy::Deps { registry: registry.clone(), runtime: runtime.clone(), artifacts: artifacts.clone() },
        );
        registry.settle_audit().await;
        deployer.resume();
        let upkeep = Upkeep::new(lamina_upkeep::Deps {
            data: folder,
            store: store.clone(),
            artifacts,
            registry: registry.clone(),
            clock: clock.clone(),
            host_key,
            operator_keys: rotate_secrets.is_none(),
        });
        let meters = Meters::new(lamina_meter::Config::default());
        let ledger = Ledger::new(
            lamina_ledger::Config::default(),
            lamina_ledger::Deps {
                store: store.clone(),
                meters: meters.clone(),
                account: config.account.clone(),
                clock: clock.clone(),
            },
        );
        let otlp = config.otlp.map(|otlp| Exporter::new(otlp, meters.clone(), clock.clone()));
        let (exporter, tracer) = otlp.unzip();
        let deps = lamina_invoke::Deps {
            registry: registry.clone(),
            runtime,
            logs: logs.clone(),
            meters: meters.clone(),
            observer: Some(embedded::observer(meters.clone())),
            tracer: tracer.clone(),
            clock: clock.clone(),
        };
        let dispatcher = Arc::new(Dispatcher::new(config.calls, deps));
        let rotate_secrets = rotate_secrets.map(|rotate| -> lamina_api::RotateSecrets {
            let upkeep = upkeep.clone();
            Arc::new(move || {
                rotate()?;
                upkeep.reseal_soon();
                Ok(())
            })
        });
        let (tasks, (stop, _)) = (Tasks::new(), watch::channel(()));
        let platform = Self {
            registry,
            deployer,
            dispatcher,
            logs,
            log_store,
            meters,
            ledger,
            tracer,
            upkeep,
            rotate_secrets,
            clock,
            ids,
            store,
            tasks,
            stop,
        };
        platform.credential(&data).await?;
        platform.beside(config.images_bytes_max);
        if let Some(exporter) = exporter {
            platform.tasks.spawn(exporter.run(platform.stopped()));
        }
        Ok(platform)
    }

    /// Starts what runs beside the calls, until the platform is closed.
    fn beside(&self, images_bytes_max: u64) {
        self.ledger.start(&self.tasks, self.stopped());
        self.upkeep.start(&self.tasks, lamina_upkeep::Config::default(), self.stopped());
        let (deployer, stopped) = (self.deployer.clone(), self.stopped());
        self.tasks.spawn(async move {
            let renew = async {
                if let Err(error) = deployer.renew().await {
                    tracing::warn!(%error, "compiled images were not made again");
                }
            };
            tokio::select! {
                () = renew => {}
                () = stopped => {}
            }
        });
        let (deployer, stopped) = (self.deployer.clone(), self.stopped());
        self.tasks.spawn(async move {
            tokio::select! {
                () = collect(deployer, images_bytes_max) => {}
                () = stopped => {}
            }
        });
    }

    /// Completes when the platform is closed.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move { while stop.changed().await.is_ok() {} }
    }

    /// The records, for whoever watches whether they can be written. Must be dropped
    /// before [`Platform::close`], which gives the directory free.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Ends what runs and gives the directory free. Calls must have ended.
    pub async fn close(self) -> bool {
        drop(self.stop);
        let stopped = self.tasks.drain(DRAIN_GRACE).await;
        let deployed = self.deployer.drain(DRAIN_GRACE).await;
        // It says itself what it could not write.
        let counted = self.ledger.flush().await.is_ok();
        let written = self.registry.drain(DRAIN_GRACE).await;
        if let Err(error) = self.registry.sign_audit_head().await {
            tracing::warn!(%error, "the audit log's head was not signed");
        }
        let (store, log_store) = (self.store.clone(), self.log_store.clone());
        let close = move || {
            log_store.close();
            store.close();
        };
        let closed = tokio::task::spawn_blocking(close).await.is_ok();
        stopped && deployed && counted && written && closed
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

/// Opens what is kept of the logs, and begins to keep more.
async fn keep_logs(data: Folder, logs: Logs, clock: Arc<dyn Clock>) -> Result<LogStore, Error> {
    let open = move || {
        let folder = data.folder(LOGS).map_err(|source| Error::File { path: LOGS.into(), source })?;
        let (store, damage) = LogStore::open(folder, logs, clock, lamina_logs::Config::default())?;
        for damage in damage {
            tracing::warn!(%damage, "log lines were lost");
        }
        Ok(store)
    };
    tokio::task::spawn_blocking(open).await?
}

/// Removes what is not needed, again and again.
async fn collect(deployer: Deployer, images_bytes_max: u64) {
    loop {
        match deployer.collect(COLLECT_AGE, images_bytes_max).await {
            Ok(removed) if removed.files > 0 => {
                tracing::info!(files = removed.files, bytes = removed.bytes, "files that nobody needs were removed");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "files that nobody needs could not be removed"),
        }
        tokio::time::sleep(COLLECT_PERIOD).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::opened::HOST_KEY;
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
            calls: lamina_invoke::Config::DEFAULT,
            secrets: SecretKeys::Beside,
            images_bytes_max: IMAGES_BYTES_MAX,
            otlp: None,
        };
        let platform = Platform::open(config()).await.unwrap();
        assert!(matches!(Platform::open(config()).await, Err(Error::Records(lamina_kv::Error::InUse(_)))));
        assert!(platform.close().await);
        let read = |name: &str| fs::read(dir.path().join("data").join(name)).unwrap();
        let (key, credentials) = (read(HOST_KEY), read(CREDENTIALS));
        for name in [HOST_KEY, CREDENTIALS, "secrets.key"] {
            let mode = fs::metadata(dir.path().join("data").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(Platform::open(config()).await.unwrap().close().await);
        assert_eq!((read(HOST_KEY), read(CREDENTIALS)), (key, credentials));
        fs::write(dir.path().join("data").join(HOST_KEY), b"short").unwrap();
        assert!(matches!(Platform::open(config()).await, Err(Error::HostKey(_))));
    }
}

//! What is opened by blocking calls, in order: keys, records, artifacts, audit log.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use lamina_artifacts::Artifacts;
use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_kit::{Clock, Ids};
use lamina_kv::{Keyring, Store};
use lamina_registry::Registry;
use lamina_types::Timestamp;
use lamina_upkeep::keys::{audit_key, journal_key, secrets_file};

use super::{Config, Error, secrets};

const TMP: &str = "tmp";
pub(super) const HOST_KEY: &str = "host.key";

/// Where the keys come from that seal secrets.
#[derive(Debug, Clone, Default)]
pub enum SecretKeys {
    /// `secrets.key` in the data directory, made if it is not there. Whoever reads
    /// the directory reads the secrets.
    #[default]
    Beside,
    /// The operator's.
    Given(Keyring),
}

pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) store: Store,
    pub(super) registry: Registry,
    pub(super) artifacts: Artifacts,
    /// Where instances have their `/tmp`.
    pub(super) tmp: Dir,
    pub(super) host_key: [u8; 32],
    pub(super) rotate_secrets: Option<lamina_api::RotateSecrets>,
}

impl Opened {
    pub(super) fn new(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Self, Error> {
        let data = &config.data;
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        let is_new = !data.join("format").exists();
        let folder = Folder::open(data, Arc::new(System)).map_err(file(data))?;
        let keys = DirectoryKeys::of(config, &folder, is_new, ids.as_ref())?;
        // It refuses a directory that is in use or of another format.
        let journal = lamina_kv::Keys { journal: journal_key(&keys.host), secrets: keys.secrets.clone() };
        let settings = lamina_kv::Config { sealed: lamina_registry::SEALED, ..lamina_kv::Config::default() };
        let (store, opened) = Store::open(&folder, data, journal, settings)?;
        say(&opened);
        fs::set_permissions(data, Permissions::from_mode(0o700)).map_err(file(data))?;
        let sub = |name: &str| folder.folder(name).map_err(file(&data.join(name)));
        let artifacts = Artifacts::open(sub("artifacts")?, ids.clone(), clock.clone())?;
        // What instances of a process that was killed left behind.
        folder.remove_all(TMP).map_err(file(&data.join(TMP)))?;
        let tmp = sub(TMP)?.dir().try_clone().map_err(file(&data.join(TMP)))?;
        let log = Arc::new(Log::open(sub("audit")?, &audit_key(&keys.host))?);
        sign_at_checkpoints(&store, log.clone(), clock.clone());
        let rotate_secrets = match &config.secrets {
            SecretKeys::Beside => Some(rotate(&folder, &store, ids.clone())),
            SecretKeys::Given(_) => None,
        };
        let settings = lamina_registry::Config::new(config.region.clone(), config.account.clone());
        let registry = Registry::open(store.clone(), log, settings, clock, ids)?;
        Ok(Self { folder, store, registry, artifacts, tmp, host_key: keys.host, rotate_secrets })
    }
}

/// What a directory's files are believed by and sealed with.
struct DirectoryKeys {
    host: [u8; 32],
    secrets: Keyring,
}

impl DirectoryKeys {
    /// Reads the keys; makes those of a new directory. One that has records already
    /// must have its keys as well.
    fn of(config: &Config, folder: &Folder, is_new: bool, ids: &dyn Ids) -> Result<Self, Error> {
        let path = |name: &str| config.data.join(name);
        let had_journal = folder.dir().exists("journal") && !is_new;
        if had_journal && !folder.dir().exists(HOST_KEY) {
            return Err(Error::HostKey(path(HOST_KEY)));
        }
        let host = secrets::host_key(&path(HOST_KEY), ids)?;
        let secrets = match &config.secrets {
            SecretKeys::Given(ring) => ring.clone(),
            SecretKeys::Beside => Self::beside(folder, had_journal, ids)?,
        };
        Ok(Self { host, secrets })
    }

    fn beside(folder: &Folder, must_exist: bool, ids: &dyn Ids) -> Result<Keyring, Error> {
        let told = |error: secrets_file::Error| Error::Secrets(error.to_string());
        if let Some(ring) = secrets_file::read(folder).map_err(told)? {
            return Ok(ring);
        }
        if must_exist {
            let text = "secrets.key is missing: restore it from a backup, or give the keys with --secrets-key-file";
            return Err(Error::Secrets(text.to_owned()));
        }
        tracing::warn!(
            "secrets are sealed with a key made beside the data: that protects copies of the records alone, \
             not the directory; give a key of your own with --secrets-key-file to protect it"
        );
        let key = ids.random32();
        secrets_file::write(folder, &[key]).map_err(told)?;
        Ok(Keyring::new(key, Vec::new()))
    }
}

/// What the start found.
fn say(opened: &lamina_kv::Opened) {
    if let Some(format) = opened.migrated_from {
        tracing::info!(format, "the data directory was migrated");
    }
    if let Some(reason) = &opened.rebuilt {
        tracing::warn!(reason, "the index of the records was made again from the journal");
    }
    if opened.behind > 0 {
        tracing::info!(records = opened.behind, "the index of the records was brought up to the journal");
    }
    if opened.torn_bytes > 0 {
        tracing::info!(bytes = opened.torn_bytes, "a write that was cut off, and acknowledged to nobody, was removed");
    }
}

/// A head of the audit log is signed whenever the records are checkpointed.
fn sign_at_checkpoints(store: &Store, log: Arc<Log>, clock: Arc<dyn Clock>) {
    store.on_checkpoint(move |_| {
        if log.last().0 == 0 {
            return;
        }
        if let Err(error) = log.sign(Timestamp(clock.epoch_micros()).millis()) {
            tracing::warn!(%error, "the audit log's head was not signed");
        }
    });
}

/// Makes a new key beside the data; what older ones have sealed is sealed again in
/// the background.
fn rotate(folder: &Folder, store: &Store, ids: Arc<dyn Ids>) -> lamina_api::RotateSecrets {
    let (folder, store) = (folder.clone(), store.clone());
    Arc::new(move || {
        let key = ids.random32();
        secrets_file::add(&folder, key).map_err(|error| error.to_string())?;
        store.add_key(key);
        Ok(())
    })
}

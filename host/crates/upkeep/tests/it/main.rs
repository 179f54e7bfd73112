//! Upkeep's contract, from outside, on a small platform: records, artifacts and an
//! audit log in one directory.

#![expect(clippy::unwrap_used, reason = "test helpers")]

mod background;
mod damage;
mod fsck;
mod increments;
mod restore;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lamina_artifacts::Artifacts;
use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_kit::{FixedClock, SeededIds};
use lamina_kv::{Config, Keys, Store};
use lamina_registry::{Event, NewFunction, Registry};
use lamina_types::records::{Code, CodeKind, Configuration};
use lamina_types::{Digest, FunctionName, MemoryMib, World};
use lamina_upkeep::keys::{audit_key, journal_key, secrets_file};
use lamina_upkeep::{Deps, Error, Manifest, Upkeep};

/// Tables whose values are sealed.
const SEALED: &[&str] = &["function", "version", "credential"];

/// A platform that runs on a directory.
struct Platform {
    upkeep: Upkeep,
    registry: Arc<Registry>,
    store: Store,
    artifacts: Artifacts,
}

/// A place for directories and backups.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A new directory, with keys.
    fn make(&self, name: &str, host_key: u8) -> PathBuf {
        let data = self.path(name);
        let folder = folder(&data);
        folder.replace("new", "host.key", &[host_key; 32]).unwrap();
        secrets_file::write(&folder, &[[7; 32]]).unwrap();
        data
    }
}

fn folder(data: &Path) -> Folder {
    Folder::open(data, Arc::new(System)).unwrap()
}

impl Platform {
    fn open(data: &Path) -> Self {
        Self::with(data, 16 << 20)
    }

    fn with(data: &Path, retain_bytes: u64) -> Self {
        let folder = folder(data);
        let host_key: [u8; 32] = fs::read(data.join("host.key")).unwrap().try_into().unwrap();
        let secrets = secrets_file::read(&folder).unwrap().unwrap();
        let keys = Keys { journal: journal_key(&host_key), secrets };
        let config = Config { retain_bytes, sealed: SEALED, ..Config::default() };
        let (store, _) = Store::open(&folder, data, keys, config).unwrap();
        let clock = Arc::new(FixedClock::at(1_764_000_000_000_000));
        let ids = Arc::new(SeededIds::new(store.sequence()));
        let artifacts = Artifacts::open(folder.folder("artifacts").unwrap(), ids.clone(), clock.clone()).unwrap();
        let log = Arc::new(Log::open(folder.folder("audit").unwrap(), &audit_key(&host_key)).unwrap());
        let config = lamina_registry::Config::new("us-east-1".parse().unwrap(), "000000000000".parse().unwrap());
        let registry = Arc::new(Registry::open(store.clone(), log, config, clock.clone(), ids).unwrap());
        let upkeep = Upkeep::new(Deps {
            data: folder,
            store: store.clone(),
            artifacts: artifacts.clone(),
            registry: registry.clone(),
            clock,
            host_key,
            operator_keys: false,
        });
        Self { upkeep, registry, store, artifacts }
    }

    /// A function with code of its own: two artifacts.
    async fn deploy(&self, name: &str) {
        let name: FunctionName = name.parse().unwrap();
        let package = self.artifacts.put(format!("package of {name}").into()).await.unwrap();
        let component = self.artifacts.put(format!("component of {name}").repeat(40).into()).await.unwrap();
        let kind = CodeKind::Component { component, world: World::Function };
        let code = Code { package, package_bytes: 1_000, kind, signers: Vec::new() };
        let tags = BTreeMap::new();
        let new = NewFunction { name: name.clone(), configuration: configuration(), code, tags, publish: false };
        let change = self.registry.create_function(new).await.unwrap();
        self.registry.complete(&name, &change.revision, Ok(())).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        self.registry.delete(&name.parse().unwrap(), None).await.unwrap();
    }

    async fn audit(&self, action: &'static str) {
        self.registry.audit(Event::new(action)).await.unwrap();
    }

    /// Writes a backup to a file.
    async fn backup(&self, file: &Path, since: u64, have: HashSet<Digest>) -> Manifest {
        let mut backup = self.upkeep.backup(since, have).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = backup.next().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(bytes.len() as u64, backup.bytes);
        fs::write(file, bytes).unwrap();
        let manifest = Manifest::of(file).unwrap();
        assert_eq!(manifest.sequence, backup.sequence);
        manifest
    }

    /// Everything that a backup must bring back, as text.
    async fn state(&self) -> String {
        let catalog = self.registry.catalog();
        let mut lines = Vec::new();
        for entry in catalog.functions() {
            for version in entry.versions() {
                lines.push(format!("{:?}", entry.view(version).unwrap()));
            }
        }
        for digest in self.registry.referenced() {
            let bytes = self.artifacts.get(&digest).await.unwrap();
            lines.push(format!("{digest} {}", bytes.len()));
        }
        lines.sort();
        lines.extend(self.registry.audit_lines(0, 10_000).await.unwrap());
        lines.join("\n")
    }

    /// Stops it, so that another can open the directory.
    async fn close(self) {
        assert!(self.registry.drain(Duration::from_secs(60)).await);
        self.store.close();
    }
}

fn configuration() -> Configuration {
    Configuration {
        runtime: "provided.al2023".into(),
        role: "arn:aws:iam::000000000000:role/r".into(),
        handler: "h".into(),
        description: String::new(),
        timeout_s: 3,
        memory: MemoryMib(128),
        environment: Some(BTreeMap::from([("SECRET".to_owned(), "hidden".to_owned())])),
        architecture: "x86_64".into(),
        log_group: None,
        log_format: lamina_types::LogFormat::Text,
        snap_start: false,
    }
}

/// Restores and says what came of it.
fn restored(files: &[&PathBuf], data: &Path) -> Result<u64, Error> {
    let files: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
    lamina_upkeep::restore(&files, data, |_| {}).map(|restored| restored.sequence)
}

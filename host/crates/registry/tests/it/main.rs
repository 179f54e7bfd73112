//! The registry's contract, from outside, with a fixed clock and seeded ids.

#![expect(clippy::unwrap_used, reason = "test helpers")]

mod access;
mod audit;
mod functions;
mod restart;
mod runtimes;
mod snapshots;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_kit::{FixedClock, SeededIds};
use lamina_kv::{Keyring, Keys, Store};
use lamina_registry::{
    Change, CodeUpdate, Config, ConfigurationUpdate, Error, Failure, NewFunction, PublishVersion, Registry,
};
use lamina_types::records::{Code, CodeKind, Configuration, ConfigurationChange, FunctionView, UpdateStatus};
use lamina_types::{Digest, FunctionName, FunctionRef, LogFormat, MemoryMib, Version, World};

/// A registry on a directory of its own.
struct Fixture {
    registry: Registry,
    clock: Arc<FixedClock>,
    dir: tempfile::TempDir,
}

fn config() -> Config {
    Config::new("us-east-1".parse().unwrap(), "000000000000".parse().unwrap())
}

impl Fixture {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(1_764_000_000_000_000));
        let registry = open(dir.path(), config, &clock, 1).unwrap();
        Self { registry, clock, dir }
    }

    /// The same directory in a new process.
    async fn reopen(self) -> Self {
        let Self { registry, clock, dir } = self;
        assert!(registry.drain(Duration::from_secs(30)).await);
        drop(registry);
        let registry = open(dir.path(), config(), &clock, 2).unwrap();
        Self { registry, clock, dir }
    }

    async fn create(&self, name: &str) -> Result<Change, Error> {
        self.clock.advance(Duration::from_secs(1));
        self.registry.create_function(new(name, 1)).await
    }

    /// Created and Active.
    async fn created(&self, name: &str) -> FunctionName {
        let change = self.create(name).await.unwrap();
        self.complete(&change, Ok(())).await;
        change.view.name
    }

    async fn complete(&self, change: &Change, end: Result<(), &str>) {
        let end = end.map_err(|reason| Failure { code: "InvalidZipFileException".into(), reason: reason.into() });
        self.registry.complete(&change.view.name, &change.revision, end).await.unwrap();
    }

    async fn update(&self, name: &str, number: u8, publish: bool) -> Result<Change, Error> {
        self.clock.advance(Duration::from_secs(1));
        let (name, code) = (name.parse().unwrap(), code(number));
        self.registry.update_code(CodeUpdate { name, code, architecture: None, publish, revision: None }).await
    }

    async fn configure(&self, name: &str, change: ConfigurationChange) -> Result<Change, Error> {
        let name = name.parse().unwrap();
        self.registry.update_configuration(ConfigurationUpdate { name, change, revision: None }).await
    }

    async fn publish(&self, name: &str, description: Option<&str>) -> Result<FunctionView, Error> {
        let description = description.map(str::to_owned);
        let name = name.parse().unwrap();
        self.registry.publish_version(PublishVersion { name, code_sha256: None, description, revision: None }).await
    }

    fn view(&self, name: &str, version: Version) -> FunctionView {
        self.registry.catalog().function(&name.parse().unwrap()).unwrap().view(version).unwrap()
    }

    /// The code that runs, by the number it was made from; else why none does.
    fn runs(&self, name: &str) -> Result<u8, String> {
        let (name, qualifier) = match name.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier.parse().unwrap())),
            None => (name, None),
        };
        let function = FunctionRef { name: name.parse().unwrap(), qualifier };
        let resolved = self.registry.resolve(&function).map_err(|error| error.to_string())?;
        Ok((0..=u8::MAX).find(|number| code(*number).component() == Some(&resolved.component)).unwrap())
    }
}

fn open(dir: &std::path::Path, config: Config, clock: &Arc<FixedClock>, seed: u64) -> Result<Registry, Error> {
    let folder = Folder::open(dir, Arc::new(System)).unwrap();
    let keys = Keys { journal: [1; 32], secrets: Keyring::new([2; 32], vec![]) };
    let (store, _) = Store::open(&folder, dir, keys, lamina_kv::Config::default()).unwrap();
    let log = Log::open(folder.folder("audit").unwrap(), &[3; 32]).unwrap();
    Registry::open(store, Arc::new(log), config, clock.clone(), Arc::new(SeededIds::new(seed)))
}

fn code(number: u8) -> Code {
    Code {
        package: Digest::of(&[number, 0]),
        package_bytes: 1_000,
        kind: CodeKind::Component { component: Digest::of(&[number, 1]), world: World::Function },
        signers: vec!["abc".into()],
    }
}

fn configuration() -> Configuration {
    Configuration {
        runtime: "provided.al2023".into(),
        role: "arn:aws:iam::000000000000:role/r".into(),
        handler: "h".into(),
        description: "first".into(),
        timeout_s: 3,
        memory: MemoryMib(128),
        environment: None,
        architecture: "x86_64".into(),
        log_group: None,
        log_format: LogFormat::Text,
        snap_start: false,
    }
}

fn new(name: &str, number: u8) -> NewFunction {
    let tags = BTreeMap::new();
    NewFunction {
        name: name.parse().unwrap(),
        configuration: configuration(),
        code: code(number),
        tags,
        publish: false,
    }
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn failed(reason: &str) -> UpdateStatus {
    UpdateStatus::Failed { code: "InvalidZipFileException".into(), reason: reason.into() }
}

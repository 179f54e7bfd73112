//! Changes of functions: admitted and recorded at once, put in force when their
//! code is ready.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use lamina_artifacts::Artifacts;
use lamina_kit::Tasks;
use lamina_registry::{Change, CodeUpdate, ConfigurationUpdate, Failure, NewFunction, PublishVersion, Registry};
use lamina_runtime::{NoSnapshot, PrepareError, Runtime, SnapshotEnd};
use lamina_types::records::{Code, CodeKind, Configuration, FunctionView, Snapshot};
use lamina_types::{Actor, Digest, FunctionName, FunctionRef, Qualifier, RevisionId, Version};

use tokio::sync::Semaphore;

use crate::error::DeployError;
use crate::signing::Signing;

/// The deployer's settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config {
    /// What is done with code that nobody trusted has signed. Default: enforce.
    pub signing: Signing,
}

/// The layers below.
pub struct Deps {
    /// Records.
    pub registry: Arc<Registry>,
    /// Compiles and checks.
    pub runtime: Runtime,
    /// Bytes.
    pub artifacts: Artifacts,
}

/// Uploads that are unpacked and verified at a time: each may unpack to 250 MB.
const ADMISSIONS_MAX: usize = 2;

/// Versions that wait for their snapshot at a time; the others wait in the registry, until
/// they are looked for again.
const SNAPSHOTS_WAITING_MAX: usize = 1_000;

/// See the crate. Clones share it.
#[derive(Clone)]
pub struct Deployer {
    pub(crate) config: Config,
    pub(crate) deps: Arc<Deps>,
    pub(crate) admissions: Arc<Semaphore>,
    tasks: Tasks,
    /// Not waited for: they take long, and are taken up again.
    snapshots: Tasks,
    /// The versions that have such a task.
    snapshotting: Arc<Mutex<HashSet<(FunctionName, u64)>>>,
    by: Actor,
}

/// A function to be made.
#[derive(Debug)]
pub struct Create {
    /// Its name.
    pub name: FunctionName,
    /// Its configuration.
    pub configuration: Configuration,
    /// A component, a zip with it, or a zip of files for a managed runtime.
    pub upload: Bytes,
    /// Its tags, settings among them.
    pub tags: BTreeMap<String, String>,
    /// Whether to make version 1 of it at once.
    pub publish: bool,
}

/// Other code for a function.
#[derive(Debug)]
pub struct UpdateCode {
    /// The function.
    pub name: FunctionName,
    /// A component, a zip with it, or a zip of files for a managed runtime.
    pub upload: Bytes,
    /// `x86_64` or `arm64`, if it changes.
    pub architecture: Option<String>,
    /// Whether to publish a version of it at once.
    pub publish: bool,
    /// Check everything and change nothing.
    pub dry_run: bool,
    /// The revision the caller has seen, if the update depends on it.
    pub revision: Option<RevisionId>,
}

impl Deployer {
    /// A deployer over the layers below. Must be called inside a tokio runtime.
    pub fn new(config: Config, deps: Deps) -> Self {
        let admissions = Arc::new(Semaphore::new(ADMISSIONS_MAX));
        let (tasks, snapshots, by) = (Tasks::new(), Tasks::new(), Actor::platform());
        Self { config, deps: Arc::new(deps), admissions, tasks, snapshots, snapshotting: Arc::default(), by }
    }

    /// The same deployer, whose changes are made in this name.
    pub fn acting(&self, by: Actor) -> Self {
        Self { by, ..self.clone() }
    }

    /// The records, changed in this deployer's name.
    pub(crate) fn registry(&self) -> Registry {
        self.deps.registry.acting(self.by.clone())
    }

    /// Takes up the changes that the last stop of the process interrupted.
    pub fn resume(&self) {
        for (name, revision, code) in self.deps.registry.unfinished() {
            self.finish(name, revision, code);
        }
        self.take_up_snapshots();
        self.hear_of_snapshots();
    }

    /// Records what becomes of snapshots that nobody waited for, until the runtime is gone.
    fn hear_of_snapshots(&self) {
        let Some(mut ends) = self.deps.runtime.snapshot_ends() else { return };
        let registry = Arc::downgrade(&self.deps.registry);
        self.snapshots.spawn(async move {
            while let Some(SnapshotEnd { name, version, end }) = ends.recv().await {
                let (Some(registry), Version::Number(number)) = (registry.upgrade(), version) else { return };
                if let Err(error) = registry.end_snapshot(&name, number, end).await {
                    tracing::error!(function = %name, number, %error, "what became of a snapshot could not be recorded");
                }
            }
        });
    }

    /// Takes up the versions whose snapshot is still to be made.
    pub(crate) fn take_up_snapshots(&self) {
        for (name, version) in self.deps.registry.snapshots_wanted() {
            self.snapshot(name, version);
        }
    }

    /// Waits for changes under way, at most this long; answers whether they all
    /// ended. What is left is taken up at the next start.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.tasks.drain(grace).await
    }

    /// Creates a function: Pending when this returns, Active when its code is
    /// ready. Dropped half-way, it is there or it is not.
    pub async fn create(&self, create: Create) -> Result<FunctionView, DeployError> {
        let Create { name, configuration, upload, tags, publish } = create;
        if self.deps.registry.catalog().function(&name).is_some() {
            // Before the upload is looked at; asked again when it is recorded.
            return Err(lamina_registry::Error::FunctionExists(name).into());
        }
        let admitted = self.admitted(&name, &configuration.runtime, upload).await?;
        let code = self.store(admitted).await?;
        let new = NewFunction { name, configuration, code, tags, publish };
        self.to_its_end(move |this| async move {
            let change = this.registry().create_function(new).await?;
            Ok(this.begun(change))
        })
        .await
    }

    /// Begins an update of the code; the old code serves until the new is ready.
    /// Dropped half-way, it is begun or it is not.
    pub async fn update_code(&self, update: UpdateCode) -> Result<FunctionView, DeployError> {
        let UpdateCode { name, upload, architecture, publish, dry_run, revision } = update;
        let catalog = self.deps.registry.catalog();
        let Some(shown) = catalog.function(&name).and_then(|function| function.view(Version::Latest)) else {
            return Err(lamina_registry::Error::FunctionNotFound(name).into());
        };
        let admitted = self.admitted(&name, &shown.configuration.runtime, upload).await?;
        let code = if dry_run { admitted.code } else { self.store(admitted).await? };
        let update = CodeUpdate { name, code, architecture, publish, revision };
        if dry_run {
            return Ok(self.deps.registry.preview_code(update)?);
        }
        self.to_its_end(move |this| async move {
            let change = this.registry().update_code(update).await?;
            Ok(this.begun(change))
        })
        .await
    }

    /// Begins an update of the configuration; the old one serves until it is in
    /// force. Dropped half-way, it is begun or it is not.
    pub async fn update_configuration(&self, update: ConfigurationUpdate) -> Result<FunctionView, DeployError> {
        self.to_its_end(move |this| async move {
            let change = this.deps.registry.update_configuration(update).await?;
            Ok(this.begun(change))
        })
        .await
    }

    /// Publishes `$LATEST`, if its code may still run: a version must not begin its
    /// life refused. The snapshot that it may ask for is made in the background. Dropped
    /// half-way, the version is there or it is not.
    pub async fn publish_version(&self, publish: PublishVersion) -> Result<FunctionView, DeployError> {
        let function = FunctionRef { name: publish.name.clone(), qualifier: None };
        // What cannot run for another reason is the registry's to name.
        if let Ok(function) = self.deps.registry.resolve(&function) {
            self.deps.runtime.prepare_function(&function).await.map_err(unprepared)?;
        }
        self.to_its_end(move |this| async move {
            let view = this.deps.registry.publish_version(publish).await?;
            if view.snapshot == Some(Snapshot::Wanted) {
                this.snapshot(view.name.clone(), view.version);
            }
            Ok(view)
        })
        .await
    }

    /// Deletes a version, or the function. Calls under way run to their end.
    pub async fn delete(&self, name: &FunctionName, version: Option<u64>) -> Result<(), DeployError> {
        let name = name.clone();
        self.to_its_end(move |this| async move {
            let registry = &this.deps.registry;
            let before = registry.referenced();
            registry.delete(&name, version).await?;
            let after = registry.referenced();
            for component in before.difference(&after) {
                this.deps.runtime.forget(component);
            }
            Ok(())
        })
        .await
    }

    /// Trusts a key no longer, and checks all code again before it is called
    /// next. Calls under way run to their end.
    pub async fn revoke(&self, key_id: &str) -> Result<(), DeployError> {
        let key_id = key_id.to_owned();
        self.to_its_end(move |this| async move {
            let revoked = this.registry().revoke(&key_id).await;
            // Whatever came of it: a key that is not there must not serve either.
            this.deps.runtime.recheck();
            Ok(revoked?)
        })
        .await
    }

    /// An upload, as it came.
    pub async fn package(&self, digest: &Digest) -> Result<Bytes, DeployError> {
        Ok(self.deps.artifacts.get(digest).await?)
    }

    /// Runs a change with all that follows from it: a caller that leaves half-way
    /// must not leave a record behind that nobody acts on.
    pub(crate) async fn to_its_end<T, F>(&self, change: impl FnOnce(Self) -> F) -> Result<T, DeployError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeployError>> + Send + 'static,
    {
        self.tasks.detach_on_drop(change(self.clone())).await
    }

    /// A change that was recorded goes on; answers what its caller is shown.
    fn begun(&self, change: Change) -> FunctionView {
        self.finish(change.view.name.clone(), change.revision, change.view.code.clone());
        change.view
    }

    /// Makes the code of a change ready and puts the change in force.
    fn finish(&self, name: FunctionName, revision: RevisionId, code: Code) {
        let (this, registry, runtime) = (self.clone(), self.deps.registry.clone(), self.deps.runtime.clone());
        self.tasks.spawn(async move {
            let end = match code.kind {
                CodeKind::Component { component, .. } => runtime.prepare(&component).await.map_err(failure),
                // Nothing of it is compiled.
                CodeKind::Package { .. } => Ok(()),
            };
            if let Err(failure) = &end {
                tracing::warn!(function = %name, reason = %failure.reason, "a deployment failed");
            }
            if let Err(error) = registry.complete(&name, &revision, end).await {
                tracing::error!(function = %name, %error, "a deployment could not be put in force");
            }
            for (_, version) in registry.snapshots_wanted().into_iter().filter(|(wanting, _)| *wanting == name) {
                this.snapshot(name.clone(), version);
            }
            // The first call need not wait for its files, and none for its bundle.
            let function = registry.resolve(&FunctionRef { name, qualifier: None });
            if let Ok(function) = function.as_ref()
                && function.managed.is_some()
                && let Err(error) = runtime.prepare_function(function).await
            {
                tracing::warn!(function = %function.name, %error, "code could not be made ready: its call says why");
            }
        });
    }
}

impl Deployer {
    /// Makes the snapshot of a version that waits for it, and the version Active. One that
    /// could not be made waits on: for the next start, or the next collection.
    fn snapshot(&self, name: FunctionName, version: Version) {
        let Version::Number(number) = version else { return };
        let key = (name.clone(), number);
        let mut snapshotting = self.snapshotting();
        if snapshotting.len() >= SNAPSHOTS_WAITING_MAX || !snapshotting.insert(key.clone()) {
            return;
        }
        drop(snapshotting);
        let this = self.clone();
        self.snapshots.spawn(async move {
            let function = FunctionRef { name, qualifier: Some(Qualifier::Version(version)) };
            this.make_snapshot(&function, number).await;
            this.snapshotting().remove(&key);
        });
    }

    async fn make_snapshot(&self, function: &FunctionRef, number: u64) {
        let Deps { registry, runtime, .. } = &*self.deps;
        let end = match registry.resolve(function) {
            Ok(resolved) => match runtime.snapshot(&resolved).await {
                Ok(()) => Ok(()),
                Err(NoSnapshot::Failed(reason)) => {
                    tracing::warn!(function = %function.name, number, reason, "a snapshot could not be made yet");
                    return;
                }
                Err(error @ (NoSnapshot::Refused(_) | NoSnapshot::Own { .. })) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = registry.end_snapshot(&function.name, number, end).await {
            tracing::error!(function = %function.name, number, %error, "a snapshot could not be recorded");
        }
    }

    fn snapshotting(&self) -> MutexGuard<'_, HashSet<(FunctionName, u64)>> {
        self.snapshotting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn unprepared(error: PrepareError) -> DeployError {
    match error {
        PrepareError::Refused { reason, .. } => DeployError::Unverified(reason),
        PrepareError::Unusable { .. } | PrepareError::QueueFull { .. } | PrepareError::Internal { .. } => {
            DeployError::Artifacts(error.to_string())
        }
    }
}

/// As the model's StateReasonCode and LastUpdateStatusReasonCode have it.
fn failure(error: PrepareError) -> Failure {
    let code = match &error {
        PrepareError::Refused { .. } => "InvalidZipFileException",
        PrepareError::Unusable { .. } => "InvalidRuntime",
        PrepareError::QueueFull { .. } | PrepareError::Internal { .. } => "InternalError",
    };
    Failure { code: code.to_owned(), reason: error.to_string() }
}

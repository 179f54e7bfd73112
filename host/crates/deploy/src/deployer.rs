//! Changes of functions: admitted and recorded at once, put in force when their
//! code is ready.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lamina_artifacts::Artifacts;
use lamina_kit::Tasks;
use lamina_registry::{CodeUpdate, ConfigurationUpdate, Failure, NewFunction, Registry};
use lamina_runtime::{PrepareError, Runtime};
use lamina_types::records::{Configuration, FunctionView};
use lamina_types::{Digest, FunctionName, RevisionId};

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

/// See the crate. Shared behind an `Arc`.
pub struct Deployer {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    tasks: Tasks,
}

/// A function to be made.
#[derive(Debug)]
pub struct Create {
    /// Its name.
    pub name: FunctionName,
    /// Its configuration.
    pub configuration: Configuration,
    /// A component, or a zip with it.
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
    /// A component, or a zip with it.
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
        Self { config, deps, tasks: Tasks::new() }
    }

    /// Takes up the changes that the last stop of the process interrupted.
    pub fn resume(&self) {
        for (name, revision, code) in self.deps.registry.unfinished() {
            self.finish(name, revision, code.component);
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
        let admitted = self.admit(upload).await?;
        let code = self.store(admitted).await?;
        let component = code.component;
        let new = NewFunction { name, configuration, code, tags, publish };
        let change = self.deps.registry.create_function(new).await?;
        self.finish(change.view.name.clone(), change.revision, component);
        Ok(change.view)
    }

    /// Begins an update of the code; the old code serves until the new is ready.
    /// Dropped half-way, it is begun or it is not.
    pub async fn update_code(&self, update: UpdateCode) -> Result<FunctionView, DeployError> {
        let UpdateCode { name, upload, architecture, publish, dry_run, revision } = update;
        let catalog = self.deps.registry.catalog();
        if catalog.function(&name).is_none() {
            return Err(lamina_registry::Error::FunctionNotFound(name).into());
        }
        let admitted = self.admit(upload).await?;
        let code = if dry_run { admitted.code } else { self.store(admitted).await? };
        let component = code.component;
        let update = CodeUpdate { name, code, architecture, publish, revision };
        if dry_run {
            return Ok(self.deps.registry.preview_code(update)?);
        }
        let change = self.deps.registry.update_code(update).await?;
        self.finish(change.view.name.clone(), change.revision, component);
        Ok(change.view)
    }

    /// Begins an update of the configuration; the old one serves until it is in
    /// force. Dropped half-way, it is begun or it is not.
    pub async fn update_configuration(&self, update: ConfigurationUpdate) -> Result<FunctionView, DeployError> {
        let change = self.deps.registry.update_configuration(update).await?;
        let component = change.view.code.component;
        self.finish(change.view.name.clone(), change.revision, component);
        Ok(change.view)
    }

    /// Deletes a version, or the function. Calls under way run to their end.
    pub async fn delete(&self, name: &FunctionName, version: Option<u64>) -> Result<(), DeployError> {
        let registry = &self.deps.registry;
        let before = registry.referenced();
        registry.delete(name, version).await?;
        let after = registry.referenced();
        for component in before.difference(&after) {
            self.deps.runtime.forget(component);
        }
        Ok(())
    }

    /// Trusts a key no longer, and checks all code again before it is called
    /// next. Calls under way run to their end.
    pub async fn revoke(&self, key_id: &str) -> Result<(), DeployError> {
        self.deps.registry.revoke(key_id).await?;
        self.deps.runtime.recheck();
        Ok(())
    }

    /// An upload, as it came.
    pub async fn package(&self, digest: &Digest) -> Result<Bytes, DeployError> {
        Ok(self.deps.artifacts.get(digest).await?)
    }

    /// Makes the code of a change ready and puts the change in force.
    fn finish(&self, name: FunctionName, revision: RevisionId, component: Digest) {
        let (registry, runtime) = (self.deps.registry.clone(), self.deps.runtime.clone());
        self.tasks.spawn(async move {
            let end = runtime.prepare(&component).await.map_err(failure);
            if let Err(failure) = &end {
                tracing::warn!(function = %name, reason = %failure.reason, "a deployment failed");
            }
            if let Err(error) = registry.complete(&name, &revision, end).await {
                tracing::error!(function = %name, %error, "a deployment could not be put in force");
            }
        });
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

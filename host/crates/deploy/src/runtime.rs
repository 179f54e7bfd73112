//! Managed runtimes on their way in: verified, validated, stored, compiled, recorded.

use std::collections::BTreeMap;

use bytes::Bytes;
use lamina_registry::Event;
use lamina_types::{Digest, InstalledRuntime, Language, Timestamp, World};

use crate::admit::verified;
use crate::deployer::{Deployer, unprepared};
use crate::error::DeployError;

/// A managed runtime to be installed.
#[derive(Debug)]
pub struct InstallRuntime {
    /// The component, signed.
    pub component: Bytes,
    /// The language that it runs.
    pub language: Language,
    /// For people.
    pub description: String,
    /// What is in it, each with its version.
    pub versions: BTreeMap<String, String>,
    /// Now.
    pub installed: Timestamp,
}

impl Deployer {
    /// Installs a managed runtime and makes it its language's current one. It can be
    /// used when this returns. Whether it was not installed before. Dropped half-way,
    /// it is installed or it is not.
    pub async fn install_runtime(&self, install: InstallRuntime) -> Result<(InstalledRuntime, bool), DeployError> {
        let bytes = install.component.clone();
        let admitted = self.admit_runtime(install).await;
        let version = match admitted {
            Ok(version) => version,
            Err(error) => {
                let digest = tokio::task::spawn_blocking(move || Digest::of(&bytes)).await;
                let digest = digest.map_err(|error| DeployError::Artifacts(error.to_string()))?;
                let event = Event::new("RuntimeRefused").with("component", digest.to_string());
                self.registry().audit(event.because(&error.to_string())).await?;
                return Err(error);
            }
        };
        self.deps.artifacts.put(bytes).await?;
        self.to_its_end(move |this| async move {
            this.deps.runtime.prepare_runtime(&version.component).await.map_err(unprepared)?;
            let is_new = this.registry().install_runtime(version.clone()).await?;
            Ok((version, is_new))
        })
        .await
    }

    /// Every check of a managed runtime; nothing is stored.
    async fn admit_runtime(&self, install: InstallRuntime) -> Result<InstalledRuntime, DeployError> {
        let (signing, catalog) = (self.config.signing, self.deps.registry.catalog());
        let permit = self.admissions.clone().acquire_owned().await;
        let permit = permit.map_err(|error| DeployError::Artifacts(error.to_string()))?;
        let work = move || {
            let _permit = permit;
            let InstallRuntime { component, language, description, versions, installed } = install;
            let signers = verified(signing, &component, catalog.keys())?;
            let world = lamina_runtime::inspect(&component)?;
            if world != World::ManagedRuntime {
                let text = format!("the component is a {} component, not a managed runtime", world.name());
                return Err(DeployError::Package(text));
            }
            let (bytes, component) = (component.len() as u64, Digest::of(&component));
            Ok(InstalledRuntime { component, bytes, language, description, versions, installed, signers })
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| DeployError::Artifacts(error.to_string()))?
    }

    /// Makes an installed managed runtime its language's current one.
    pub async fn make_runtime_current(&self, component: &Digest) -> Result<InstalledRuntime, DeployError> {
        Ok(self.registry().make_runtime_current(component).await?)
    }

    /// Forgets a managed runtime that no function runs on.
    pub async fn remove_runtime(&self, component: &Digest) -> Result<(), DeployError> {
        self.registry().remove_runtime(component).await?;
        self.deps.runtime.forget(component);
        Ok(())
    }
}

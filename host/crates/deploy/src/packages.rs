//! Packages: whether they may run, and their files.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use lamina_artifacts::{Artifacts, Error as ArtifactError, PackageFile};
use lamina_package::Package;
use lamina_registry::Registry;
use lamina_runtime::{PackageError, Packages};
use lamina_types::Digest;
use tokio::sync::Semaphore;

use crate::check::{Told, verify_package};
use crate::signing::Signing;
use crate::typescript::{EraseError, Eraser};

/// Packages that are made ready at a time: each may unpack to 250 MB.
const MADE_READY_MAX: usize = 4;

/// The platform's policy over packages, for the runtime.
pub fn packages(signing: Signing, registry: Arc<Registry>, artifacts: Artifacts) -> Arc<dyn Packages> {
    let making = Arc::new(Semaphore::new(MADE_READY_MAX));
    Arc::new(Files { signing, registry, artifacts, eraser: Eraser::default(), told: Arc::default(), making })
}

#[derive(Clone)]
struct Files {
    signing: Signing,
    registry: Arc<Registry>,
    artifacts: Artifacts,
    eraser: Eraser,
    told: Arc<Told>,
    making: Arc<Semaphore>,
}

#[async_trait]
impl Packages for Files {
    async fn ready(&self, package: &Digest) -> Result<(), PackageError> {
        let digest = *package;
        let permit = self.making.clone().acquire_owned().await;
        let permit = permit.map_err(|error| PackageError::Internal(error.to_string()))?;
        let zip = self.artifacts.get(package).await.map_err(unread)?;
        let this = self.clone();
        let ready = tokio::task::spawn_blocking(move || {
            // Kept when nobody waits any more.
            let _permit = permit;
            this.make_ready(&digest, &zip)
        });
        let ready = ready.await;
        let ready = ready.map_err(|error| PackageError::Internal(error.to_string()))?;
        match &ready {
            Err(PackageError::Refused(reason)) => {
                self.told.tell(&self.registry, "package", package, reason);
                tracing::warn!(%package, reason, "code is refused");
            }
            Err(PackageError::Internal(_)) => {}
            Ok(()) => self.told.forget(package),
        }
        ready
    }
}

/// A package that is gone or changed is refused; a disk that fails is our fault.
fn unread(error: ArtifactError) -> PackageError {
    match &error {
        ArtifactError::Missing(_) | ArtifactError::Corrupt(_) => PackageError::Refused(error.to_string()),
        _ => PackageError::Internal(error.to_string()),
    }
}

impl Files {
    /// Verifies the package, and makes its directory what it must be.
    fn make_ready(&self, digest: &Digest, zip: &Bytes) -> Result<(), PackageError> {
        let refused = |error: &dyn std::fmt::Display| PackageError::Refused(error.to_string());
        let package = Package::read(zip).map_err(|error| refused(&error))?;
        let verified = verify_package(self.signing, digest, &package, self.registry.catalog().keys());
        verified.map_err(|error| refused(&error))?;
        let files = package.files();
        let erased = self.eraser.erase(&files).map_err(|error| match error {
            EraseError::Zip(error) => refused(&error),
            EraseError::Failed(_) => PackageError::Internal(error.to_string()),
        })?;
        let given = || {
            let own = files.iter().map(|file| {
                let content = file.content().map_err(|error| error.to_string())?;
                Ok(PackageFile { name: file.name.to_owned(), content: content.into_owned() })
            });
            own.chain(erased.iter().cloned().map(Ok))
        };
        self.artifacts.unpack(digest, given).map_err(|error| PackageError::Internal(error.to_string()))
    }
}

//! An upload on its way in: unpacked, verified, validated, stored.

use bytes::Bytes;
use lamina_registry::Event;
use lamina_runtime::InspectError;
use lamina_signing::{Error as FileError, VerifyError};
use lamina_types::records::Code;
use lamina_types::{Digest, FunctionName};

use crate::check;
use crate::deployer::Deployer;
use crate::error::DeployError;
use crate::package::{self, UNREADABLE};
use crate::signing::Signing;

/// An upload that may be stored.
pub(crate) struct Admitted {
    pub(crate) code: Code,
    upload: Bytes,
    component: Bytes,
}

impl Deployer {
    /// As [`Deployer::admit`]; what is refused is told to the audit log.
    pub(crate) async fn admitted(&self, name: &FunctionName, upload: Bytes) -> Result<Admitted, DeployError> {
        let package = upload.clone();
        let admitted = self.admit(upload).await;
        if let Err(error) = &admitted {
            let package = tokio::task::spawn_blocking(move || Digest::of(&package)).await;
            let package = package.map_err(|error| DeployError::Artifacts(error.to_string()))?;
            let event = Event::new("CodeRefused").with("function", name.as_str());
            self.registry().audit(event.with("package", package.to_string()).because(&error.to_string())).await?;
        }
        admitted
    }

    /// Every check of an upload; nothing is stored.
    pub(crate) async fn admit(&self, upload: Bytes) -> Result<Admitted, DeployError> {
        let (signing, catalog) = (self.config.signing, self.deps.registry.catalog());
        let permit = self.admissions.clone().acquire_owned().await;
        let permit = permit.map_err(|error| DeployError::Artifacts(error.to_string()))?;
        // Hashing and validating take milliseconds: not on a thread that serves.
        let work = move || {
            // Given back when the work ends, not when its caller leaves.
            let _permit = permit;
            let component = package::component(&upload)?;
            let signers = verified(signing, &component, catalog.keys())?;
            let world = lamina_runtime::inspect(&component)?;
            let package = Digest::of(&upload);
            let is_bare = component.len() == upload.len();
            let digest = if is_bare { package } else { Digest::of(&component) };
            let package_bytes = upload.len() as u64;
            let code = Code { package, package_bytes, component: digest, world, signers };
            Ok(Admitted { code, upload, component })
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| DeployError::Artifacts(error.to_string()))?
    }

    /// Stores an upload and the component in it.
    pub(crate) async fn store(&self, admitted: Admitted) -> Result<Code, DeployError> {
        let Admitted { code, upload, component } = admitted;
        self.deps.artifacts.put(upload).await?;
        if code.component != code.package {
            self.deps.artifacts.put(component).await?;
        }
        Ok(code)
    }
}

/// As [`check::verify`], with each failure told apart for the API.
fn verified(
    signing: Signing,
    component: &[u8],
    keys: &[lamina_signing::PublicKey],
) -> Result<Vec<String>, DeployError> {
    check::verify(signing, component, keys).map_err(|error| match error {
        // Not a component at all: the validator says it better.
        VerifyError::File(FileError::NotComponent(_) | FileError::Damaged { .. }) => {
            match lamina_runtime::inspect(component) {
                // Lambda's words for what is no zip, and ours for what it should be.
                Err(reason @ InspectError::NotWasm(_)) => DeployError::Package(format!("{UNREADABLE} Or {reason}.")),
                Err(reason) => DeployError::Code(reason),
                Ok(_) => DeployError::Signature(error.to_string()),
            }
        }
        VerifyError::File(_) | VerifyError::Changed { .. } => DeployError::Signature(error.to_string()),
        VerifyError::NotSigned | VerifyError::OtherSigners { .. } => DeployError::Unverified(error.to_string()),
    })
}

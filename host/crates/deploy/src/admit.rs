//! An upload on its way in: unpacked, verified, validated, stored.

use bytes::Bytes;
use lamina_package::{Package, VerifyError as PackageVerifyError};
use lamina_registry::Event;
use lamina_runtime::InspectError;
use lamina_signing::{Error as FileError, PublicKey, VerifyError};
use lamina_types::records::{Code, CodeKind};
use lamina_types::{Digest, FunctionName, RuntimeKind, World};

use crate::check;
use crate::deployer::Deployer;
use crate::error::DeployError;
use crate::package::{self, UNREADABLE};
use crate::signing::Signing;

/// Why an interpreter is no function.
const MANAGED: &str = "the component is a managed runtime, which is no function: its operator installs it with \
                       `lamina runtime install`";

/// An upload that may be stored.
pub(crate) struct Admitted {
    pub(crate) code: Code,
    upload: Bytes,
    /// The component in it, where that is what runs.
    component: Option<Bytes>,
}

impl Deployer {
    /// As [`Deployer::admit`]; what is refused is told to the audit log.
    pub(crate) async fn admitted(
        &self,
        name: &FunctionName,
        runtime: &str,
        upload: Bytes,
    ) -> Result<Admitted, DeployError> {
        let package = upload.clone();
        let admitted = self.admit(runtime, upload).await;
        if let Err(error) = &admitted {
            let package = tokio::task::spawn_blocking(move || Digest::of(&package)).await;
            let package = package.map_err(|error| DeployError::Artifacts(error.to_string()))?;
            let event = Event::new("CodeRefused").with("function", name.as_str());
            self.registry().audit(event.with("package", package.to_string()).because(&error.to_string())).await?;
        }
        admitted
    }

    /// Every check of an upload for this runtime; nothing is stored.
    pub(crate) async fn admit(&self, runtime: &str, upload: Bytes) -> Result<Admitted, DeployError> {
        let (signing, catalog) = (self.config.signing, self.deps.registry.catalog());
        let (runtime, is_own) = (runtime.to_owned(), RuntimeKind::of(runtime) == RuntimeKind::Own);
        let permit = self.admissions.clone().acquire_owned().await;
        let permit = permit.map_err(|error| DeployError::Artifacts(error.to_string()))?;
        // Hashing and validating take milliseconds: not on a thread that serves.
        let work = move || {
            // Given back when the work ends, not when its caller leaves.
            let _permit = permit;
            match is_own {
                true => admit_component(signing, upload, catalog.keys()),
                false => admit_files(signing, upload, &runtime, catalog.keys()),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| DeployError::Artifacts(error.to_string()))?
    }

    /// Stores an upload and the component in it.
    pub(crate) async fn store(&self, admitted: Admitted) -> Result<Code, DeployError> {
        let Admitted { code, upload, component } = admitted;
        self.deps.artifacts.put(upload).await?;
        if let Some(component) = component
            && code.component() != Some(&code.package)
        {
            self.deps.artifacts.put(component).await?;
        }
        Ok(code)
    }
}

fn admit_component(signing: Signing, upload: Bytes, keys: &[PublicKey]) -> Result<Admitted, DeployError> {
    let whole = |package: &Package<'_>| {
        check::verify_package(signing, &Digest::of(&upload), package, keys).map(drop).map_err(unsigned)
    };
    let component = package::component(&upload, whole)?;
    let signers = verified(signing, &component, keys)?;
    let world = lamina_runtime::inspect(&component)?;
    if world == World::ManagedRuntime {
        return Err(DeployError::Package(MANAGED.to_owned()));
    }
    let package = Digest::of(&upload);
    let is_bare = component.len() == upload.len();
    let digest = if is_bare { package } else { Digest::of(&component) };
    let package_bytes = upload.len() as u64;
    let kind = CodeKind::Component { component: digest, world };
    let code = Code { package, package_bytes, kind, signers };
    Ok(Admitted { code, upload, component: Some(component) })
}

fn admit_files(signing: Signing, upload: Bytes, runtime: &str, keys: &[PublicKey]) -> Result<Admitted, DeployError> {
    let files = package::files(&upload, runtime)?;
    let package = Digest::of(&upload);
    // What is verified is unpacked by that; all is, whoever has signed it.
    let signers = check::verify_package(signing, &package, &files, keys).map_err(unsigned)?;
    if signers.is_empty() {
        files.check().map_err(|error| package::unread(&error))?;
    }
    let kind = CodeKind::Package { unpacked_bytes: files.unpacked_bytes() };
    let code = Code { package, package_bytes: upload.len() as u64, kind, signers };
    Ok(Admitted { code, upload, component: None })
}

/// Why a package is not let in, told apart for the API.
fn unsigned(error: PackageVerifyError) -> DeployError {
    match &error {
        PackageVerifyError::Zip(error) => package::unread(error),
        PackageVerifyError::NotSigned | PackageVerifyError::OtherSigners { .. } => {
            DeployError::Unverified(error.to_string())
        }
        PackageVerifyError::Malformed(_) | PackageVerifyError::Forged { .. } | PackageVerifyError::Changed { .. } => {
            DeployError::Signature(error.to_string())
        }
    }
}

/// As [`check::verify`], with each failure told apart for the API.
pub(crate) fn verified(signing: Signing, component: &[u8], keys: &[PublicKey]) -> Result<Vec<String>, DeployError> {
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

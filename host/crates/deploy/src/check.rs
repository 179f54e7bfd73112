//! Whether code may run: asked at deploy, and again at every load of an image.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use lamina_package::{Package, VerifyError as PackageVerifyError};
use lamina_registry::{Event, Registry};
use lamina_runtime::{CodeCheck, Refused};
use lamina_signing::{PublicKey, VerifyError};
use lamina_types::Digest;

use crate::signing::Signing;

/// The platform's policy over its trusted keys, for the runtime.
pub fn code_check(signing: Signing, registry: Arc<Registry>) -> Arc<dyn CodeCheck> {
    Arc::new(Check { signing, registry, told: Told::default() })
}

struct Check {
    signing: Signing,
    registry: Arc<Registry>,
    told: Told,
}

/// What the audit log was told of: a refused function may be called often.
#[derive(Default)]
pub(crate) struct Told {
    refused: Mutex<HashSet<Digest>>,
}

/// Refusals that are remembered; past it all are told again.
const REFUSED_MAX: usize = 10_000;

impl Told {
    /// Tells of code that is refused, `kind` and digest saying which, once.
    pub(crate) fn tell(&self, registry: &Registry, kind: &'static str, digest: &Digest, reason: &str) {
        {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.len() >= REFUSED_MAX {
                refused.clear();
            }
            if !refused.insert(*digest) {
                return;
            }
        }
        registry.audit_later(Event::new("CodeRefused").with(kind, digest.to_string()).because(reason));
    }

    /// Code that may run again: its next refusal is told.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}

impl CodeCheck for Check {
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused> {
        let catalog = self.registry.catalog();
        match verify(self.signing, component, catalog.keys()) {
            Ok(_) => {
                self.told.forget(digest);
                Ok(())
            }
            Err(error) => {
                self.told.tell(&self.registry, "component", digest, &error.to_string());
                tracing::warn!(component = %digest, %error, "code is refused");
                Err(Refused { reason: error.to_string() })
            }
        }
    }
}

/// The ids of the trusted keys that have signed the component, if the policy lets
/// it run.
pub(crate) fn verify(signing: Signing, component: &[u8], keys: &[PublicKey]) -> Result<Vec<String>, VerifyError> {
    if signing == Signing::Off {
        return Ok(Vec::new());
    }
    match lamina_signing::verify(component, keys) {
        Ok(verified) => Ok(verified.signers.iter().map(ToString::to_string).collect()),
        Err(error @ (VerifyError::NotSigned | VerifyError::OtherSigners { .. })) if signing == Signing::Warn => {
            let component = Digest::of(component);
            tracing::warn!(%component, %error, "code that nobody trusted has signed is admitted: the platform only warns");
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The same of a package, whose digest is only for the log.
pub(crate) fn verify_package(
    signing: Signing,
    digest: &Digest,
    package: &Package<'_>,
    keys: &[PublicKey],
) -> Result<Vec<String>, PackageVerifyError> {
    if signing == Signing::Off {
        return Ok(Vec::new());
    }
    match lamina_package::verify(package, None, keys) {
        Ok(verified) => Ok(verified.signers.iter().map(ToString::to_string).collect()),
        Err(error @ (PackageVerifyError::NotSigned | PackageVerifyError::OtherSigners { .. }))
            if signing == Signing::Warn =>
        {
            tracing::warn!(package = %digest, %error, "a package that nobody trusted has signed is admitted: the platform only warns");
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

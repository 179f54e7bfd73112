//! Whether code may run: asked at deploy, and again at every load of an image.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use lamina_registry::{Event, Registry};
use lamina_runtime::{CodeCheck, Refused};
use lamina_signing::{PublicKey, VerifyError};
use lamina_types::Digest;

use crate::signing::Signing;

/// The platform's policy over its trusted keys, for the runtime.
pub fn code_check(signing: Signing, registry: Arc<Registry>) -> Arc<dyn CodeCheck> {
    Arc::new(Check { signing, registry, refused: Mutex::default() })
}

struct Check {
    signing: Signing,
    registry: Arc<Registry>,
    /// What the audit log was told of: a refused function may be called often.
    refused: Mutex<HashSet<Digest>>,
}

/// Refusals that are remembered; past it all are told again.
const REFUSED_MAX: usize = 10_000;

impl Check {
    fn tell(&self, digest: &Digest, reason: &str) {
        {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.len() >= REFUSED_MAX {
                refused.clear();
            }
            if !refused.insert(*digest) {
                return;
            }
        }
        let event = Event::new("CodeRefused").with("component", digest.to_string()).because(reason);
        self.registry.audit_later(event);
    }

    fn forget(&self, digest: &Digest) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}

impl CodeCheck for Check {
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused> {
        let catalog = self.registry.catalog();
        match verify(self.signing, component, catalog.keys()) {
            Ok(_) => {
                self.forget(digest);
                Ok(())
            }
            Err(error) => {
                self.tell(digest, &error.to_string());
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

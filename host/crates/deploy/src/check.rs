//! Whether code may run: asked at deploy, and again at every load of an image.

use std::sync::Arc;

use lamina_registry::Registry;
use lamina_runtime::{CodeCheck, Refused};
use lamina_signing::{PublicKey, VerifyError};
use lamina_types::Digest;

use crate::signing::Signing;

/// The platform's policy over its trusted keys, for the runtime.
pub fn code_check(signing: Signing, registry: Arc<Registry>) -> Arc<dyn CodeCheck> {
    Arc::new(Check { signing, registry })
}

struct Check {
    signing: Signing,
    registry: Arc<Registry>,
}

impl CodeCheck for Check {
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused> {
        let catalog = self.registry.catalog();
        match verify(self.signing, component, catalog.keys()) {
            Ok(_) => Ok(()),
            Err(error) => {
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

//! Why code is not deployed. Nothing of it is left behind, but for artifacts that
//! no record names: they are collected at the next start.

use lamina_runtime::InspectError;

/// See the variants. All texts may be read by the caller, but for `Artifacts`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeployError {
    /// The records refuse the change.
    #[error(transparent)]
    Registry(#[from] lamina_registry::Error),
    /// The upload is no zip that we can read, or holds more than a component.
    #[error("{0}")]
    Package(String),
    /// The upload is no component of one of our worlds.
    #[error(transparent)]
    Code(#[from] InspectError),
    /// Nobody the platform trusts has signed it.
    #[error("{0}")]
    Unverified(String),
    /// Its signature is malformed, or does not fit what it signs.
    #[error("{0}")]
    Signature(String),
    /// Our own fault: the disk, or a task that died.
    #[error("{0}")]
    Artifacts(String),
}

impl From<lamina_artifacts::Error> for DeployError {
    fn from(error: lamina_artifacts::Error) -> Self {
        Self::Artifacts(error.to_string())
    }
}

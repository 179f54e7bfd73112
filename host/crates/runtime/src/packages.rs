//! Who makes the files of packages ready: the runtime reads no zips.

use async_trait::async_trait;
use lamina_types::Digest;

/// The version of what [`Packages`] derives of a package beside what its zip holds. With
/// another one bundles and snapshots are made anew: they hold what was derived.
pub const DERIVED_VERSION: u64 = 2;

/// Asked each time the code of a version with a package is loaded, before its
/// directory is opened (`Artifacts::files_dir`).
#[async_trait]
pub trait Packages: Send + Sync + 'static {
    /// Sees to it that the package may still run and that its directory holds what
    /// the zip says: its signature is verified as the platform's policy has it, and
    /// each of its files compared or written anew. Cancel-safe.
    async fn ready(&self, package: &Digest) -> Result<(), PackageError>;
}

/// Why a package's files are not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It may not run; the caller may read why.
    #[error("{0}")]
    Refused(String),
    /// Our own fault, which can be tried again: the disk, or a task that died.
    #[error("{0}")]
    Internal(String),
}

//! What can go wrong with a backup, a restore and a look at a directory.

use std::io;
use std::path::{Path, PathBuf};

use lamina_types::Digest;

use crate::keys::secrets_file;

/// See the variants.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The records.
    #[error(transparent)]
    Records(#[from] lamina_kv::Error),
    /// What the records say.
    #[error(transparent)]
    Registry(#[from] lamina_registry::Error),
    /// The artifacts.
    #[error(transparent)]
    Artifacts(#[from] lamina_artifacts::Error),
    /// The keys of the secrets.
    #[error("the keys of the secrets: {0}")]
    Secrets(#[from] secrets_file::Error),
    /// A backup of what is to come.
    #[error("there is no transaction {since} yet: the last one is {sequence}")]
    Ahead {
        /// What was asked for.
        since: u64,
        /// The last there is.
        sequence: u64,
    },
    /// An artifact that a backup needs is not as it was.
    #[error(
        "artifact {digest}, the code of {users}, is {how}: deploy that code again, or delete what uses it, then make \
         the backup again"
    )]
    Artifact {
        /// The artifact.
        digest: Digest,
        /// Damaged, or missing.
        how: &'static str,
        /// The versions that need it, with commas between.
        users: String,
    },
    /// A file of a directory.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A file that is no backup, or not one that follows.
    #[error("{file}: {reason}")]
    Refused {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: Refusal,
    },
    /// There is something where a directory is to be made.
    #[error("{0} is there already and not empty: name a directory that does not exist")]
    Exists(PathBuf),
    /// What was restored is not whole.
    #[error("what was restored is not whole: {0}")]
    Unsound(String),
    /// No data directory.
    #[error("{0} is not a data directory")]
    NoDirectory(PathBuf),
    /// A task died.
    #[error("a task did not end: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Why a file is not taken as a backup. Nothing is restored from it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It ends too early.
    #[error("it was cut off: make the backup again")]
    Cut,
    /// Bytes around the files.
    #[error("it is not a backup, or was changed: its outline is not one that this program writes")]
    Header,
    /// A name that no data directory has.
    #[error("it has an entry `{0}`, which no backup has")]
    Name(String),
    /// A name twice.
    #[error("it has two entries `{0}`")]
    Twice(String),
    /// An entry is larger than it can be.
    #[error("an entry is longer than {0} bytes")]
    TooLong(u64),
    /// Its making broke off, and it says why.
    #[error("its making broke off: {0}")]
    BrokeOff(String),
    /// No manifest at its end.
    #[error("it has no manifest: make the backup again")]
    NoManifest,
    /// The manifest cannot be read.
    #[error("its manifest cannot be read: {0}")]
    Manifest(String),
    /// Made by a later version.
    #[error("its format is {0}; this program knows 1: use the newer version that made it")]
    Newer(u32),
    /// The manifest is not what was signed.
    #[error("its manifest's signature does not hold: it was changed")]
    Signature,
    /// The host's key is missing or is none.
    #[error("it has no host.key of 32 bytes")]
    HostKey,
    /// A file is not as the manifest says.
    #[error("`{0}` is not as the manifest says: the backup was changed")]
    Content(String),
    /// An increment where a whole backup must be.
    #[error("it holds what changed since transaction {0}: restore a whole backup first, then this one")]
    Increment(u64),
    /// A whole backup where an increment must be.
    #[error("it is a whole backup: give it first, and after it only what was made with --since")]
    Whole,
    /// Something between is missing.
    #[error("it goes on from transaction {since}, and the files before it end with {reached}: one is missing between")]
    Gap {
        /// Where it begins.
        since: u64,
        /// How far the files before it go.
        reached: u64,
    },
    /// It goes back.
    #[error("it ends with transaction {sequence}, and the files before it with {reached}: give them in their order")]
    Order {
        /// Where it ends.
        sequence: u64,
        /// How far the files before it go.
        reached: u64,
    },
    /// A file that only grows is not what the backups before had of it.
    #[error("its `{0}` does not go on from the files before it: they are of a platform that went another way since")]
    History(String),
    /// Another platform's.
    #[error("it is the backup of another platform")]
    Foreign,
    /// The disk.
    #[error("{0}")]
    Io(io::Error),
}

impl Error {
    /// What happened to this file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Why this file is not taken.
    pub(crate) fn refused(file: &Path) -> impl FnOnce(Refusal) -> Self {
        let file = file.to_owned();
        move |reason| Self::Refused { file, reason }
    }
}

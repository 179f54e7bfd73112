//! What can go wrong with stored bytes.

use lamina_types::Digest;

/// See the variants.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such content.
    #[error("artifact {0} is missing: deploy the code again")]
    Missing(Digest),
    /// The stored bytes are not the ones that were put there.
    #[error("artifact {0} is damaged, its bytes no longer have this digest: deploy the code again")]
    Corrupt(Digest),
    /// More bytes came than may be stored.
    #[error("there are more than {bytes_max} bytes")]
    TooLarge {
        /// So many are allowed.
        bytes_max: u64,
    },
    /// The source of what was to be stored.
    #[error("reading what is to be stored: {0}")]
    Source(#[source] std::io::Error),
    /// A derived file's kind or name is not made of `[a-z0-9._-]`.
    #[error(
        "`{0}` is not a name for a derived file: allowed are lower-case letters, digits, dots, underscores and hyphens, not first a dot"
    )]
    Name(String),
    /// A package whose files are not unpacked: whoever runs it unpacks it first.
    #[error("the files of package {0} are not unpacked")]
    Unpacked(Digest),
    /// What was to be unpacked could not be given.
    #[error("{0}")]
    Content(String),
    /// The disk.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, and to what.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The blocking task died.
    #[error("an artifact task did not end: {0}")]
    Task(String),
}

pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Io { doing, source }
}

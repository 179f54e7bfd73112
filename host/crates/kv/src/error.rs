//! What can go wrong with the records.

/// See the variants.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process has the store open.
    #[error("the data directory {0} is in use by another process")]
    InUse(String),
    /// Made by a later version of this program.
    #[error("the data directory has format {found}; this program knows {known}: run the newer version that made it")]
    Newer {
        /// The format it has.
        found: u32,
        /// The newest we know.
        known: u32,
    },
    /// The format file is not ours, or is gone.
    #[error("the data directory's format file is not one of this program's: `{0}`")]
    Format(String),
    /// A key is too long.
    #[error("the key {key} of table {table} has {bytes} bytes; {max} are allowed")]
    KeyTooLong {
        /// The table.
        table: &'static str,
        /// The key's beginning.
        key: String,
        /// The size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A record does not fit.
    #[error("the record {key} of table {table} has {bytes} bytes; {max} are allowed")]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The key's beginning.
        key: String,
        /// The size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A transaction writes more than is allowed.
    #[error("the transaction writes more than {max} bytes")]
    TransactionTooLarge {
        /// The bound.
        max: usize,
    },
    /// A record is not of its table's shape.
    #[error("the record {key} of table {table} cannot be read or written: {reason}")]
    Shape {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A record was sealed with a key that is not among those given.
    #[error(
        "the record {key} of table {table} is sealed with key {id}, which is not among those given: \
         give it as an older key, on a line after the first"
    )]
    SealedBy {
        /// The table.
        table: &'static str,
        /// The key's beginning.
        key: String,
        /// The sealing key's name.
        id: String,
    },
    /// A sealed record is not what was sealed.
    #[error("the record {key} of table {table} is not what was sealed: it was changed, or belongs to another record")]
    Seal {
        /// The table.
        table: &'static str,
        /// The key's beginning.
        key: String,
    },
    /// The journal or an export is damaged, or was edited. Nothing was changed.
    #[error("{file} is damaged at byte {offset}: {reason}; see what is wrong with `lamina fsck`, or restore a backup")]
    Damaged {
        /// The file, within the data directory.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The disk took no more; nothing of it was written, and later ones may be.
    #[error("writing records: {reason}; nothing was changed, make room on the disk and try again")]
    Full {
        /// Why.
        reason: String,
    },
    /// The disk, or the engine. After one on writing, the store takes no more
    /// writes: what reached the disk is known only after it is opened again.
    #[error("{doing}: {reason}")]
    Storage {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// The transaction's own code panicked; nothing of it was written.
    #[error("the transaction did not end")]
    Unended,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn storage(doing: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Storage { doing, reason: reason.to_string() }
    }
}

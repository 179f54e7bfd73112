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
    /// The format file is not ours.
    #[error("the data directory's format file is not readable: `{0}`")]
    Format(String),
    /// A record does not fit.
    #[error("the record {key} of table {table} has {bytes} bytes; {max} are allowed")]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// The size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A stored record is not of its table's shape.
    #[error("the record {key} of table {table} cannot be read: {reason}")]
    Shape {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// The disk, or the engine.
    #[error("{doing}: {reason}")]
    Storage {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// The commit thread is gone: the store is closing.
    #[error("the store is closed")]
    Closed,
}

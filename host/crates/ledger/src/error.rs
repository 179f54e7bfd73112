//! What can go wrong with the ledger.

/// See the variants.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The records could not be read or written. What was to be added is kept in
    /// memory, and added the next time.
    #[error("the usage ledger: {0}")]
    Records(#[from] lamina_kv::Error),
}

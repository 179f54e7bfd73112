//! The feed of changes: what a watcher, and later a cluster, follows.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::frame::Read;

/// Transactions that a watcher may be behind.
const BEHIND_MAX: usize = 1_024;

/// A transaction that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its sequence number.
    pub sequence: u64,
    /// Table, key, and the value as it is stored; `None` for a removal.
    pub writes: Vec<(String, String, Option<Vec<u8>>)>,
}

impl Committed {
    pub(crate) fn new(sequence: u64, writes: Read<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let named = writes.into_iter().map(|(key, value)| {
            let at = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
            (text(&key[..at]), text(key.get(at + 1..).unwrap_or_default()), value.map(<[u8]>::to_vec))
        });
        Self { sequence, writes: named.collect() }
    }
}

/// Why a watcher gets no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// It was too slow, and has missed some: it must read the tables again.
    #[error("changes were missed: read the tables again")]
    Behind,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Follows the changes after [`Watch::from`].
#[derive(Debug)]
pub struct Watch {
    /// The last transaction that is not followed: what the tables hold already.
    pub from: u64,
    missed: bool,
    receiver: broadcast::Receiver<Arc<Committed>>,
}

impl Watch {
    /// The next transaction, in order; once some were missed, never another.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Result<Arc<Committed>, WatchError> {
        if self.missed {
            return Err(WatchError::Behind);
        }
        loop {
            match self.receiver.recv().await {
                // Acknowledged while the watch began.
                Ok(committed) if committed.sequence <= self.from => {}
                Ok(committed) => return Ok(committed),
                Err(RecvError::Lagged(_)) => {
                    self.missed = true;
                    return Err(WatchError::Behind);
                }
                Err(RecvError::Closed) => return Err(WatchError::Closed),
            }
        }
    }
}

/// The sending side.
#[derive(Clone)]
pub(crate) struct Feed(broadcast::Sender<Arc<Committed>>);

impl Feed {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BEHIND_MAX).0)
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn send(&self, committed: Committed) {
        // The last watcher may just have gone.
        let _ = self.0.send(Arc::new(committed));
    }

    /// `sequence` is read after the receiver is there: nothing is missed between.
    pub(crate) fn watch(&self, sequence: impl FnOnce() -> u64) -> Watch {
        let receiver = self.0.subscribe();
        Watch { from: sequence(), missed: false, receiver }
    }
}

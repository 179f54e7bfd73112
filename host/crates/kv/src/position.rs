//! Where the journal stands: what readers of its files may read, and whether a
//! checkpoint is due.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared by the threads that write and make checkpoints, and whoever asks.
pub(crate) struct Position {
    now: Mutex<Now>,
    removing: Mutex<()>,
    checkpoint_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// The last file, and how much of it counts.
    pub(crate) first: u64,
    pub(crate) at: u64,
    /// The last transaction that was acknowledged.
    pub(crate) sequence: u64,
    /// Bytes of the journal after the last checkpoint, or the last attempt at one.
    journal_bytes: u64,
    export_bytes: u64,
    under_way: bool,
    /// Backups that read the files: none of them may go.
    holds: usize,
}

impl Position {
    pub(crate) fn new(first: u64, at: u64, sequence: u64, sizes: (u64, u64), checkpoint_bytes: u64) -> Self {
        let (journal_bytes, export_bytes) = sizes;
        let now = Now { first, at, sequence, journal_bytes, export_bytes, under_way: false, holds: 0 };
        Self { now: Mutex::new(now), removing: Mutex::new(()), checkpoint_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Now {
        *self.lock()
    }

    pub(crate) fn appended(&self, first: u64, at: u64, sequence: u64, bytes: u64) {
        let mut now = self.lock();
        (now.first, now.at, now.sequence) = (first, at, sequence);
        now.journal_bytes += bytes;
    }

    pub(crate) fn rotated(&self, first: u64, at: u64) {
        let mut now = self.lock();
        (now.first, now.at) = (first, at);
    }

    /// Whether the journal has outgrown its last export.
    pub(crate) fn is_due(&self) -> bool {
        let now = self.lock();
        !now.under_way && now.journal_bytes >= self.checkpoint_bytes.max(2 * now.export_bytes)
    }

    pub(crate) fn begun(&self) {
        let mut now = self.lock();
        (now.under_way, now.journal_bytes) = (true, 0);
    }

    /// An attempt failed: the next one comes when the journal has grown as much again.
    pub(crate) fn put_off(&self) {
        let mut now = self.lock();
        (now.under_way, now.journal_bytes) = (false, 0);
    }

    pub(crate) fn ended(&self, export_bytes: Option<u64>) {
        let mut now = self.lock();
        now.under_way = false;
        now.export_bytes = export_bytes.unwrap_or(now.export_bytes);
    }

    /// Nothing is removed from now on; waits for a removal under way.
    pub(crate) fn hold(&self) {
        let _removing = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        self.lock().holds += 1;
    }

    pub(crate) fn release(&self) {
        let mut now = self.lock();
        now.holds = now.holds.saturating_sub(1);
    }

    /// Removes files unless they are held; nobody holds them before it is done.
    pub(crate) fn unless_held<T>(&self, remove: impl FnOnce() -> T) -> Option<T> {
        let _removing = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lock().holds > 0 { None } else { Some(remove()) }
    }
}

//! Lines that were not kept: how many, and of which groups that are not in memory any
//! more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lamina_types::Timestamp;

/// Lines that were dropped since the start, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// A call wrote more in a second than it may.
    pub rate: u64,
    /// A group was written faster than its lines could be kept.
    pub memory: u64,
    /// All groups in memory had lines that could not be kept, and one had to go.
    pub groups: u64,
}

/// What went with a group that had lines nobody had kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evicted {
    pub(super) lines: u64,
    pub(super) last_sequence: u64,
    /// Of its last line.
    pub(super) time: Timestamp,
    pub(super) stream: Arc<str>,
}

/// The counts, and the groups that are still to be told of it.
#[derive(Debug, Default)]
pub(super) struct Losses {
    rate: AtomicU64,
    memory: AtomicU64,
    groups: AtomicU64,
    evicted: Mutex<HashMap<Arc<str>, Evicted>>,
}

impl Losses {
    pub(super) fn counted(&self) -> Dropped {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Dropped { rate: load(&self.rate), memory: load(&self.memory), groups: load(&self.groups) }
    }

    pub(super) fn rate(&self, lines: u64) {
        self.rate.fetch_add(lines, Ordering::Relaxed);
    }

    pub(super) fn memory(&self, lines: u64) {
        self.memory.fetch_add(lines, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Evicted>> {
        self.evicted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A group goes with lines. Past so many groups they are counted only.
    pub(super) fn evict(&self, group: &Arc<str>, gone: Evicted, groups_max: usize) {
        self.groups.fetch_add(gone.lines, Ordering::Relaxed);
        let mut evicted = self.lock();
        if evicted.len() >= groups_max && !evicted.contains_key(group) {
            return;
        }
        let before = evicted.get(group).map_or(0, |before| before.lines);
        let lines = before.saturating_add(gone.lines);
        evicted.insert(group.clone(), Evicted { lines, ..gone });
    }

    /// So many lines up to this number were told of. Whether any were to be told of.
    pub(super) fn told(&self, group: &str, through: u64, lines: u64) -> bool {
        let mut evicted = self.lock();
        let Some(gone) = evicted.get_mut(group) else { return false };
        if gone.last_sequence <= through {
            evicted.remove(group);
        } else {
            gone.lines = gone.lines.saturating_sub(lines);
        }
        true
    }
}

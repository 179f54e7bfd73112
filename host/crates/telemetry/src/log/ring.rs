//! The rings, who appends to them, and how a reader follows one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use lamina_types::Timestamp;
use tokio::sync::Notify;

use super::page::{Bounds, Pages};

/// Bounds of the logs kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct LogsConfig {
    /// Lines kept in a group; the oldest go first, a sixteenth of them at a time.
    /// Default 10,000.
    pub group_lines_max: usize,
    /// Bytes of text kept in a group, and at most one line more. Default 4 MiB.
    pub group_bytes_max: usize,
    /// Groups kept; past it the group written to longest ago goes. Default 10,000.
    pub groups_max: usize,
    /// The longest line, in bytes; the rest is cut off and counted. Default 64 KiB.
    pub line_bytes_max: usize,
    /// Lines one call may write in a second. Default 10,000.
    pub call_lines_per_s: u32,
    /// Bytes one call may write in a second. Default 4 MiB.
    pub call_bytes_per_s: u32,
}

impl Default for LogsConfig {
    fn default() -> Self {
        Self {
            group_lines_max: 10_000,
            group_bytes_max: 4 << 20,
            groups_max: 10_000,
            line_bytes_max: 64 << 10,
            call_lines_per_s: 10_000,
            call_bytes_per_s: 4 << 20,
        }
    }
}

/// One line of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Rises by one with every line of its group, from 1.
    pub sequence: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The log stream.
    pub stream: Arc<str>,
    /// The text, without its newline.
    pub message: Box<str>,
}

/// All log groups of a platform. Clones share them.
#[derive(Debug, Clone)]
pub struct Logs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    groups: RwLock<HashMap<Arc<str>, Arc<Group>>>,
    config: LogsConfig,
}

/// One log group.
#[derive(Debug)]
pub(crate) struct Group {
    ring: Mutex<Ring>,
    appended: Notify,
    config: LogsConfig,
}

#[derive(Debug, Default)]
struct Ring {
    pages: Pages,
    last_time: u64,
}

/// Lines on their way into a group, in order; those who follow it are woken when
/// this is dropped.
pub(crate) struct Appending<'a> {
    // Given back before the waking.
    ring: Option<MutexGuard<'a, Ring>>,
    group: &'a Group,
    time: Timestamp,
    stream: &'a Arc<str>,
}

impl Appending<'_> {
    /// Appends the line that `write` writes, and answers it.
    pub(crate) fn line(&mut self, write: impl FnOnce(&mut String)) -> &str {
        let Some(ring) = &mut self.ring else { return "" };
        ring.pages.push(self.group.bounds(), self.time, self.stream, write)
    }
}

impl Drop for Appending<'_> {
    fn drop(&mut self) {
        self.ring = None;
        self.group.appended.notify_waiters();
    }
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bounds(&self) -> Bounds {
        Bounds { lines_max: self.config.group_lines_max, bytes_max: self.config.group_bytes_max }
    }

    /// Takes lines that were written at `time`; holds the group meanwhile.
    pub(crate) fn append<'a>(&'a self, time: Timestamp, stream: &'a Arc<str>) -> Appending<'a> {
        let mut ring = self.lock();
        ring.last_time = time.0;
        Appending { ring: Some(ring), group: self, time, stream }
    }

    fn read(&self, after: u64, lines_max: usize) -> Vec<LogEvent> {
        let ring = self.lock();
        // A reader from before a restart is ahead of the ring: it starts over.
        let after = if after > ring.pages.last_sequence() { 0 } else { after };
        ring.pages.after(after).take(lines_max).collect()
    }
}

impl Logs {
    /// Empty logs.
    pub fn new(config: LogsConfig) -> Self {
        Self { shared: Arc::new(Shared { groups: RwLock::default(), config }) }
    }

    /// The bounds in force.
    pub fn config(&self) -> &LogsConfig {
        &self.shared.config
    }

    pub(crate) fn group(&self, name: &Arc<str>) -> Arc<Group> {
        let groups = &self.shared.groups;
        if let Some(group) = groups.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return group.clone();
        }
        let mut groups = groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.len() >= self.shared.config.groups_max && !groups.contains_key(name) {
            let stalest = groups.iter().min_by_key(|(_, group)| group.lock().last_time).map(|(name, _)| name.clone());
            if let Some(stalest) = stalest {
                groups.remove(&stalest);
            }
        }
        let config = self.shared.config;
        let new = || Arc::new(Group { ring: Mutex::default(), appended: Notify::new(), config });
        groups.entry(name.clone()).or_insert_with(new).clone()
    }

    /// The lines of a group after this sequence number, oldest first; none
    /// when there is no such group.
    pub fn read(&self, group: &str, after: u64, lines_max: usize) -> Vec<LogEvent> {
        let groups = self.shared.groups.read().unwrap_or_else(PoisonError::into_inner);
        groups.get(group).map(|group| group.read(after, lines_max)).unwrap_or_default()
    }

    /// As [`Logs::read`]; when there is nothing yet, waits at most this long
    /// for a line. Cancel-safe.
    pub async fn follow(&self, group: &str, after: u64, lines_max: usize, wait: Duration) -> Vec<LogEvent> {
        let group = self.group(&group.into());
        let read = async {
            loop {
                let appended = group.appended.notified();
                tokio::pin!(appended);
                appended.as_mut().enable();
                let events = group.read(after, lines_max);
                if !events.is_empty() {
                    return events;
                }
                appended.await;
            }
        };
        tokio::time::timeout(wait, read).await.unwrap_or_default()
    }

    /// Forgets a group and its lines: its function was deleted.
    pub fn remove(&self, group: &str) {
        self.shared.groups.write().unwrap_or_else(PoisonError::into_inner).remove(group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(group_lines_max: usize, groups_max: usize) -> Logs {
        Logs::new(LogsConfig { group_lines_max, groups_max, ..LogsConfig::default() })
    }

    fn write(logs: &Logs, group: &str, at: u64, text: &str) {
        logs.group(&group.into()).append(Timestamp(at), &"s".into()).line(|line| line.push_str(text));
    }

    fn texts(logs: &Logs, group: &str, after: u64) -> Vec<String> {
        logs.read(group, after, 100).iter().map(|event| event.message.to_string()).collect()
    }

    #[test]
    fn a_ring_keeps_the_newest() {
        let logs = logs(2, 10);
        for (at, text) in ["a", "b", "c"].iter().enumerate() {
            write(&logs, "g", at as u64, text);
        }
        assert_eq!(texts(&logs, "g", 0), ["b", "c"]);
        assert_eq!(texts(&logs, "g", 2), ["c"]);
        assert_eq!(texts(&logs, "g", 3), [""; 0]);
        assert_eq!(texts(&logs, "g", 99), ["b", "c"], "a reader from before a restart starts over");
        assert_eq!(texts(&logs, "none", 0), [""; 0]);
    }

    #[test]
    fn the_stalest_group_goes_first() {
        let logs = logs(10, 2);
        write(&logs, "old", 1, "x");
        write(&logs, "new", 2, "x");
        write(&logs, "newest", 3, "x");
        assert_eq!((texts(&logs, "old", 0).len(), texts(&logs, "new", 0).len()), (0, 1));
    }

    #[tokio::test]
    async fn a_follower_wakes() {
        let logs = logs(10, 10);
        let follower = logs.follow("g", 0, 10, Duration::from_secs(60));
        let writer = async {
            tokio::task::yield_now().await;
            write(&logs, "g", 1, "x");
        };
        let (events, ()) = tokio::join!(follower, writer);
        assert_eq!(events.len(), 1);
        assert!(logs.follow("g", 1, 10, Duration::from_millis(1)).await.is_empty());
    }
}

//! The rings, who appends to them, and how a reader follows one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use lamina_types::Timestamp;
use tokio::sync::Notify;

use super::dropped::{Dropped, Losses};
use super::page::{Batch, Bounds, Origin, Pages};

/// A group whose lines take more than this part of its bytes is kept at once.
const HURRY_PART: usize = 4;

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
    unkept: Arc<Unkept>,
    losses: Arc<Losses>,
    /// The number before the first line of a group that is not there yet.
    floor: AtomicU64,
    config: LogsConfig,
}

/// Groups that have lines which nobody has kept, and who waits for them.
#[derive(Debug, Default)]
struct Unkept {
    waiting: Mutex<Waiting>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    groups: Vec<Arc<str>>,
    at_once: bool,
}

impl Unkept {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.lock().at_once = true;
        self.woken.notify_all();
    }
}

/// One log group.
#[derive(Debug)]
pub(crate) struct Group {
    name: Arc<str>,
    ring: Mutex<Ring>,
    appended: Notify,
    /// How many wait for that.
    followers: AtomicUsize,
    unkept: Arc<Unkept>,
    pub(super) losses: Arc<Losses>,
    config: LogsConfig,
}

#[derive(Debug, Default)]
struct Ring {
    pages: Pages,
    last_time: u64,
    /// Whether the group is among the unkept.
    said: bool,
    /// Whether it was said that it fills up.
    hurried: bool,
}

/// Lines on their way into a group, in order; those who follow it are woken when
/// this is dropped.
pub(crate) struct Appending<'a> {
    // Given back before the waking.
    ring: Option<MutexGuard<'a, Ring>>,
    group: &'a Group,
    time: Timestamp,
    origin: Origin<'a>,
}

impl Appending<'_> {
    /// Appends the line that `write` writes, and answers it.
    pub(crate) fn line(&mut self, write: impl FnOnce(&mut String)) -> &str {
        let Some(ring) = &mut self.ring else { return "" };
        ring.pages.push(self.group.bounds(), self.time, self.origin, write)
    }
}

impl Drop for Appending<'_> {
    fn drop(&mut self) {
        let mut hurry = false;
        let mut say = false;
        if let Some(ring) = &mut self.ring {
            say = !std::mem::replace(&mut ring.said, true);
            let fills = ring.pages.bytes() > self.group.config.group_bytes_max / HURRY_PART;
            hurry = fills && !std::mem::replace(&mut ring.hurried, true);
        }
        self.ring = None;
        // Once for each time that the group's lines are kept.
        if say {
            self.group.unkept.lock().groups.push(self.group.name.clone());
        }
        if hurry {
            self.group.unkept.wake();
        }
        // One who comes now sees the lines: it counts itself before it looks for them.
        if self.group.followers.load(Ordering::Relaxed) > 0 {
            self.group.appended.notify_waiters();
        }
    }
}

/// One who waits for lines.
struct Follower<'a>(&'a AtomicUsize);

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Group {
    /// To be held while [`Group::appended`] is waited for.
    fn follower(&self) -> Follower<'_> {
        self.followers.fetch_add(1, Ordering::Relaxed);
        Follower(&self.followers)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bounds(&self) -> Bounds {
        Bounds { lines_max: self.config.group_lines_max, bytes_max: self.config.group_bytes_max }
    }

    /// Takes lines that were written at `time`; holds the group meanwhile.
    pub(crate) fn append<'a>(&'a self, time: Timestamp, origin: Origin<'a>) -> Appending<'a> {
        let mut ring = self.lock();
        // What is told later than it was is no sign of being left alone.
        ring.last_time = ring.last_time.max(time.0);
        Appending { ring: Some(ring), group: self, time, origin }
    }

    fn read(&self, after: u64, lines_max: usize) -> Vec<LogEvent> {
        let ring = self.lock();
        // A reader from before a restart is ahead of the ring: it starts over.
        let after = if after > ring.pages.last_sequence() { 0 } else { after };
        ring.pages.after(after).take(lines_max).collect()
    }
}

impl Shared {
    /// Gives up the group written to longest ago, of those whose lines are all kept if
    /// there is one. One that a running call holds stays.
    fn make_room(&self, groups: &mut HashMap<Arc<str>, Arc<Group>>) {
        let stale = |group: &Arc<Group>| {
            let ring = group.lock();
            (Arc::strong_count(group) == 1).then(|| (!ring.pages.is_empty(), ring.said, ring.last_time))
        };
        let stalest = groups.iter().filter_map(|(name, group)| Some((stale(group)?, name.clone()))).min();
        let Some((_, name)) = stalest else { return };
        let Some(group) = groups.remove(&name) else { return };
        let ring = group.lock();
        self.floor.fetch_max(ring.pages.last_sequence(), Ordering::SeqCst);
        if let Some(gone) = ring.pages.evicted() {
            self.losses.evict(&name, gone, self.config.groups_max);
            self.unkept.lock().groups.push(name);
        }
    }
}

impl Logs {
    /// Empty logs.
    pub fn new(config: LogsConfig) -> Self {
        let (groups, unkept, losses, floor) = (RwLock::default(), Arc::default(), Arc::default(), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { groups, unkept, losses, floor, config }) }
    }

    /// Lines that were dropped since the start.
    pub fn dropped(&self) -> Dropped {
        self.shared.losses.counted()
    }

    /// The bounds in force.
    pub fn config(&self) -> &LogsConfig {
        &self.shared.config
    }

    pub(crate) fn group(&self, name: &Arc<str>) -> Arc<Group> {
        if let Some(group) = self.known(name) {
            return group;
        }
        let shared = &self.shared;
        let mut groups = shared.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.len() >= shared.config.groups_max && !groups.contains_key(name) {
            shared.make_room(&mut groups);
        }
        let new = || {
            let pages = Pages::after_sequence(shared.floor.load(Ordering::SeqCst));
            let ring = Mutex::new(Ring { pages, ..Ring::default() });
            let (unkept, losses, config) = (shared.unkept.clone(), shared.losses.clone(), shared.config);
            let (appended, followers) = (Notify::new(), AtomicUsize::new(0));
            Arc::new(Group { name: name.clone(), ring, appended, followers, unkept, losses, config })
        };
        groups.entry(name.clone()).or_insert_with(new).clone()
    }

    fn known(&self, name: &str) -> Option<Arc<Group>> {
        self.shared.groups.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The lines of a group after this sequence number, oldest first; none
    /// when there is no such group.
    pub fn read(&self, group: &str, after: u64, lines_max: usize) -> Vec<LogEvent> {
        self.known(group).map(|group| group.read(after, lines_max)).unwrap_or_default()
    }

    /// As [`Logs::read`]; when there is nothing yet, waits at most this long
    /// for a line. Cancel-safe.
    pub async fn follow(&self, group: &str, after: u64, lines_max: usize, wait: Duration) -> Vec<LogEvent> {
        let group = self.group(&group.into());
        let _follower = group.follower();
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

    /// Waits at most this long until a group has a line after this number.
    /// Cancel-safe.
    pub async fn appended(&self, group: &str, after: u64, wait: Duration) {
        let group = self.group(&group.into());
        let _follower = group.follower();
        let there = async {
            loop {
                let appended = group.appended.notified();
                tokio::pin!(appended);
                appended.as_mut().enable();
                if group.lock().pages.last_written() > after {
                    return;
                }
                appended.await;
            }
        };
        // Both ends are the same to the caller, who reads again.
        let _ = tokio::time::timeout(wait, there).await;
    }

    /// Appends lines that no call has written, each with its time.
    pub fn append<'a>(&self, group: &str, stream: &Arc<str>, lines: impl IntoIterator<Item = (Timestamp, &'a str)>) {
        let group = self.group(&group.into());
        for (time, text) in lines {
            group.append(time, Origin { stream, call: None }).line(|line| line.push_str(text));
        }
    }
}

/// For who keeps the lines: they stay in memory until they are released, or until
/// their group's bounds say that the oldest go.
impl Logs {
    /// Makes all numbers of groups that are not there yet greater than this one.
    pub fn number_after(&self, floor: u64) {
        self.shared.floor.fetch_max(floor, Ordering::SeqCst);
    }

    /// Waits so long, or until a group fills up or somebody calls
    /// [`Logs::wake`], and answers the groups that have lines which were not said
    /// here yet. Blocks.
    pub fn unkept(&self, wait: Duration) -> Vec<Arc<str>> {
        let unkept = &self.shared.unkept;
        let until = |waiting: &mut Waiting| !waiting.at_once;
        let waited = unkept.woken.wait_timeout_while(unkept.lock(), wait, until);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.at_once = false;
        std::mem::take(&mut waiting.groups)
    }

    /// The groups with lines that nobody has taken, whether [`Logs::unkept`] has said so
    /// or not: who was told of them may not have come to them yet.
    pub fn untaken(&self) -> Vec<Arc<str>> {
        let groups = self.shared.groups.read().unwrap_or_else(PoisonError::into_inner);
        groups.values().filter(|group| group.lock().said).map(|group| group.name.clone()).collect()
    }

    /// Makes a group one of the unkept again: its lines could not be kept.
    pub fn remind(&self, group: &str) {
        if let Some(group) = self.known(group) {
            group.lock().said = true;
            self.shared.unkept.lock().groups.push(group.name.clone());
        }
    }

    /// Ends the wait of [`Logs::unkept`].
    pub fn wake(&self) {
        self.shared.unkept.wake();
    }

    /// A copy of the first lines after this number, or what is to be said of lines that
    /// went with their group before. From here on new lines make the group one of the
    /// unkept again.
    pub fn batch(&self, group: &str, after: u64) -> Option<Batch> {
        // Held, so that no group goes between the two looks.
        let groups = self.shared.groups.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = self.shared.losses.lock().get(group) {
            return Some(Batch::of_evicted(gone));
        }
        let group = groups.get(group)?;
        let mut ring = group.lock();
        (ring.said, ring.hurried) = (false, false);
        ring.pages.batch(after)
    }

    /// As [`Logs::batch`], for who keeps nothing.
    pub fn peek(&self, group: &str, after: u64) -> Option<Batch> {
        self.known(group)?.lock().pages.batch(after)
    }

    /// Whether there are lines of a group in memory, or something is to be said of some.
    pub fn has_unkept(&self, group: &str) -> bool {
        let is_evicted = self.shared.losses.lock().contains_key(group);
        is_evicted || self.peek(group, 0).is_some()
    }

    /// So many lines of a group had gone before they could be kept, and this was said.
    pub fn said_lost(&self, lines: u64) {
        self.shared.losses.memory(lines);
    }

    /// Gives up lines with numbers up to this one, which are kept, and says that so
    /// many were known to be lost.
    pub fn release(&self, group: &str, through: u64, lost: u64) {
        // Of a group that went: then its ring has lost nothing of this.
        let lost = if self.shared.losses.told(group, through, lost) { 0 } else { lost };
        if let Some(group) = self.known(group) {
            group.lock().pages.release(through, lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(group_lines_max: usize, groups_max: usize) -> Logs {
        Logs::new(LogsConfig { group_lines_max, groups_max, ..LogsConfig::default() })
    }

    fn write(logs: &Logs, group: &str, at: u64, text: &str) {
        logs.group(&group.into())
            .append(Timestamp(at), Origin { stream: &"s".into(), call: None })
            .line(|line| line.push_str(text));
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
    fn lines_are_kept_once_and_released() {
        let logs = logs(1_000, 10);
        logs.number_after(100);
        write(&logs, "g", 1, "a");
        write(&logs, "g", 2, "b");
        write(&logs, "h", 3, "c");
        assert_eq!(logs.unkept(Duration::ZERO), ["g".into(), "h".into()] as [Arc<str>; 2]);
        assert!(logs.unkept(Duration::ZERO).is_empty(), "said once");
        let batch = logs.batch("g", 0).unwrap();
        let lines: Vec<_> = batch.lines().map(|line| (line.sequence, line.message.to_owned())).collect();
        assert_eq!(lines, [(101, "a".to_owned()), (102, "b".to_owned())]);
        write(&logs, "g", 4, "d");
        assert_eq!(logs.unkept(Duration::ZERO), ["g".into()] as [Arc<str>; 1], "again after it was taken");
        logs.release("g", 102, 0);
        // The page has a line that was not released.
        let batch = logs.batch("g", 102).unwrap();
        assert_eq!((batch.lines().count(), batch.last_sequence()), (1, 103));
        logs.release("g", 103, 0);
        assert!(logs.batch("g", 103).is_none() && texts(&logs, "g", 0).is_empty());
        write(&logs, "g", 5, "e");
        assert_eq!(logs.batch("g", 103).unwrap().lines().next().unwrap().sequence, 104);
    }

    #[test]
    fn what_came_too_fast_is_counted() {
        let logs = logs(2, 10);
        for text in ["a", "b", "c", "d", "e"] {
            write(&logs, "g", 1, text);
        }
        let batch = logs.batch("g", 0).unwrap();
        assert_eq!((batch.lost, batch.lines().next().unwrap().sequence), (3, 4));
        logs.release("g", batch.last_sequence(), batch.lost);
        assert_eq!(logs.batch("g", batch.last_sequence()).unwrap().lost, 0);
    }

    #[test]
    fn a_group_that_fills_up_wakes() {
        let config = LogsConfig { group_bytes_max: 4_000, ..LogsConfig::default() };
        let logs = Logs::new(config);
        write(&logs, "g", 1, &"x".repeat(1_001));
        // An hour, were it not for that.
        assert_eq!(logs.unkept(Duration::from_secs(3_600)).len(), 1);
    }

    /// When no group is kept, the one that goes leaves its count, for its own log.
    #[test]
    fn a_group_that_goes_with_lines_is_told_of() {
        let logs = logs(1_000, 2);
        for at in 1..=3 {
            write(&logs, "a", at, "x");
        }
        write(&logs, "b", 4, "x");
        assert_eq!(logs.dropped(), Dropped::default());
        write(&logs, "c", 5, "x");
        assert_eq!(logs.dropped(), Dropped { groups: 3, ..Dropped::default() });
        assert!(texts(&logs, "a", 0).is_empty() && logs.has_unkept("a"));
        assert!(logs.unkept(Duration::ZERO).contains(&"a".into()));
        let said = logs.batch("a", 0).unwrap();
        let last = said.evicted().unwrap();
        assert_eq!(
            (said.lost, said.lines().count(), last.sequence, last.time, &**last.stream),
            (3, 0, 3, Timestamp(3), "s")
        );
        // It comes back, and goes again, before anybody has said it.
        write(&logs, "a", 6, "again");
        let said = logs.batch("a", 0).unwrap();
        assert_eq!((said.lost, said.evicted().map(|last| last.sequence)), (3, Some(3)));
        write(&logs, "d", 7, "x");
        write(&logs, "e", 8, "x");
        let said = logs.batch("a", 0).unwrap();
        assert_eq!((said.lost, said.last_sequence()), (4, 4));
        logs.release("a", 3, 3);
        assert_eq!(logs.batch("a", 0).unwrap().lost, 1);
        logs.release("a", 4, 1);
        assert!(logs.batch("a", 0).is_none() && !logs.has_unkept("a"));
        assert_eq!(logs.dropped().groups, 6, "b and c went too");
    }

    #[test]
    fn the_stalest_group_goes_first() {
        let logs = logs(10, 2);
        write(&logs, "old", 1, "x");
        write(&logs, "new", 2, "x");
        write(&logs, "newest", 3, "x");
        assert_eq!((texts(&logs, "old", 0).len(), texts(&logs, "new", 0).len()), (0, 1));
        // One whose lines are kept goes before all others.
        logs.release("newest", u64::MAX - 1, 0);
        write(&logs, "more", 4, "x");
        assert_eq!((texts(&logs, "new", 0).len(), logs.has_unkept("newest")), (1, false));
    }

    /// Numbers begin after those of the last start: that alone is no line.
    #[tokio::test]
    async fn a_reader_of_before_a_restart_waits_for_a_line() {
        let logs = logs(10, 10);
        logs.number_after(1_000);
        let waited = logs.appended("g", 500, Duration::from_secs(3_600));
        tokio::pin!(waited);
        assert!(futures_poll(waited.as_mut()).await.is_pending(), "there is no line");
        write(&logs, "g", 1, "x");
        waited.await;
        assert_eq!(logs.batch("g", 500).unwrap().last_sequence(), 1_001);
    }

    /// Polls once.
    async fn futures_poll<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> std::task::Poll<T> {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx))).await
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

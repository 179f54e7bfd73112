//! Waiting natively, for tests: the thread parks, and other threads may wake it.

// Tests of handlers run in real time.
#![expect(clippy::disallowed_methods, reason = "handlers under test sleep on the real clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Something to wait for: a point in time; `None` is further away than it can say.
pub(crate) struct Source(Option<Instant>);

impl Source {
    /// Ready once `duration` has passed.
    pub(crate) fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.is_some_and(|instant| instant <= Instant::now())
    }
}

/// Notes that the future can go on, and wakes the thread that runs it.
pub(crate) struct Alarm {
    rung: AtomicBool,
    thread: Thread,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { rung: AtomicBool::new(false), thread: thread::current() }
    }
}

impl Alarm {
    pub(crate) fn take(&self) -> bool {
        self.rung.swap(false, Ordering::Acquire)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Sleeps until a source is ready or another thread rings, and says which sources
/// are ready.
pub(crate) fn wait<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<usize> {
    let sources: Vec<_> = sources.collect();
    match sources.iter().filter_map(|source| source.0).min() {
        Some(earliest) => thread::park_timeout(earliest.saturating_duration_since(Instant::now())),
        None => thread::park(),
    }
    (0..sources.len()).filter(|&index| sources[index].is_ready()).collect()
}

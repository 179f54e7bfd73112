//! The meter of one function and version, and a call while it runs.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lamina_types::{MemoryMib, Timestamp, Usage};

use crate::counters::Counters;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::minutes::Minutes;

const MINUTE_S: u64 = 60;
pub(crate) const HOUR_MINUTES: u64 = 60;

/// The minute of a moment, since the Unix epoch.
pub(crate) fn minute(time: Timestamp) -> u64 {
    // Half a word holds it for 8,000 years.
    (time.seconds() / MINUTE_S).min(u64::from(u32::MAX))
}

/// What a call used that ran.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// How it ended, how long it took, its fuel and memory.
    pub usage: Usage,
    /// MemorySize.
    pub memory: MemoryMib,
    /// Billed duration, in milliseconds.
    pub billed_ms: u64,
    /// Bytes of its event; those of a body that comes as it is read go to its
    /// [`Traffic`].
    pub bytes_in: u64,
    /// Bytes of its answer, likewise.
    pub bytes_out: u64,
}

/// Places where calls that end at the same time are counted apart.
const SHARDS: usize = 4;

/// Counts of one function and version.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    shards: [Shard; SHARDS],
    state: Mutex<State>,
    pub(crate) gauge: Gauge,
    /// Of all functions together.
    all: Arc<Gauge>,
    all_minutes: Arc<Mutex<Minutes>>,
}

/// Calls that ended on some of the threads since somebody looked; apart in memory, too,
/// for what two processors write in turns costs more than all the counting.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Recent>);

/// Calls of one minute.
#[derive(Debug, Default)]
struct Recent {
    minute: u64,
    counters: Counters,
    durations: Histogram,
}

impl Recent {
    fn is_empty(&self) -> bool {
        self.counters.invocations == 0
    }
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Since the platform started.
    pub(crate) total: Counters,
    pub(crate) durations: Histogram,
    pub(crate) minutes: Minutes,
    /// What the ledger has not got yet, by hours since the Unix epoch: one or two.
    pub(crate) unwritten: Vec<(u64, Counters)>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn count(&mut self, minute: u64, counters: &Counters) {
        self.total.add(counters);
        self.minutes.at(minute).counters.add(counters);
        self.write(minute / HOUR_MINUTES, counters);
    }

    fn count_all(&mut self, recent: &Recent) {
        self.count(recent.minute, &recent.counters);
        self.durations.add(&recent.durations);
        self.minutes.at(recent.minute).durations.add(&recent.durations);
    }

    /// Leaves something for the ledger.
    pub(crate) fn write(&mut self, hour: u64, counters: &Counters) {
        match self.unwritten.iter_mut().find(|(unwritten, _)| *unwritten == hour) {
            Some((_, sum)) => sum.add(counters),
            None => self.unwritten.push((hour, *counters)),
        }
    }

    /// Takes all of another one; what it has by the minute goes.
    pub(crate) fn fold(&mut self, other: &Self) {
        self.total.add(&other.total);
        self.durations.add(&other.durations);
        for (hour, counters) in &other.unwritten {
            self.write(*hour, counters);
        }
        for minute in other.minutes.iter() {
            self.minutes.at(minute.minute).add(minute);
        }
    }
}

impl Meter {
    pub(crate) fn new(all: Arc<Gauge>, all_minutes: Arc<Mutex<Minutes>>) -> Self {
        Self { all, all_minutes, ..Self::default() }
    }

    /// All that was counted so far.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        for Shard(shard) in &self.shards {
            let recent = std::mem::take(&mut *lock(shard));
            if !recent.is_empty() {
                state.count_all(&recent);
            }
        }
        state
    }

    pub(crate) fn count(&self, minute: u64, counters: &Counters) {
        lock(&self.state).count(minute, counters);
    }

    fn ended(&self, minute: u64, used: &Used) {
        let Shard(shard) = &self.shards[SHARD.with(|shard| *shard)];
        let mut recent = lock(shard);
        let mut before = Recent::default();
        if recent.minute != minute {
            before = std::mem::replace(&mut *recent, Recent { minute, ..Recent::default() });
        }
        recent.counters.add(&Counters::of(used));
        recent.durations.record(used.usage.duration);
        // Given back first: who looks at all takes the two the other way round.
        drop(recent);
        if !before.is_empty() {
            lock(&self.state).count_all(&before);
        }
    }

    pub(crate) fn begin(self: Arc<Self>, accepted: Timestamp) -> Call {
        let minute = minute(accepted);
        if let Some(passed) = self.gauge.up(minute) {
            self.lock().minutes.concurrent(passed);
        }
        if let Some(passed) = self.all.up(minute) {
            lock(&self.all_minutes).concurrent(passed);
        }
        Call { meter: self, minute, counted: false }
    }

    fn end(&self) {
        self.gauge.down();
        self.all.down();
    }
}

/// A call under way. One that is dropped before it was said how it ended counts as
/// one that did not run.
#[derive(Debug)]
pub struct Call {
    meter: Arc<Meter>,
    minute: u64,
    counted: bool,
}

impl Call {
    /// It ran.
    pub fn ended(mut self, used: &Used) {
        self.counted = true;
        self.meter.ended(self.minute, used);
    }

    /// A limit kept it from running.
    pub fn throttled(mut self) {
        self.counted = true;
        self.meter.count(self.minute, &Counters { throttles: 1, ..Counters::default() });
    }

    /// Counts bytes of bodies that are read and written while it runs, or after it
    /// has ended.
    pub fn traffic(&self) -> Arc<Traffic> {
        let (bytes_in, bytes_out) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Traffic { meter: self.meter.clone(), minute: self.minute, bytes_in, bytes_out })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.counted {
            self.meter.count(self.minute, &Counters { not_run: 1, ..Counters::default() });
        }
        self.meter.end();
    }
}

/// Bytes of a call's bodies, added to its meter when the last holder drops it.
#[derive(Debug)]
pub struct Traffic {
    meter: Arc<Meter>,
    minute: u64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Traffic {
    /// So many bytes more were read.
    pub fn read(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many bytes more were written.
    pub fn wrote(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether any were.
    pub fn has_written(&self) -> bool {
        self.bytes_out.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        let (bytes_in, bytes_out) = (*self.bytes_in.get_mut(), *self.bytes_out.get_mut());
        if bytes_in > 0 || bytes_out > 0 {
            self.meter.count(self.minute, &Counters { bytes_in, bytes_out, ..Counters::default() });
        }
    }
}

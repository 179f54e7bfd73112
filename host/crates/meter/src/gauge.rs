//! How many calls run, and the most that ran in the minute.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Calls under way. The minute in which calls began last, and the most of them in it,
/// share one word, so that a call that makes no new most costs two atomics.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    now: AtomicU32,
    /// The minute in the upper half, the most in the lower.
    most: AtomicU64,
    ever: AtomicU32,
}

/// A minute that has passed, and the most calls that ran in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) minute: u64,
    pub(crate) most: u32,
}

fn unpack(word: u64) -> Passed {
    Passed { minute: word >> 32, most: u32::try_from(word & 0xffff_ffff).unwrap_or(u32::MAX) }
}

fn pack(minute: u64, most: u32) -> u64 {
    minute << 32 | u64::from(most)
}

impl Gauge {
    /// One more; answers the minute that was the last one, when this is a later one.
    pub(crate) fn up(&self, minute: u64) -> Option<Passed> {
        let now = self.now.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let mut word = self.most.load(Ordering::Relaxed);
        loop {
            let last = unpack(word);
            if last.minute >= minute && last.most >= now {
                return None;
            }
            let next = pack(last.minute.max(minute), if minute > last.minute { now } else { last.most.max(now) });
            match self.most.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.ever.fetch_max(now, Ordering::Relaxed);
                    return (minute > last.minute && last.minute > 0).then_some(last);
                }
                Err(changed) => word = changed,
            }
        }
    }

    /// One fewer.
    pub(crate) fn down(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// The most of all time.
    pub(crate) fn ever(&self) -> u32 {
        self.ever.load(Ordering::Relaxed)
    }

    /// The last minute in which a call began, and the most that ran in it.
    pub(crate) fn last(&self) -> Passed {
        unpack(self.most.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_of_its_minute() {
        let gauge = Gauge::default();
        assert_eq!((gauge.up(7), gauge.up(7)), (None, None));
        gauge.down();
        assert_eq!(gauge.up(8), Some(Passed { minute: 7, most: 2 }));
        gauge.down();
        // One that began before counts where the others do.
        assert_eq!(gauge.up(7), None);
        assert_eq!((gauge.now(), gauge.ever(), gauge.last()), (2, 2, Passed { minute: 8, most: 2 }));
        assert_eq!(gauge.up(8), None);
        assert_eq!(gauge.last(), Passed { minute: 8, most: 3 });
    }
}

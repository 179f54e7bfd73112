//! Moments of a call that only its trace needs, and a log with its finest level.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Filled in while a call runs.
#[derive(Debug, Default)]
pub struct Timings {
    instantiated_us: AtomicU64,
    loaded_us: AtomicU64,
}

fn micros(after: Duration) -> u64 {
    u64::try_from(after.as_micros()).unwrap_or(u64::MAX).max(1)
}

impl Timings {
    /// Its instance is there, so long after it began.
    pub fn instantiated(&self, after: Duration) {
        self.instantiated_us.store(micros(after), Ordering::Relaxed);
    }

    /// How long that took; 0 when it never was there.
    pub fn until_instantiated(&self) -> Duration {
        Duration::from_micros(self.instantiated_us.load(Ordering::Relaxed))
    }

    /// A managed runtime has loaded its handler, so long after the call began.
    pub fn loaded(&self, after: Duration) {
        self.loaded_us.store(micros(after), Ordering::Relaxed);
    }

    /// How long that took; 0 when nothing was to be loaded, or did not load.
    pub fn until_loaded(&self) -> Duration {
        Duration::from_micros(self.loaded_us.load(Ordering::Relaxed))
    }

    /// The parts of a call that took so long in all, in their order, each with when it
    /// began and ended after the call began: `instantiate`, `import` and `call`.
    pub fn parts(&self, took: Duration) -> impl Iterator<Item = (&'static str, Duration, Duration)> {
        let never = |at: Duration| if at.is_zero() { took } else { at.min(took) };
        let there = never(self.until_instantiated());
        let loaded = self.until_loaded();
        let import = (!loaded.is_zero()).then(|| ("import", there, loaded.clamp(there, took)));
        let called = import.map_or(there, |(_, _, to)| to);
        [Some(("instantiate", Duration::ZERO, there)), import, Some(("call", called, took))].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(instantiated: u64, loaded: u64, took: u64) -> Vec<(&'static str, u128, u128)> {
        let timings = Timings::default();
        if instantiated > 0 {
            timings.instantiated(Duration::from_micros(instantiated));
        }
        if loaded > 0 {
            timings.loaded(Duration::from_micros(loaded));
        }
        let parts = timings.parts(Duration::from_micros(took));
        parts.map(|(name, from, to)| (name, from.as_micros(), to.as_micros())).collect()
    }

    #[test]
    fn parts_follow_each_other() {
        assert_eq!(parts(3, 0, 10), [("instantiate", 0, 3), ("call", 3, 10)]);
        assert_eq!(parts(3, 7, 10), [("instantiate", 0, 3), ("import", 3, 7), ("call", 7, 10)]);
        assert_eq!(parts(0, 0, 10), [("instantiate", 0, 10), ("call", 10, 10)]);
        assert_eq!(parts(11, 12, 10), [("instantiate", 0, 10), ("import", 10, 10), ("call", 10, 10)]);
    }
}

//! Moments of a call that only its trace needs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Filled in while a call runs.
#[derive(Debug, Default)]
pub struct Timings {
    instantiated_us: AtomicU64,
}

impl Timings {
    /// Its instance is there, so long after it began.
    pub fn instantiated(&self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX).max(1);
        self.instantiated_us.store(micros, Ordering::Relaxed);
    }

    /// How long that took; 0 when it never was there.
    pub fn until_instantiated(&self) -> Duration {
        Duration::from_micros(self.instantiated_us.load(Ordering::Relaxed))
    }
}

//! How long calls took: counts between fixed bounds.

use std::time::Duration;

/// Upper bounds of the buckets but the last, in microseconds, inclusive: from what a
/// call costs at least to Lambda's longest timeout.
pub const BOUNDS: [u64; 21] = [
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
];

/// Counts of durations, and the least and the greatest of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Those up to each of [`BOUNDS`] and past the one before; the last is past all.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// The least, in microseconds; 0 when there is none.
    pub least_us: u64,
    /// The greatest, in microseconds.
    pub greatest_us: u64,
}

/// Microseconds as seconds, exact to the bit for every bound.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a sum lose nothing below 285 years")]
pub fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

impl Histogram {
    /// Counts one.
    pub(crate) fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.partition_point(|bound| *bound < micros);
        // Most often it tells at once that there is something.
        let is_empty = self.greatest_us == 0 && self.count() == 0;
        self.least_us = if is_empty { micros } else { self.least_us.min(micros) };
        self.greatest_us = self.greatest_us.max(micros);
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Adds all of another one.
    pub fn add(&mut self, other: &Self) {
        if other.count() == 0 {
            return;
        }
        self.least_us = if self.count() == 0 { other.least_us } else { self.least_us.min(other.least_us) };
        self.greatest_us = self.greatest_us.max(other.greatest_us);
        for (sum, more) in self.buckets.iter_mut().zip(other.buckets) {
            *sum = sum.saturating_add(more);
        }
    }

    /// What was counted since an earlier look at the same histogram; the least and
    /// the greatest are of all of it.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut later = *self;
        for (count, before) in later.buckets.iter_mut().zip(earlier.buckets) {
            *count = count.saturating_sub(before);
        }
        later
    }

    /// The duration in microseconds that this share of the calls, 0 to 1, took at
    /// most: interpolated within its bucket, never past the greatest. 0 without calls.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub fn quantile_us(&self, share: f64) -> u64 {
        let count = self.count();
        if count == 0 {
            return 0;
        }
        let rank = (share.clamp(0.0, 1.0) * count as f64).max(1.0);
        let mut below = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            let through = below + bucket;
            if through as f64 >= rank && *bucket > 0 {
                let from = at.checked_sub(1).and_then(|at| BOUNDS.get(at)).copied().unwrap_or(0).max(self.least_us);
                let to = BOUNDS.get(at).copied().unwrap_or(u64::MAX).min(self.greatest_us).max(from);
                let within = (rank - below as f64) / *bucket as f64;
                return from + ((to - from) as f64 * within) as u64;
            }
            below = through;
        }
        self.greatest_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        micros.iter().for_each(|micros| histogram.record(Duration::from_micros(*micros)));
        histogram
    }

    #[test]
    fn bounds_are_inclusive() {
        let counted = of(&[0, 50, 51, 900_000_000, 900_000_001]);
        assert_eq!((counted.buckets[0], counted.buckets[1], counted.buckets[20], counted.buckets[21]), (2, 1, 1, 1));
        assert_eq!((counted.count(), counted.least_us, counted.greatest_us), (5, 0, 900_000_001));
    }

    #[test]
    fn quantiles_stay_within_what_was_counted() {
        assert_eq!(of(&[]).quantile_us(0.5), 0);
        assert_eq!(of(&[70]).quantile_us(0.99), 70);
        let counted = of(&[60, 60, 60, 4_000]);
        assert!((60..=100).contains(&counted.quantile_us(0.5)), "{}", counted.quantile_us(0.5));
        assert_eq!(counted.quantile_us(1.0), 4_000);
    }

    #[test]
    fn sums_and_differences() {
        let (mut sum, more) = (of(&[10]), of(&[5, 700]));
        let before = sum;
        sum.add(&more);
        assert_eq!(sum, of(&[10, 5, 700]));
        assert_eq!(sum.since(&before).buckets, more.buckets);
        sum.add(&Histogram::default());
        assert_eq!(sum.least_us, 5);
    }
}

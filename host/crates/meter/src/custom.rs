//! Metrics of functions' own, by the minute: a bounded number of them, for as long
//! as the other minutes are kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use lamina_types::Timestamp;

use crate::meter::{lock, minute};

/// What a metric is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
}

/// Values put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many.
    pub count: f64,
    /// All added up.
    pub sum: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Sample {
    /// Of these values; `None` when there is none, or one that is not finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        let one = |value: f64| Self { count: 1.0, sum: value, least: value, greatest: value };
        if !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let first = one(*values.first()?);
        Some(values.iter().skip(1).fold(first, |sum, value| sum.plus(&one(*value))))
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
        }
    }
}

/// One metric's values.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomSeries {
    /// As it was given last.
    pub unit: String,
    /// By minutes since the Unix epoch.
    pub minutes: BTreeMap<u64, Sample>,
}

/// See the module.
#[derive(Debug)]
pub struct Custom {
    metrics_max: usize,
    minutes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    metrics: BTreeMap<CustomKey, CustomSeries>,
    minutes: usize,
    refused: u64,
}

impl Custom {
    pub(crate) fn new(metrics_max: usize, minutes_max: usize) -> Self {
        Self { metrics_max, minutes_max, state: Mutex::default() }
    }

    /// Adds values; answers whether there was room. There is none for a metric past
    /// the bound before others are forgotten, nor for a minute.
    pub fn record(&self, key: CustomKey, unit: &str, at: Timestamp, sample: &Sample) -> bool {
        let mut state = lock(&self.state);
        let State { metrics, minutes, refused } = &mut *state;
        let is_full = metrics.len() >= self.metrics_max && !metrics.contains_key(&key);
        if is_full || *minutes >= self.minutes_max {
            *refused += 1;
            return false;
        }
        let series =
            metrics.entry(key).or_insert_with(|| CustomSeries { unit: unit.to_owned(), minutes: BTreeMap::new() });
        if series.unit != unit {
            unit.clone_into(&mut series.unit);
        }
        let entry = series.minutes.entry(minute(at));
        if matches!(entry, std::collections::btree_map::Entry::Vacant(_)) {
            *minutes += 1;
        }
        entry.and_modify(|sum| *sum = sum.plus(sample)).or_insert(*sample);
        true
    }

    /// Values that there was no room for.
    pub fn refused(&self) -> u64 {
        lock(&self.state).refused
    }

    /// All metrics, in order.
    pub fn list(&self) -> Vec<CustomKey> {
        lock(&self.state).metrics.keys().cloned().collect()
    }

    /// One metric's minutes in this range.
    pub fn series(&self, key: &CustomKey, range: Range<u64>) -> Option<CustomSeries> {
        let state = lock(&self.state);
        let series = state.metrics.get(key)?;
        let minutes = series.minutes.range(range).map(|(minute, sample)| (*minute, *sample)).collect();
        Some(CustomSeries { unit: series.unit.clone(), minutes })
    }

    /// Forgets minutes before this one, and metrics that have none left.
    pub(crate) fn forget_before(&self, before: u64) {
        let mut state = lock(&self.state);
        let State { metrics, minutes, .. } = &mut *state;
        metrics.retain(|_, series| {
            series.minutes = series.minutes.split_off(&before);
            !series.minutes.is_empty()
        });
        *minutes = metrics.values().map(|series| series.minutes.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> CustomKey {
        CustomKey { namespace: "n".into(), name: name.into(), dimensions: BTreeMap::new() }
    }

    fn at(minute: u64) -> Timestamp {
        Timestamp(minute * 60_000_000)
    }

    #[test]
    fn values_are_put_together_by_the_minute() {
        let custom = Custom::new(10, 10);
        let sample = Sample::of(&[3.0, 1.0]).unwrap();
        assert!(custom.record(key("m"), "Count", at(5), &sample));
        assert!(custom.record(key("m"), "Count", at(5), &Sample::of(&[10.0]).unwrap()));
        assert!(custom.record(key("m"), "Bytes", at(6), &sample));
        let series = custom.series(&key("m"), 0..6).unwrap();
        let expect = Sample { count: 3.0, sum: 14.0, least: 1.0, greatest: 10.0 };
        assert_eq!((series.unit.as_str(), series.minutes), ("Bytes", [(5, expect)].into()));
        assert_eq!((Sample::of(&[]), Sample::of(&[1.0, f64::NAN])), (None, None));
    }

    #[test]
    fn metrics_and_minutes_are_bounded() {
        let custom = Custom::new(2, 3);
        let sample = Sample::of(&[1.0]).unwrap();
        for (name, minute, expect) in
            [("a", 1, true), ("b", 1, true), ("c", 1, false), ("a", 2, true), ("a", 3, false), ("b", 1, false)]
        {
            assert_eq!(custom.record(key(name), "None", at(minute), &sample), expect, "{name} {minute}");
        }
        assert_eq!(custom.refused(), 3);
        custom.forget_before(2);
        assert_eq!(custom.list(), [key("a")]);
        assert!(custom.record(key("c"), "None", at(3), &sample));
    }
}

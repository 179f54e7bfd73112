//! What happened minute by minute, for some hours; minutes without calls take no
//! room.

use std::collections::VecDeque;

use crate::counters::Counters;
use crate::gauge::Passed;
use crate::histogram::Histogram;

/// One minute, in which calls began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since the Unix epoch.
    pub minute: u64,
    /// What the calls that began in it used.
    pub counters: Counters,
    /// How long they took.
    pub durations: Histogram,
    /// The most that ran at once.
    pub concurrent_max: u32,
}

impl Minute {
    /// Adds another function's same minute, or another minute of the same function.
    /// Of concurrency the greater stays.
    pub fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        self.durations.add(&other.durations);
        self.concurrent_max = self.concurrent_max.max(other.concurrent_max);
    }
}

/// In order, each minute once.
#[derive(Debug, Default)]
pub(crate) struct Minutes(VecDeque<Minute>);

impl Minutes {
    /// The entry of a minute, made if it is not there.
    pub(crate) fn at(&mut self, minute: u64) -> &mut Minute {
        // Most often it is the last one.
        let mut at = self.0.len();
        while at > 0 && self.0.get(at - 1).is_some_and(|entry| entry.minute > minute) {
            at -= 1;
        }
        match at.checked_sub(1) {
            Some(before) if self.0.get(before).is_some_and(|entry| entry.minute == minute) => &mut self.0[before],
            _ => {
                self.0.insert(at, Minute { minute, ..Minute::default() });
                &mut self.0[at]
            }
        }
    }

    pub(crate) fn concurrent(&mut self, passed: Passed) {
        let entry = self.at(passed.minute);
        entry.concurrent_max = entry.concurrent_max.max(passed.most);
    }

    /// Forgets those before this one.
    pub(crate) fn forget_before(&mut self, minute: u64) {
        while self.0.front().is_some_and(|entry| entry.minute < minute) {
            self.0.pop_front();
        }
    }

    pub(crate) fn each_mut(&mut self, change: impl FnMut(&mut Minute)) {
        self.0.iter_mut().for_each(change);
    }

    pub(crate) fn into_vec(self) -> Vec<Minute> {
        self.0.into()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Minute> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_stay_in_order() {
        let mut minutes = Minutes::default();
        for minute in [5, 7, 6, 5, 7, 4] {
            minutes.at(minute).counters.invocations += 1;
        }
        let counted: Vec<(u64, u64)> = minutes.iter().map(|entry| (entry.minute, entry.counters.invocations)).collect();
        assert_eq!(counted, [(4, 1), (5, 2), (6, 1), (7, 2)]);
        minutes.forget_before(6);
        assert_eq!(minutes.iter().count(), 2);
    }
}

//! All meters: a bounded map of them, and looks at what they counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lamina_types::{FunctionName, Timestamp, Version};

use crate::counters::Counters;
use crate::custom::Custom;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::meter::{Call, Meter, State, lock, minute};
use crate::minutes::{Minute, Minutes};

/// Bounds of what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Functions' versions that have a meter of their own. Default 1,024; a meter
    /// takes about 2 KiB, and more for each minute.
    pub meters_max: usize,
    /// For how long minutes are kept. Default 180: CloudWatch answers seconds for as
    /// long.
    pub minutes_kept: u64,
    /// Minutes of all functions that are kept at most; past it the oldest of all go.
    /// Default 100,000, some 30 MiB.
    pub minutes_max: usize,
    /// Metrics of functions' own, each with its dimensions. Default 5,000.
    pub custom_max: usize,
    /// Minutes of those together. Default 200,000, some 20 MiB.
    pub custom_minutes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            meters_max: 1_024,
            minutes_kept: 180,
            minutes_max: 100_000,
            custom_max: 5_000,
            custom_minutes_max: 200_000,
        }
    }
}

/// Whose counts they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A function's version.
    Function(FunctionName, Version),
    /// Those that were used least, together.
    Other,
}

impl Subject {
    /// What stands for a function's name in [`Subject::Other`]; no function has it.
    pub const OTHER: &'static str = "(other)";

    /// The function's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Function(name, _) => name.as_str(),
            Self::Other => Self::OTHER,
        }
    }

    /// The version: `$LATEST`, a number, or `-` where there is none.
    pub fn version(&self) -> String {
        match self {
            Self::Function(_, version) => version.to_string(),
            Self::Other => "-".to_owned(),
        }
    }
}

/// What was counted of one subject.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Whose it is.
    pub subject: Subject,
    /// Since the platform started, or since its meter was made anew.
    pub total: Counters,
    /// How long its calls took.
    pub durations: Histogram,
    /// Calls under way.
    pub concurrent: u32,
    /// The most there were.
    pub concurrent_max: u32,
}

/// What one subject used in one hour, since the ledger took it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hourly {
    /// Whose it is.
    pub subject: Subject,
    /// Hours since the Unix epoch.
    pub hour: u64,
    /// What was used.
    pub counters: Counters,
}

/// See the crate. Clones share everything.
#[derive(Debug, Clone)]
pub struct Meters {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    map: RwLock<Map>,
    all: Arc<Gauge>,
    all_minutes: Arc<Mutex<Minutes>>,
    custom: Custom,
}

#[derive(Debug, Default)]
struct Map {
    meters: HashMap<FunctionName, HashMap<Version, Arc<Meter>>>,
    len: usize,
    /// Out of the map, and still held by calls under way: no more than run.
    leaving: Vec<Arc<Meter>>,
    other: Mutex<State>,
}

impl Map {
    fn get(&self, name: &FunctionName, version: Version) -> Option<&Arc<Meter>> {
        self.meters.get(name)?.get(&version)
    }

    fn each(&self) -> impl Iterator<Item = (&FunctionName, Version, &Arc<Meter>)> {
        self.meters
            .iter()
            .flat_map(|(name, versions)| versions.iter().map(move |(version, meter)| (name, *version, meter)))
    }

    /// Takes out so many of the meters that were used least.
    fn evict(&mut self, count: usize) {
        let mut used: Vec<(u64, FunctionName, Version)> =
            self.each().map(|(name, version, meter)| (meter.lock().total.invocations, name.clone(), version)).collect();
        let count = count.min(used.len());
        if count == 0 {
            return;
        }
        used.select_nth_unstable_by_key(count - 1, |(invocations, ..)| *invocations);
        for (_, name, version) in used.into_iter().take(count) {
            let Some(versions) = self.meters.get_mut(&name) else { continue };
            if let Some(meter) = versions.remove(&version) {
                self.len -= 1;
                self.leaving.push(meter);
            }
            if versions.is_empty() {
                self.meters.remove(&name);
            }
        }
        self.settle();
    }

    /// Folds what nobody holds any more.
    fn settle(&mut self) {
        let other = self.other.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.leaving.retain(|meter| {
            // Only the map gives meters out, and it does not have this one.
            let held = Arc::strong_count(meter) > 1;
            if !held {
                other.fold(&meter.lock());
            }
            held
        });
    }
}

impl Meters {
    /// Meters that have counted nothing.
    pub fn new(config: Config) -> Self {
        let (all, all_minutes) = (Arc::default(), Arc::default());
        let custom = Custom::new(config.custom_max, config.custom_minutes_max);
        Self { shared: Arc::new(Shared { config, map: RwLock::default(), all, all_minutes, custom }) }
    }

    /// A call begins, which was accepted at this time: that is the minute and the
    /// hour it counts in, as on Lambda.
    pub fn begin(&self, name: &FunctionName, version: Version, accepted: Timestamp) -> Call {
        self.meter(name, version).begin(accepted)
    }

    /// A limit kept a call from running.
    pub fn throttled(&self, name: &FunctionName, version: Version, accepted: Timestamp) {
        self.meter(name, version).count(minute(accepted), &Counters { throttles: 1, ..Counters::default() });
    }

    fn meter(&self, name: &FunctionName, version: Version) -> Arc<Meter> {
        let known = self.shared.map.read().unwrap_or_else(PoisonError::into_inner).get(name, version).cloned();
        known.unwrap_or_else(|| self.add(name, version))
    }

    fn add(&self, name: &FunctionName, version: Version) -> Arc<Meter> {
        let Shared { config, map, all, all_minutes, .. } = &*self.shared;
        let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = map.get(name, version) {
            return meter.clone();
        }
        if map.len >= config.meters_max.max(1) {
            // Several at a time: it looks at all of them.
            map.evict(config.meters_max.div_ceil(8).max(1));
        }
        let meter = Arc::new(Meter::new(all.clone(), all_minutes.clone()));
        map.meters.entry(name.clone()).or_default().insert(version, meter.clone());
        map.len += 1;
        meter
    }

    /// Metrics of functions' own.
    pub fn custom(&self) -> &Custom {
        &self.shared.custom
    }

    /// Calls under way, and the most there were.
    pub fn concurrent(&self) -> (u32, u32) {
        (self.shared.all.now(), self.shared.all.ever())
    }

    /// What was counted of each subject, in the order of their names.
    pub fn snapshot(&self) -> Vec<Snapshot> {
        let map = self.shared.map.read().unwrap_or_else(PoisonError::into_inner);
        let mut snapshots: Vec<Snapshot> = map
            .each()
            .map(|(name, version, meter)| {
                let state = meter.lock();
                Snapshot {
                    subject: Subject::Function(name.clone(), version),
                    total: state.total,
                    durations: state.durations,
                    concurrent: meter.gauge.now(),
                    concurrent_max: meter.gauge.ever(),
                }
            })
            .collect();
        let mut other = Snapshot {
            subject: Subject::Other,
            total: Counters::default(),
            durations: Histogram::default(),
            concurrent: 0,
            concurrent_max: 0,
        };
        let mut add = |state: &State| {
            other.total.add(&state.total);
            other.durations.add(&state.durations);
        };
        add(&lock(&map.other));
        for meter in &map.leaving {
            add(&meter.lock());
            other.concurrent += meter.gauge.now();
            other.concurrent_max = other.concurrent_max.max(meter.gauge.ever());
        }
        if !other.total.is_empty() {
            snapshots.push(other);
        }
        drop(map);
        snapshots.sort_unstable_by(|one, two| one.subject.cmp(&two.subject));
        snapshots
    }

    /// The minutes that are kept and lie in this range: of one version, of all
    /// versions of a function, or of all functions. In order, each once.
    pub fn minutes(
        &self,
        name: Option<&FunctionName>,
        version: Option<Version>,
        range: std::ops::Range<u64>,
    ) -> Vec<Minute> {
        let mut sums = Minutes::default();
        let mut add = |state: &State| {
            for minute in state.minutes.iter().filter(|minute| range.contains(&minute.minute)) {
                sums.at(minute.minute).add(minute);
            }
        };
        let map = self.shared.map.read().unwrap_or_else(PoisonError::into_inner);
        let mut lasts = Vec::new();
        for (of, number, meter) in map.each() {
            if name.is_none_or(|name| name == of) && version.is_none_or(|version| version == number) {
                add(&meter.lock());
                lasts.push(meter.gauge.last());
            }
        }
        if name.is_none() {
            add(&lock(&map.other));
            map.leaving.iter().for_each(|meter| add(&meter.lock()));
        }
        drop(map);
        if name.is_none() {
            // Concurrency of all is not the greatest of each.
            let all = lock(&self.shared.all_minutes);
            let most: HashMap<u64, u32> = all.iter().map(|minute| (minute.minute, minute.concurrent_max)).collect();
            lasts = vec![self.shared.all.last()];
            sums.each_mut(|minute| minute.concurrent_max = most.get(&minute.minute).copied().unwrap_or_default());
        }
        for last in lasts.into_iter().filter(|last| range.contains(&last.minute)) {
            sums.concurrent(last);
        }
        sums.into_vec()
    }

    /// The functions that minutes are kept of, with their versions.
    pub fn subjects(&self) -> Vec<(FunctionName, Version)> {
        let map = self.shared.map.read().unwrap_or_else(PoisonError::into_inner);
        let mut subjects: Vec<_> = map.each().map(|(name, version, _)| (name.clone(), version)).collect();
        drop(map);
        subjects.sort_unstable();
        subjects
    }

    /// Takes what the ledger has not got yet. What cannot be written is given back
    /// with [`Meters::untake`].
    pub fn take_unwritten(&self) -> Vec<Hourly> {
        let mut map = self.shared.map.write().unwrap_or_else(PoisonError::into_inner);
        map.settle();
        let mut taken = Vec::new();
        let mut take = |subject: &dyn Fn() -> Subject, state: &mut State| {
            for (hour, counters) in std::mem::take(&mut state.unwritten) {
                taken.push(Hourly { subject: subject(), hour, counters });
            }
        };
        for (name, version, meter) in map.each() {
            take(&|| Subject::Function(name.clone(), version), &mut meter.lock());
        }
        take(&|| Subject::Other, &mut lock(&map.other));
        taken
    }

    /// Gives back what could not be written.
    pub fn untake(&self, hours: Vec<Hourly>) {
        for Hourly { subject, hour, counters } in hours {
            match &subject {
                Subject::Function(name, version) => self.meter(name, *version).lock().write(hour, &counters),
                Subject::Other => {
                    let map = self.shared.map.read().unwrap_or_else(PoisonError::into_inner);
                    lock(&map.other).write(hour, &counters);
                }
            }
        }
    }

    /// Forgets minutes that are too old, or too many. To be called every few seconds.
    pub fn forget(&self, now: Timestamp) {
        let Config { minutes_kept, minutes_max, .. } = self.shared.config;
        let mut before = minute(now).saturating_sub(minutes_kept);
        self.shared.custom.forget_before(before);
        let map = self.shared.map.read().unwrap_or_else(PoisonError::into_inner);
        let mut counts: std::collections::BTreeMap<u64, usize> = std::collections::BTreeMap::new();
        for (_, _, meter) in map.each() {
            for entry in meter.lock().minutes.iter().filter(|entry| entry.minute >= before) {
                *counts.entry(entry.minute).or_default() += 1;
            }
        }
        let mut kept = 0;
        for (minute, count) in counts.iter().rev() {
            kept += count;
            if kept > minutes_max {
                before = minute + 1;
                break;
            }
        }
        map.each().for_each(|(_, _, meter)| meter.lock().minutes.forget_before(before));
        lock(&map.other).minutes.forget_before(before);
        lock(&self.shared.all_minutes).forget_before(before);
    }
}

#[cfg(test)]
mod tests;

//! Looks at the meters, and what lies between them.

use std::collections::{BTreeMap, VecDeque};

use lamina_meter::{BOUNDS, Counters, Histogram};
use lamina_types::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// Looks that are kept: percentiles are of the time between the first and the last.
const LOOKS: usize = 11;

pub(super) const HEADER: [&str; 12] = [
    "FUNCTION",
    "VERSION",
    "RUNNING",
    "MOST",
    "CALLS/S",
    "ERRORS/S",
    "THROTTLED/S",
    "P50_MS",
    "P99_MS",
    "PEAK_MB",
    "CALLS",
    "ERRORS",
];

/// `GET /lamina/v1/meters`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Look {
    /// In milliseconds since the Unix epoch.
    at: u64,
    concurrent: u32,
    concurrent_max: u32,
    functions: Vec<Meter>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meter {
    function_name: String,
    version: String,
    #[serde(flatten)]
    counters: Counters,
    concurrent: u32,
    concurrent_max: u32,
    durations: Vec<u64>,
    duration_us_max: u64,
}

type Key = (String, String);

impl Meter {
    fn key(&self) -> Key {
        (self.function_name.clone(), self.version.clone())
    }

    fn histogram(&self) -> Histogram {
        let mut buckets = [0; BOUNDS.len() + 1];
        buckets.iter_mut().zip(&self.durations).for_each(|(bucket, count)| *bucket = *count);
        Histogram { buckets, least_us: 0, greatest_us: self.duration_us_max }
    }
}

/// The looks of the last seconds.
pub(super) struct View {
    looks: VecDeque<Look>,
    /// Whether percentiles are of all time.
    all_time: bool,
}

/// What is shown of one function's version.
struct Row<'a> {
    meter: &'a Meter,
    calls_per_s: f64,
    errors_per_s: f64,
    throttles_per_s: f64,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(now: u64, before: u64, millis: u64) -> f64 {
    if millis == 0 { 0.0 } else { now.saturating_sub(before) as f64 * 1_000.0 / millis as f64 }
}

/// A duration with as many decimals as people want.
fn millis(micros: Option<u64>) -> String {
    micros.map_or_else(|| "-".to_owned(), |micros| format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10))
}

impl View {
    pub(super) fn new(first: Look, all_time: bool) -> Self {
        Self { looks: [first].into(), all_time }
    }

    pub(super) fn add(&mut self, look: Look) {
        self.looks.push_back(look);
        while self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
    }

    /// Those with the most calls a second first, then those with the most calls.
    fn sorted(&self) -> Vec<Row<'_>> {
        let Some(now) = self.looks.back() else { return Vec::new() };
        let index = |look: Option<&Look>| -> BTreeMap<Key, Meter> {
            let meters = look.map(|look| look.functions.clone()).unwrap_or_default();
            meters.into_iter().map(|meter| (meter.key(), meter)).collect()
        };
        let last = self.looks.len().checked_sub(2).and_then(|at| self.looks.get(at));
        let (last_at, last) = (last.map_or(now.at, |look| look.at), index(last));
        let first = index(self.looks.front().filter(|_| !self.all_time));
        let millis = now.at.saturating_sub(last_at);
        let rows = now.functions.iter().map(|meter| {
            let Meter { counters, .. } = meter;
            let before = last.get(&meter.key()).map(|meter| meter.counters).unwrap_or_default();
            let durations = meter.histogram();
            let durations = first.get(&meter.key()).map_or(durations, |first| durations.since(&first.histogram()));
            let quantile = |share| (durations.count() > 0).then(|| durations.quantile_us(share));
            Row {
                meter,
                calls_per_s: rate(counters.invocations, before.invocations, millis),
                errors_per_s: rate(counters.errors(), before.errors(), millis),
                throttles_per_s: rate(counters.throttles, before.throttles, millis),
                p50_us: quantile(0.5),
                p99_us: quantile(0.99),
            }
        });
        let mut rows: Vec<Row<'_>> = rows.collect();
        rows.sort_by(|one, two| {
            let by_rate = two.calls_per_s.total_cmp(&one.calls_per_s);
            by_rate.then(two.meter.counters.invocations.cmp(&one.meter.counters.invocations))
        });
        rows
    }

    /// Cells under [`HEADER`], at most so many rows.
    pub(super) fn rows(&self, most: usize) -> Vec<Vec<String>> {
        let cells = |row: &Row<'_>| {
            let Row { meter, .. } = row;
            vec![
                meter.function_name.clone(),
                meter.version.clone(),
                meter.concurrent.to_string(),
                meter.concurrent_max.to_string(),
                format!("{:.1}", row.calls_per_s),
                format!("{:.1}", row.errors_per_s),
                format!("{:.1}", row.throttles_per_s),
                millis(row.p50_us),
                millis(row.p99_us),
                meter.counters.memory_bytes_peak.div_ceil(1 << 20).to_string(),
                meter.counters.invocations.to_string(),
                meter.counters.errors().to_string(),
            ]
        };
        self.sorted().iter().take(most).map(cells).collect()
    }

    /// One line about all of them.
    pub(super) fn summary(&self) -> String {
        let Some(now) = self.looks.back() else { return String::new() };
        let rate: f64 = self.sorted().iter().map(|row| row.calls_per_s).sum();
        let time = Timestamp::from_millis(now.at).to_iso_millis();
        let Look { concurrent, concurrent_max, functions, .. } = now;
        format!(
            "{time}  {} functions' versions, {rate:.1} calls/s, {concurrent} running, {concurrent_max} at most",
            functions.len()
        )
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let Some(now) = self.looks.back() else { return Value::Null };
        let seconds = |micros: Option<u64>| micros.map(lamina_meter::seconds);
        let row = |row: &Row<'_>| {
            let Row { meter, .. } = row;
            json!({
                "FunctionName": meter.function_name,
                "Version": meter.version,
                "Running": meter.concurrent,
                "RunningMax": meter.concurrent_max,
                "CallsPerSecond": row.calls_per_s,
                "ErrorsPerSecond": row.errors_per_s,
                "ThrottlesPerSecond": row.throttles_per_s,
                "P50Seconds": seconds(row.p50_us),
                "P99Seconds": seconds(row.p99_us),
                "MemoryBytesPeak": meter.counters.memory_bytes_peak,
                "Calls": meter.counters.invocations,
                "Errors": meter.counters.errors(),
                "Throttles": meter.counters.throttles,
            })
        };
        json!({
            "At": now.at,
            "Running": now.concurrent,
            "RunningMax": now.concurrent_max,
            "Functions": self.sorted().iter().map(row).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64, calls: &[(&str, u64, u64)]) -> Look {
        let functions = calls.iter().map(|(name, invocations, crashes)| Meter {
            function_name: (*name).to_owned(),
            version: "$LATEST".to_owned(),
            counters: Counters { invocations: *invocations, crashes: *crashes, ..Counters::default() },
            concurrent: 0,
            concurrent_max: 1,
            durations: vec![*invocations],
            duration_us_max: 40,
        });
        Look { at, concurrent: 0, concurrent_max: 1, functions: functions.collect() }
    }

    #[test]
    fn rates_lie_between_looks_and_the_busiest_is_first() {
        let mut view = View::new(look(1_000, &[("a", 50, 0), ("b", 10, 1)]), false);
        view.add(look(3_000, &[("a", 50, 0), ("b", 16, 3), ("new", 2, 0)]));
        let rows = view.rows(2);
        assert_eq!((rows.len(), rows[0][0].as_str(), rows[0][4].as_str(), rows[0][5].as_str()), (2, "b", "3.0", "1.0"));
        assert_eq!((rows[1][0].as_str(), rows[1][4].as_str()), ("new", "1.0"));
        let json = view.json();
        assert_eq!(json["Functions"][2]["FunctionName"], "a");
        assert_eq!(json["Functions"][2]["P50Seconds"], Value::Null, "it was not called in this time");
        let mut all_time = View::new(look(1_000, &[("a", 50, 0)]), true);
        all_time.add(look(2_000, &[("a", 50, 0)]));
        assert!(all_time.json()["Functions"][0]["P99Seconds"].as_f64() > Some(0.0));
    }
}

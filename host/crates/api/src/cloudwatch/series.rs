//! Points of a metric: from minutes in memory and hours of the ledger to the periods
//! that are asked for.

use std::collections::BTreeMap;

use lamina_ledger::{Hours, Of};
use lamina_meter::{Counters, CustomKey, CustomSeries, Histogram, Minute, Sample, seconds};
use lamina_types::{FunctionName, Version};
use lamina_wire::monitoring::{Metric, Span, Statistic};

use crate::request::Shared;

pub(super) const NAMESPACE: &str = "AWS/Lambda";
/// Dimensions: a function, and one of its versions (`f` is $LATEST, `f:1` a number).
pub(super) const FUNCTION: &str = "FunctionName";
pub(super) const RESOURCE: &str = "Resource";

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 3_600;

/// A metric of the namespace AWS/Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invocations,
    Errors,
    Throttles,
    Duration,
    ConcurrentExecutions,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::ConcurrentExecutions, Self::Duration, Self::Errors, Self::Invocations, Self::Throttles];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invocations => "Invocations",
            Self::Errors => "Errors",
            Self::Throttles => "Throttles",
            Self::Duration => "Duration",
            Self::ConcurrentExecutions => "ConcurrentExecutions",
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Duration => "Milliseconds",
            _ => "Count",
        }
    }
}

/// What happened in one period: a set of statistics, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    count: f64,
    sum: f64,
    /// The least and the greatest; not known of hours that are only in the ledger.
    range: Option<(f64, f64)>,
    histogram: Option<Histogram>,
}

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// What is counted of functions.
    Lambda(Kind, Of),
    /// What functions write themselves.
    Custom(CustomKey),
}

/// A metric, and the length of its periods in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) source: Source,
    pub(super) period: u64,
}

/// The points of a metric, and their unit.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) unit: String,
    pub(super) points: Points,
}

impl Asked {
    /// `None` for a metric that nothing was ever counted of.
    pub(super) fn of(metric: &Metric, period: u64) -> Option<Self> {
        if metric.namespace != NAMESPACE {
            let Metric { namespace, name, dimensions } = metric.clone();
            return Some(Self { source: Source::Custom(CustomKey { namespace, name, dimensions }), period });
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == metric.name)?;
        let dimension = |name: &str| metric.dimensions.get(name);
        let name = dimension(FUNCTION).map(|name| name.parse::<FunctionName>()).transpose().ok()?;
        let version = match (&name, dimension(RESOURCE)) {
            (_, None) => None,
            (None, Some(_)) => return None,
            (Some(name), Some(resource)) => {
                let rest = resource.strip_prefix(name.as_str())?;
                match rest.strip_prefix(':') {
                    None if rest.is_empty() => Some(Version::Latest),
                    Some(number) => Some(Version::Number(number.parse().ok()?)),
                    None => return None,
                }
            }
        };
        let known = usize::from(name.is_some()) + usize::from(version.is_some());
        let source = Source::Lambda(kind, Of { name, version });
        (metric.dimensions.len() == known).then_some(Self { source, period })
    }

    /// Whether hours of the ledger are needed.
    fn hourly(&self) -> Option<&Of> {
        match &self.source {
            Source::Lambda(_, of) => self.period.is_multiple_of(HOUR_S).then_some(of),
            Source::Custom(_) => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "CloudWatch's values are floats")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Point {
    /// Of counts; `None` where there was nothing to count.
    fn counted(kind: Kind, counters: &Counters) -> Option<Self> {
        let tried = counters.invocations.saturating_add(counters.throttles);
        let (sum, count) = match kind {
            Kind::Invocations => (counters.invocations, counters.invocations),
            Kind::Errors => (counters.errors(), counters.invocations),
            Kind::Throttles => (counters.throttles, tried),
            Kind::Duration => {
                let (count, sum) = (float(counters.invocations), seconds(counters.duration_us) * 1e3);
                return (counters.invocations > 0).then_some(Self { count, sum, range: None, histogram: None });
            }
            Kind::ConcurrentExecutions => return None,
        };
        // Each call counts 0 or 1.
        let range = (f64::from(u8::from(sum == count)), f64::from(u8::from(sum > 0)));
        let point = Self { count: float(count), sum: float(sum), range: Some(range), histogram: None };
        (count > 0).then_some(point)
    }

    fn of_sample(sample: &Sample) -> Self {
        let Sample { count, sum, least, greatest } = *sample;
        Self { count, sum, range: Some((least, greatest)), histogram: None }
    }

    fn of_minute(kind: Kind, minute: &Minute) -> Option<Self> {
        let durations = &minute.durations;
        match kind {
            Kind::ConcurrentExecutions => {
                let most = f64::from(minute.concurrent_max);
                let point = Self { count: 1.0, sum: most, range: Some((most, most)), histogram: None };
                (minute.concurrent_max > 0).then_some(point)
            }
            Kind::Duration => {
                let range = (seconds(durations.least_us) * 1e3, seconds(durations.greatest_us) * 1e3);
                let point = Self::counted(kind, &minute.counters)?;
                Some(Self { range: Some(range), histogram: Some(*durations), ..point })
            }
            Kind::Invocations | Kind::Errors | Kind::Throttles => Self::counted(kind, &minute.counters),
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        let both = self.range.zip(other.range);
        self.range = both.map(|((least, greatest), (other_least, other_greatest))| {
            (least.min(other_least), greatest.max(other_greatest))
        });
        self.histogram = self.histogram.zip(other.histogram).map(|(mut sum, more)| {
            sum.add(&more);
            sum
        });
    }

    /// `None` when it is not known.
    pub(super) fn value(&self, statistic: &Statistic) -> Option<f64> {
        match statistic {
            Statistic::SampleCount => Some(self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Average => Some(self.sum / self.count),
            Statistic::Minimum => self.range.map(|(least, _)| least),
            Statistic::Maximum => self.range.map(|(_, greatest)| greatest),
            Statistic::Percentile(share, _) => {
                self.histogram.map(|histogram| float(histogram.quantile_us(*share)) / 1e3)
            }
        }
    }
}

/// Points by the second in which their period begins.
pub(super) type Points = BTreeMap<u64, Point>;

/// The points of each of these.
pub(super) async fn series(shared: &Shared, asked: &[Asked], span: Span) -> Result<Vec<Series>, String> {
    let hourly: Vec<Of> = asked.iter().filter_map(Asked::hourly).cloned().collect();
    let hours = if hourly.is_empty() {
        Vec::new()
    } else {
        let range = span.start / HOUR_S..span.end.div_ceil(HOUR_S);
        shared.deps.ledger.hours(&hourly, range).await.map_err(|error| error.to_string())?
    };
    let mut hours = hours.into_iter();
    let minutes = span.start / MINUTE_S..span.end / MINUTE_S;
    let of = |asked: &Asked| match &asked.source {
        Source::Lambda(kind, of) => {
            let hours = asked.hourly().is_some().then(|| hours.next().unwrap_or_default());
            // Whole hours, where the ledger has no less.
            let range = match hours.is_some() {
                true => span.start / HOUR_S * 60..span.end.div_ceil(HOUR_S) * 60,
                false => minutes.clone(),
            };
            let minutes = shared.deps.meters.minutes(of.name.as_ref(), of.version, range);
            let points = periods((*kind, asked.period), &minutes, hours);
            Series { unit: kind.unit().to_owned(), points }
        }
        Source::Custom(key) => {
            let found = shared.deps.meters.custom().series(key, minutes.clone());
            let CustomSeries { unit, minutes } =
                found.unwrap_or_else(|| CustomSeries { unit: "None".to_owned(), minutes: BTreeMap::new() });
            let mut points = Points::new();
            for (minute, sample) in &minutes {
                put(&mut points, asked.period, minute * MINUTE_S, Some(Point::of_sample(sample)));
            }
            Series { unit, points }
        }
    };
    Ok(asked.iter().map(of).collect())
}

/// Adds a point to the period it lies in.
fn put(points: &mut Points, period: u64, second: u64, point: Option<Point>) {
    let Some(point) = point else { return };
    points.entry(second / period * period).and_modify(|sum| sum.add(&point)).or_insert(point);
}

/// Puts minutes together, and hours that memory does not have all minutes of.
fn periods((kind, period): (Kind, u64), minutes: &[Minute], hours: Option<Hours>) -> Points {
    let mut points = Points::new();
    let mut add = |second: u64, point: Option<Point>| put(&mut points, period, second, point);
    let mut in_memory: BTreeMap<u64, Counters> = BTreeMap::new();
    for minute in minutes {
        in_memory.entry(minute.minute / 60).or_default().add(&minute.counters);
    }
    let is_whole = |hour: u64| match &hours {
        Some(hours) => hours.get(&hour).is_none_or(|counters| in_memory.get(&hour) == Some(counters)),
        None => true,
    };
    for minute in minutes {
        if kind == Kind::ConcurrentExecutions || is_whole(minute.minute / 60) {
            add(minute.minute * MINUTE_S, Point::of_minute(kind, minute));
        }
    }
    for (hour, counters) in hours.iter().flatten().filter(|(hour, _)| !is_whole(**hour)) {
        add(hour * HOUR_S, Point::counted(kind, counters));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: u64, invocations: u64, crashes: u64) -> Minute {
        let duration_us = 2_000 * invocations;
        let counters = Counters { invocations, crashes, duration_us, ..Counters::default() };
        let durations = Histogram { least_us: 1_000, greatest_us: 3_000, ..Histogram::default() };
        Minute { minute, counters, durations, concurrent_max: u32::try_from(minute).unwrap() }
    }

    fn values(points: &Points, statistic: &str) -> Vec<(u64, Option<f64>)> {
        let statistic = Statistic::parse(statistic).unwrap();
        points.iter().map(|(time, point)| (*time, point.value(&statistic))).collect()
    }

    #[test]
    fn minutes_become_periods() {
        let minutes = [minute(60, 2, 1), minute(61, 4, 0), minute(65, 1, 1)];
        let errors = periods((Kind::Errors, 300), &minutes, None);
        assert_eq!(values(&errors, "Sum"), [(3_600, Some(1.0)), (3_900, Some(1.0))]);
        assert_eq!(values(&errors, "SampleCount"), [(3_600, Some(6.0)), (3_900, Some(1.0))]);
        assert_eq!(values(&errors, "Minimum"), [(3_600, Some(0.0)), (3_900, Some(1.0))]);
        let durations = periods((Kind::Duration, 60), &minutes, None);
        assert_eq!(values(&durations, "Average")[0], (3_600, Some(2.0)));
        assert_eq!(values(&durations, "Maximum")[0], (3_600, Some(3.0)));
        let concurrent = periods((Kind::ConcurrentExecutions, 3_600), &minutes, None);
        assert_eq!(values(&concurrent, "Maximum"), [(3_600, Some(65.0))]);
        assert_eq!(values(&concurrent, "SampleCount"), [(3_600, Some(3.0))]);
    }

    #[test]
    fn hours_that_memory_has_only_a_part_of_are_the_ledgers() {
        let minutes = [minute(60, 2, 1), minute(120, 3, 0)];
        let mut more = minute(60, 2, 1).counters;
        more.add(&minute(60, 5, 0).counters);
        let hours = Hours::from([(1, more), (2, minute(120, 3, 0).counters)]);
        let calls = periods((Kind::Invocations, 3_600), &minutes, Some(hours.clone()));
        assert_eq!(values(&calls, "Sum"), [(3_600, Some(7.0)), (7_200, Some(3.0))]);
        let durations = periods((Kind::Duration, 3_600), &minutes, Some(hours));
        assert_eq!(values(&durations, "Average"), [(3_600, Some(2.0)), (7_200, Some(2.0))]);
        assert_eq!(values(&durations, "Maximum"), [(3_600, None), (7_200, Some(3.0))]);
    }

    #[test]
    fn metrics_are_known_by_their_dimensions() {
        let of = |pairs: &[(&str, &str)]| {
            let dimensions = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let metric = Metric { namespace: NAMESPACE.to_owned(), name: "Errors".to_owned(), dimensions };
            Asked::of(&metric, 60).map(|asked| match asked.source {
                Source::Lambda(_, of) => (of.name.map(|name| name.to_string()), of.version),
                Source::Custom(key) => panic!("{key:?}"),
            })
        };
        let f = Some("f".to_owned());
        assert_eq!(of(&[]), Some((None, None)));
        assert_eq!(of(&[(FUNCTION, "f")]), Some((f.clone(), None)));
        assert_eq!(of(&[(FUNCTION, "f"), (RESOURCE, "f")]), Some((f.clone(), Some(Version::Latest))));
        assert_eq!(of(&[(FUNCTION, "f"), (RESOURCE, "f:7")]), Some((f, Some(Version::Number(7)))));
        for pairs in [
            &[(RESOURCE, "f")][..],
            &[(FUNCTION, "f"), (RESOURCE, "g")],
            &[(FUNCTION, "f"), (RESOURCE, "f:live")],
            &[(FUNCTION, "f"), ("ExecutedVersion", "1")],
            &[(FUNCTION, "a b")],
        ] {
            assert_eq!(of(pairs), None, "{pairs:?}");
        }
    }
}

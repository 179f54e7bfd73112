//! CloudWatch's requests for metrics: ListMetrics, GetMetricStatistics and
//! GetMetricData, read from values of whatever protocol. What the model has and is
//! not acted on is refused by name.
//!
//! Rules: the service model 2010-08-01, and the API reference of November 2026.

mod read;

use std::collections::BTreeMap;

use read::Reader;
use serde_json::Value;

/// Queries of one GetMetricData.
const QUERIES_MAX: usize = 500;
/// Dimensions of a metric.
const DIMENSIONS_MAX: usize = 30;
/// Statistics of one request.
const STATISTICS_MAX: usize = 10;
/// Datapoints of one GetMetricStatistics.
const DATAPOINTS_MAX: u64 = 1_440;
/// The longest period, in seconds: a day, as CloudWatch has it.
const PERIOD_S_MAX: u64 = 86_400;

/// Why a request cannot be answered, in CloudWatch's kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A member is not as it must be.
    #[error("{0}")]
    Value(String),
    /// A member is missing.
    #[error("{0}")]
    Missing(String),
    /// Members do not fit each other.
    #[error("{0}")]
    Combination(String),
}

/// Which metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// `AWS/Lambda`, or one of a function's own.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
}

/// What is computed of the values of a period.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistic {
    /// How many there are.
    SampleCount,
    /// Sum divided by count.
    Average,
    /// All added up.
    Sum,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// What this share of them, 0 to 1, does not pass; with its own spelling.
    Percentile(f64, String),
}

impl Statistic {
    /// One of the five, or `p0` to `p100` with up to ten decimals.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "SampleCount" => Some(Self::SampleCount),
            "Average" => Some(Self::Average),
            "Sum" => Some(Self::Sum),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            _ => {
                let digits = text.strip_prefix('p').filter(|digits| digits.len() <= 14)?;
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let percent: f64 = if plain { digits.parse().ok()? } else { return None };
                (percent <= 100.0).then(|| Self::Percentile(percent / 100.0, text.to_owned()))
            }
        }
    }
}

/// Time and resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Seconds since the Unix epoch, a whole minute, inclusive.
    pub start: u64,
    /// Likewise, exclusive.
    pub end: u64,
}

/// ListMetrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMetrics {
    /// Only of this namespace.
    pub namespace: Option<String>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only with these dimensions, of these values where they are given.
    pub dimensions: Vec<(String, Option<String>)>,
    /// How many were answered before.
    pub skip: usize,
}

/// GetMetricStatistics.
#[derive(Debug, Clone, PartialEq)]
pub struct GetMetricStatistics {
    /// The metric.
    pub metric: Metric,
    /// When.
    pub span: Span,
    /// Seconds, a multiple of 60.
    pub period: u64,
    /// At least one.
    pub statistics: Vec<Statistic>,
    /// Only values of this unit.
    pub unit: Option<String>,
}

/// One query of GetMetricData.
#[derive(Debug, Clone, PartialEq)]
pub struct DataQuery {
    /// The caller's name for it.
    pub id: String,
    /// The caller's label.
    pub label: Option<String>,
    /// The metric.
    pub metric: Metric,
    /// Seconds, a multiple of 60.
    pub period: u64,
    /// What is computed.
    pub statistic: Statistic,
    /// Only values of this unit.
    pub unit: Option<String>,
}

/// GetMetricData.
#[derive(Debug, Clone, PartialEq)]
pub struct GetMetricData {
    /// At most 500, with ids of their own.
    pub queries: Vec<DataQuery>,
    /// When.
    pub span: Span,
    /// Whether the oldest come first.
    pub ascending: bool,
}

impl ListMetrics {
    /// Reads the request.
    pub fn read(value: Value) -> Result<Self, Refused> {
        let mut request = Reader::of(value, "the request")?;
        let token = request.text("NextToken")?;
        let skip = match &token {
            None => 0,
            Some(token) => token.parse().map_err(|_| Refused::Value("NextToken is not one of ours".to_owned()))?,
        };
        let active = request.text("RecentlyActive")?;
        if active.is_some_and(|active| active != "PT3H") {
            return Err(Refused::Value("RecentlyActive must be PT3H".to_owned()));
        }
        let mut dimensions = Vec::new();
        for mut filter in request.list("Dimensions", DIMENSIONS_MAX)? {
            dimensions.push((filter.required("Name")?, filter.text("Value")?));
            filter.finish()?;
        }
        let (namespace, name) = (request.text("Namespace")?, request.text("MetricName")?);
        request.finish()?;
        Ok(Self { namespace, name, dimensions, skip })
    }
}

impl GetMetricStatistics {
    /// Reads the request.
    pub fn read(value: Value) -> Result<Self, Refused> {
        let mut request = Reader::of(value, "the request")?;
        let metric = metric(&mut request)?;
        let period = period(&mut request)?;
        let span = span(&mut request)?;
        let mut statistics = Vec::new();
        for name in ["Statistics", "ExtendedStatistics"] {
            for text in request.texts(name, STATISTICS_MAX)? {
                let percentile = name == "ExtendedStatistics";
                let parsed = Statistic::parse(&text);
                let fits = |of: &Statistic| matches!(of, Statistic::Percentile(..)) == percentile;
                statistics.push(parsed.filter(fits).ok_or_else(|| unknown(name, &text))?);
            }
        }
        let unit = request.text("Unit")?;
        request.finish()?;
        if statistics.is_empty() {
            return Err(Refused::Missing("At least one of Statistics and ExtendedStatistics is needed".to_owned()));
        }
        let datapoints = (span.end - span.start).div_ceil(period);
        if datapoints > DATAPOINTS_MAX {
            return Err(Refused::Combination(format!(
                "You have requested up to {datapoints} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You \
                 may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )));
        }
        Ok(Self { metric, span, period, statistics, unit })
    }
}

impl GetMetricData {
    /// Reads the request.
    pub fn read(value: Value) -> Result<Self, Refused> {
        let mut request = Reader::of(value, "the request")?;
        let mut queries: Vec<DataQuery> = Vec::new();
        for query in request.list("MetricDataQueries", QUERIES_MAX)? {
            queries.extend(data_query(query)?);
        }
        let span = span(&mut request)?;
        let ascending = match request.text("ScanBy")?.as_deref() {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => return Err(unknown("ScanBy", other)),
        };
        if request.text("NextToken")?.is_some() {
            return Err(Refused::Value("NextToken is not one of ours: every answer is whole".to_owned()));
        }
        // Every answer is bounded and whole; a zone changes labels that are not supported.
        request.integer("MaxDatapoints")?;
        request.ignore("LabelOptions");
        request.finish()?;
        let mut ids: Vec<&str> = queries.iter().map(|query| query.id.as_str()).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refused::Value("The ids of MetricDataQueries must be unique".to_owned()));
        }
        Ok(Self { queries, span, ascending })
    }
}

/// A query, unless its data is not to be returned.
fn data_query(mut query: Reader) -> Result<Option<DataQuery>, Refused> {
    let id = query.required("Id")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.bytes().all(plain) || id.len() > 255 {
        return Err(Refused::Value(format!(
            "The id `{id}` must begin with a lower-case letter and hold letters, digits and _ only"
        )));
    }
    if query.text("Expression")?.is_some() {
        return Err(Refused::Value("Expression is not supported yet: ask for metrics by MetricStat".to_owned()));
    }
    let returned = query.boolean("ReturnData")?;
    let label = query.text("Label")?;
    // It repeats the period of an expression.
    query.integer("Period")?;
    query.text("AccountId")?;
    let mut stat = query.object("MetricStat")?;
    query.finish()?;
    let mut of = stat.object("Metric")?;
    let metric = metric(&mut of)?;
    of.finish()?;
    let period = period(&mut stat)?;
    let text = stat.required("Stat")?;
    let statistic = Statistic::parse(&text).ok_or_else(|| unknown("Stat", &text))?;
    let unit = stat.text("Unit")?;
    stat.finish()?;
    Ok((returned != Some(false)).then_some(DataQuery { id, label, metric, period, statistic, unit }))
}

fn unknown(name: &str, text: &str) -> Refused {
    let text: String = text.chars().take(100).collect();
    Refused::Value(format!(
        "The value `{text}` of {name} is not supported: there are SampleCount, Average, Sum, Minimum, Maximum and \
         percentiles such as p99.9"
    ))
}

fn metric(of: &mut Reader) -> Result<Metric, Refused> {
    let (namespace, name) = (of.required("Namespace")?, of.required("MetricName")?);
    let mut dimensions = BTreeMap::new();
    for mut dimension in of.list("Dimensions", DIMENSIONS_MAX)? {
        let (name, value) = (dimension.required("Name")?, dimension.required("Value")?);
        dimension.finish()?;
        if dimensions.insert(name.clone(), value).is_some() {
            return Err(Refused::Value(format!("The dimension {name} is given more than once")));
        }
    }
    Ok(Metric { namespace, name, dimensions })
}

fn period(of: &mut Reader) -> Result<u64, Refused> {
    let period = of.integer("Period")?.ok_or_else(|| Refused::Missing("Period is missing".to_owned()))?;
    let valid = u64::try_from(period).ok().filter(|period| *period > 0 && period.is_multiple_of(60));
    valid.filter(|period| *period <= PERIOD_S_MAX).ok_or_else(|| {
        Refused::Value(format!("Period must be a multiple of 60 from 60 to {PERIOD_S_MAX} seconds, and is {period}"))
    })
}

fn span(of: &mut Reader) -> Result<Span, Refused> {
    let mut moment = |name: &str| of.time(name)?.ok_or_else(|| Refused::Missing(format!("{name} is missing")));
    let (start, end) = (moment("StartTime")?, moment("EndTime")?);
    if start >= end {
        return Err(Refused::Combination("The parameter StartTime must be less than the parameter EndTime".to_owned()));
    }
    Ok(Span { start: start / 60 * 60, end: end.div_ceil(60) * 60 })
}

#[cfg(test)]
mod tests;

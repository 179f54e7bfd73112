//! The operations, from what was read to trees.

use std::collections::BTreeMap;

use lamina_ledger::By;
use lamina_meter::{CustomKey, Subject};
use lamina_wire::monitoring::{DataQuery, GetMetricData, GetMetricStatistics, ListMetrics, Metric, Statistic};
use lamina_wire::tree::Tree;

use super::Failure;
use super::series::{Asked, FUNCTION, Kind, NAMESPACE, Points, RESOURCE, Series, series};
use crate::request::Shared;

/// Metrics of one answer.
const PAGE: usize = 500;
/// Metrics are listed that had a value in so many hours: two weeks, as on CloudWatch.
const LISTED_HOURS: u64 = 14 * 24;
/// Values of one GetMetricData: CloudWatch's own.
const DATAPOINTS_MAX: usize = 100_800;

/// Functions that were called in the last two weeks, each with its versions.
async fn known(shared: &Shared) -> Result<Vec<Metric>, Failure> {
    let now = shared.now().seconds() / 3_600;
    let rows = shared.deps.ledger.usage(now.saturating_sub(LISTED_HOURS)..now + 1, By::Version).await;
    let rows = rows.map_err(|error| Failure::internal(&error.to_string()))?;
    let mut sets: Vec<BTreeMap<String, String>> = Vec::new();
    if !rows.is_empty() {
        sets.push(BTreeMap::new());
    }
    for row in rows.into_iter().filter(|row| row.function != Subject::OTHER) {
        let function = BTreeMap::from([(FUNCTION.to_owned(), row.function.clone())]);
        let resource = match row.version.as_deref() {
            None | Some("$LATEST") => row.function,
            Some(version) => format!("{}:{version}", row.function),
        };
        let mut version = function.clone();
        version.insert(RESOURCE.to_owned(), resource);
        if !sets.contains(&function) {
            sets.push(function);
        }
        sets.push(version);
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for dimensions in sets {
        metrics.extend(Kind::ALL.iter().map(|kind| Metric {
            namespace: NAMESPACE.to_owned(),
            name: kind.name().to_owned(),
            dimensions: dimensions.clone(),
        }));
    }
    let custom = shared.deps.meters.custom().list().into_iter();
    metrics.extend(custom.map(|CustomKey { namespace, name, dimensions }| Metric { namespace, name, dimensions }));
    metrics.sort_unstable();
    Ok(metrics)
}

pub(super) async fn list(shared: &Shared, request: ListMetrics) -> Result<Tree, Failure> {
    let is_asked = |metric: &Metric| {
        let has = |(name, value): &(String, Option<String>)| {
            let own = metric.dimensions.get(name);
            own.is_some_and(|own| value.as_ref().is_none_or(|value| value == own))
        };
        request.namespace.as_ref().is_none_or(|namespace| *namespace == metric.namespace)
            && request.name.as_ref().is_none_or(|name| *name == metric.name)
            && request.dimensions.iter().all(has)
    };
    let mut metrics: Vec<Metric> = known(shared).await?.into_iter().filter(is_asked).skip(request.skip).collect();
    let more = metrics.len() > PAGE;
    metrics.truncate(PAGE);
    let tree = |metric: Metric| {
        let dimensions = metric.dimensions.into_iter();
        let dimensions =
            dimensions.map(|(name, value)| Tree::Map(vec![("Name", Tree::Text(name)), ("Value", Tree::Text(value))]));
        Tree::Map(vec![
            ("Namespace", Tree::Text(metric.namespace)),
            ("MetricName", Tree::Text(metric.name)),
            ("Dimensions", Tree::List(dimensions.collect())),
        ])
    };
    let mut members = vec![("Metrics", Tree::List(metrics.into_iter().map(tree).collect()))];
    if more {
        members.push(("NextToken", Tree::Text((request.skip + PAGE).to_string())));
    }
    Ok(Tree::Map(members))
}

/// Points of each metric; none of one that is not known, or has another unit.
async fn of(
    shared: &Shared,
    asked: Vec<(Option<Asked>, Option<&String>)>,
    span: lamina_wire::monitoring::Span,
) -> Result<Vec<Series>, Failure> {
    let known: Vec<Asked> = asked.iter().filter_map(|(asked, _)| asked.clone()).collect();
    let found = series(shared, &known, span).await.map_err(|error| Failure::internal(&error))?;
    let mut found = found.into_iter();
    let all = asked.into_iter().map(|(asked, unit)| {
        let series = asked.and_then(|_| found.next()).unwrap_or_default();
        if unit.is_none_or(|unit| *unit == series.unit) { series } else { Series::default() }
    });
    Ok(all.collect())
}

pub(super) async fn statistics(shared: &Shared, request: GetMetricStatistics) -> Result<Tree, Failure> {
    let asked = vec![(Asked::of(&request.metric, request.period), request.unit.as_ref())];
    let Series { points, unit } = of(shared, asked, request.span).await?.into_iter().next().unwrap_or_default();
    let tree = |(time, point): (u64, super::series::Point)| {
        let mut members = vec![("Timestamp", Tree::Time(time)), ("Unit", Tree::text(&unit))];
        let mut extended = Vec::new();
        for statistic in &request.statistics {
            let name = match statistic {
                Statistic::SampleCount => "SampleCount",
                Statistic::Average => "Average",
                Statistic::Sum => "Sum",
                Statistic::Minimum => "Minimum",
                Statistic::Maximum => "Maximum",
                Statistic::Percentile(_, name) => {
                    extended.extend(point.value(statistic).map(|value| (name.clone(), Tree::Number(value))));
                    continue;
                }
            };
            members.extend(point.value(statistic).map(|value| (name, Tree::Number(value))));
        }
        if !extended.is_empty() {
            members.push(("ExtendedStatistics", Tree::Named(extended)));
        }
        Tree::Map(members)
    };
    let datapoints = points.into_iter().map(tree).collect();
    Ok(Tree::Map(vec![("Label", Tree::Text(request.metric.name.clone())), ("Datapoints", Tree::List(datapoints))]))
}

pub(super) async fn data(shared: &Shared, request: GetMetricData) -> Result<Tree, Failure> {
    let asked = request.queries.iter().map(|query| (Asked::of(&query.metric, query.period), query.unit.as_ref()));
    let found = of(shared, asked.collect(), request.span).await?;
    let mut left = DATAPOINTS_MAX;
    let results = request.queries.iter().zip(&found);
    let results = results.map(|(query, series)| result(query, &series.points, request.ascending, &mut left));
    Ok(Tree::Map(vec![("MetricDataResults", Tree::List(results.collect())), ("Messages", Tree::List(Vec::new()))]))
}

fn result(query: &DataQuery, points: &Points, ascending: bool, left: &mut usize) -> Tree {
    let values = points.iter().filter_map(|(time, point)| Some((*time, point.value(&query.statistic)?)));
    let mut values: Vec<(u64, f64)> = values.collect();
    if !ascending {
        values.reverse();
    }
    let whole = values.len() <= *left;
    values.truncate(*left);
    *left -= values.len();
    Tree::Map(vec![
        ("Id", Tree::text(&query.id)),
        ("Label", Tree::text(query.label.as_ref().unwrap_or(&query.metric.name))),
        ("Timestamps", Tree::List(values.iter().map(|(time, _)| Tree::Time(*time)).collect())),
        ("Values", Tree::List(values.iter().map(|(_, value)| Tree::Number(*value)).collect())),
        ("StatusCode", Tree::text(if whole { "Complete" } else { "PartialData" })),
    ])
}

//! CloudWatch's embedded metric format: a log line that is a JSON object with a
//! member `_aws` says which of its members are metrics, and which are dimensions.
//!
//! Rules: "Specification: Embedded metric format" of CloudWatch's user guide. A line
//! that breaks them makes no metric at all.

use std::collections::BTreeMap;

use lamina_types::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Metrics of one directive.
const METRICS_MAX: usize = 100;
/// Dimensions of one set.
const DIMENSIONS_MAX: usize = 30;
/// Sets of dimensions of one directive, and directives of one line: the
/// specification has no bound for either.
const SETS_MAX: usize = 30;
/// Values of one metric.
const VALUES_MAX: usize = 100;
/// The longest name, namespace and value of a dimension, in bytes.
const NAME_BYTES_MAX: usize = 1_024;
/// How old a line may be, and how far ahead: two weeks and two hours.
const PAST_MS: u64 = 14 * 86_400_000;
const AHEAD_MS: u64 = 2 * 3_600_000;

/// The values of one metric with one set of dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The namespace.
    pub namespace: String,
    /// The metric.
    pub name: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
    /// `None` when there is none.
    pub unit: String,
    /// When.
    pub at: Timestamp,
    /// At least one, all finite.
    pub values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: u64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    #[serde(default)]
    dimensions: Vec<Vec<String>>,
    #[serde(default)]
    metrics: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: String,
    #[serde(default)]
    unit: Option<String>,
}

/// Whether a line may be one: cheap enough for every line.
pub fn is_candidate(line: &str) -> bool {
    line.starts_with('{') && line.contains("\"_aws\"")
}

/// The metrics of a line that was written now; an error says which rule it breaks.
pub fn parse(line: &str, now: Timestamp) -> Result<Vec<Datum>, &'static str> {
    let root: Map<String, Value> = serde_json::from_str(line).map_err(|_| "the line is no JSON object")?;
    let metadata = root.get("_aws").ok_or("there is no _aws")?;
    let metadata = Metadata::deserialize(metadata).map_err(|_| "_aws is not as it must be")?;
    let at = Timestamp::from_millis(metadata.timestamp);
    if metadata.timestamp > now.millis() + AHEAD_MS || metadata.timestamp < now.millis().saturating_sub(PAST_MS) {
        return Err("the timestamp is more than two weeks ago or two hours ahead");
    }
    if metadata.cloud_watch_metrics.len() > SETS_MAX {
        return Err("there are too many directives");
    }
    let mut data = Vec::new();
    for directive in metadata.cloud_watch_metrics {
        read(&root, directive, at, &mut data)?;
    }
    Ok(data)
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
}

fn read(
    root: &Map<String, Value>,
    directive: Directive,
    at: Timestamp,
    data: &mut Vec<Datum>,
) -> Result<(), &'static str> {
    let Directive { namespace, dimensions, metrics } = directive;
    if !is_name(&namespace) || namespace.starts_with("AWS/") {
        return Err("the namespace is empty, too long, or one of AWS's own");
    }
    if metrics.len() > METRICS_MAX || dimensions.len() > SETS_MAX {
        return Err("there are too many metrics or sets of dimensions");
    }
    // Without a set the metric has no dimensions.
    let sets = if dimensions.is_empty() { vec![Vec::new()] } else { dimensions };
    let mut named: Vec<BTreeMap<String, String>> = Vec::new();
    for set in sets {
        if set.len() > DIMENSIONS_MAX {
            return Err("a set has too many dimensions");
        }
        let pair = |name: String| match root.get(&name) {
            Some(Value::String(value)) if is_name(&name) && is_name(value) => Ok((name, value.clone())),
            _ => Err("a dimension has no text of its name in the line"),
        };
        named.push(set.into_iter().map(pair).collect::<Result<_, _>>()?);
    }
    for Definition { name, unit } in metrics {
        if !is_name(&name) {
            return Err("a metric's name is empty or too long");
        }
        let unit = unit.unwrap_or_else(|| "None".to_owned());
        if !is_name(&unit) {
            return Err("a metric's unit is empty or too long");
        }
        // A metric that has no value in this line is none of it.
        let Some(value) = root.get(&name) else { continue };
        let values = values(value)?;
        for dimensions in &named {
            let (namespace, dimensions) = (namespace.clone(), dimensions.clone());
            let (name, unit, values) = (name.clone(), unit.clone(), values.clone());
            data.push(Datum { namespace, name, dimensions, unit, at, values });
        }
    }
    Ok(())
}

fn values(value: &Value) -> Result<Vec<f64>, &'static str> {
    let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
    let values: Option<Vec<f64>> = match value {
        Value::Array(values) if values.len() <= VALUES_MAX => values.iter().map(number).collect(),
        value => number(value).map(|number| vec![number]),
    };
    values.filter(|values| !values.is_empty()).ok_or("a metric is no number, and no list of 1 to 100 numbers")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

    fn line(change: Value) -> String {
        let mut line = json!({
            "_aws": {
                "Timestamp": NOW.millis(),
                "CloudWatchMetrics": [{
                    "Namespace": "shop",
                    "Dimensions": [["service"], ["service", "region"]],
                    "Metrics": [{"Name": "time", "Unit": "Milliseconds", "StorageResolution": 60}, {"Name": "items"}],
                }],
            },
            "service": "cart", "region": "eu", "time": 12.5, "items": [1, 2, 3], "requestId": "r",
        });
        line.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        line.to_string()
    }

    #[test]
    fn lines_become_metrics() {
        let text = line(json!({}));
        assert!(is_candidate(&text) && !is_candidate("{\"a\": 1}") && !is_candidate("x \"_aws\""));
        let data = parse(&text, NOW).unwrap();
        let of = |name: &str| data.iter().filter(|datum| datum.name == name).collect::<Vec<_>>();
        assert_eq!((data.len(), of("time").len()), (4, 2));
        let first = of("time")[0];
        assert_eq!(
            (first.unit.as_str(), first.namespace.as_str(), &first.values),
            ("Milliseconds", "shop", &vec![12.5])
        );
        assert_eq!(first.dimensions, BTreeMap::from([("service".to_owned(), "cart".to_owned())]));
        assert_eq!((of("items")[1].dimensions.len(), &of("items")[1].values), (2, &vec![1.0, 2.0, 3.0]));
        let missing = parse(&line(json!({"items": null, "_x": 1})), NOW);
        assert!(missing.is_err(), "null is no number");
    }

    #[test]
    fn lines_that_break_the_rules_make_no_metric() {
        let aws = |timestamp: u64, namespace: &str| {
            let metrics = json!([{"Name": "time"}]);
            json!({"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [{"Namespace": namespace, "Metrics": metrics}]}})
        };
        assert_eq!(parse(&line(aws(NOW.millis(), "n")), NOW).unwrap().len(), 1, "without dimensions");
        for change in [
            json!({"time": "12"}),
            json!({"time": []}),
            json!({"time": vec![1; 101]}),
            json!({"service": 7}),
            json!({"service": ""}),
            json!({"_aws": {}}),
            json!({"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}}),
            aws(NOW.millis() - PAST_MS - 1, "n"),
            aws(NOW.millis() + AHEAD_MS + 1, "n"),
            aws(NOW.millis(), "AWS/Lambda"),
            aws(NOW.millis(), " "),
            aws(NOW.millis(), &"n".repeat(1_025)),
        ] {
            assert!(parse(&line(change.clone()), NOW).is_err(), "{change}");
        }
        assert!(parse("{\"_aws\"", NOW).is_err());
    }
}

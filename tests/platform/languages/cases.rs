//! The two tables of `tests/guests-managed`, one of each language.

use std::path::PathBuf;
use std::time::Instant;

use futures_util::StreamExt as _;
use harness::{Platform, creation, managed};
use serde_json::{Value, json};

use super::call::{Asked, bundled};
use super::expect::{ANY, Known, differs, distinct, filled};
use super::report;

/// Cases under way at a time.
const AT_ONCE: usize = 4;

/// One table, and how it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    language: &'static str,
    cases: &'static str,
    runtime: &'static str,
    fill: fn(&str, &Known<'_>) -> String,
}

pub(super) const JAVASCRIPT: Table = Table {
    language: "javascript",
    cases: include_str!("../../guests-managed/javascript/cases.json"),
    runtime: "nodejs22.x",
    fill: javascript,
};

pub(super) const PYTHON: Table = Table {
    language: "python",
    cases: include_str!("../../guests-managed/python/cases.json"),
    runtime: "python3.14",
    fill: python,
};

/// `*` at the end, TIME, REQUEST, ARN and STREAM.
fn javascript(text: &str, known: &Known<'_>) -> String {
    match text {
        "ARN" => return known.arn.to_owned(),
        "STREAM" => return known.seen.log_stream.clone(),
        "fn" => return known.name.to_owned(),
        "/aws/lambda/fn" => return format!("/aws/lambda/{}", known.name),
        _ => {}
    }
    let any = ANY.to_string();
    let text = text.replace("TIME", &any).replace("REQUEST", &known.seen.request_id);
    text.strip_suffix('*').map_or_else(|| text.clone(), |text| format!("{text}{any}"))
}

/// `<*>`, and the facts of one call.
fn python(text: &str, known: &Known<'_>) -> String {
    match text {
        "arn:aws:lambda:us-east-1:000000000000:function:fn" => return known.arn.to_owned(),
        "2026/11/26/[$LATEST]0123456789abcdef0123456789abcdef" => return known.seen.log_stream.clone(),
        "fn" => return known.name.to_owned(),
        "/aws/lambda/fn" => return format!("/aws/lambda/{}", known.name),
        _ => {}
    }
    text.replace("11111111-2222-4333-8444-555555555555", &known.seen.request_id).replace("<*>", &ANY.to_string())
}

/// Runs all cases of a table, each from its sources and from its bundle.
pub(super) async fn run(platform: &Platform, table: Table) {
    let cases: Vec<Value> = serde_json::from_str(table.cases).unwrap();
    let (mut pending, mut waiting) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let label = label(number, case);
        match case["platform"]["not"].as_str() {
            Some(reason) => pending.push(format!("{label}: {reason}")),
            None => waiting.push(One { platform, table, number, case, label }),
        }
    }
    let count = waiting.len();
    let ran = futures_util::stream::iter(waiting).map(One::run).buffer_unordered(AT_ONCE);
    let failures: Vec<String> = ran.collect::<Vec<_>>().await.concat();
    report(&format!("{}/cases.json", table.language), count, &pending, &failures);
}

fn label(number: usize, case: &Value) -> String {
    let named = case["name"].as_str().map(str::to_owned);
    named.unwrap_or_else(|| {
        format!("{number} {}/{}", case["package"].as_str().unwrap(), case["handler"].as_str().unwrap())
    })
}

/// A case that is to be run.
struct One<'a> {
    platform: &'a Platform,
    table: Table,
    number: usize,
    case: &'a Value,
    label: String,
}

impl One<'_> {
    /// What differed.
    async fn run(self) -> Vec<String> {
        let begun = Instant::now();
        let mut case = self.case.clone();
        // Where a platform does otherwise than an interpreter by itself.
        for (name, value) in self.case["platform"].as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(case.as_object_mut().unwrap().remove(name)),
                value => case[name] = value.clone(),
            }
        }
        let name = format!("{}-{}", self.table.language, self.number);
        let folder = root().join(self.table.language).join(case["package"].as_str().unwrap());
        // A package of its own, so that the first call is from the sources.
        let zip = managed::zipped(&folder, &[("case.txt", self.label.as_bytes())]);
        let zip = self.platform.sign_package(&zip);
        self.platform.create(&self.creation(&case, &name, &zip)).await;
        let mut failures = Vec::new();
        for tier in ["sources", "bundle"] {
            let has_bundle = case.get("bundle") != Some(&json!(false));
            let ready = match tier {
                "bundle" => bundled(self.platform, &zip).await,
                _ => Ok(has_bundle),
            };
            let ran = match ready {
                Ok(found) if found == has_bundle => self.once(&case, &name).await,
                Ok(found) => Err(format!("there is a bundle: {found}")),
                Err(error) => Err(error),
            };
            failures.extend(ran.err().map(|error| format!("{} ({tier}): {error}", self.label)));
        }
        let path = format!("/2015-03-31/functions/{name}");
        self.platform.client.call("DELETE", &path, "").await.expect(204);
        eprintln!("languages: {} {} in {:?}", self.table.language, self.label, begun.elapsed());
        failures
    }

    fn creation(&self, case: &Value, name: &str, zip: &[u8]) -> Value {
        let mut creation = creation(name, zip);
        creation["Runtime"] = self.table.runtime.into();
        creation["Handler"] = case["handler"].clone();
        creation["Timeout"] = json!(30);
        creation["MemorySize"] = json!(128);
        let mut variables = case["env"].as_object().cloned().unwrap_or_default();
        // Some of what an interpreter sees in its environment is set otherwise.
        if let Some(env) = variables.remove("AWS_EXECUTION_ENV") {
            creation["Runtime"] = env.as_str().unwrap().trim_start_matches("AWS_Lambda_").into();
        }
        if variables.remove("AWS_LAMBDA_LOG_FORMAT").is_some() {
            let level = variables.remove("AWS_LAMBDA_LOG_LEVEL").unwrap();
            creation["LoggingConfig"] = json!({ "LogFormat": "JSON", "ApplicationLogLevel": level });
        }
        creation["Environment"] = json!({ "Variables": variables });
        creation
    }

    async fn once(&self, case: &Value, name: &str) -> Result<(), String> {
        let asked = Asked {
            payload: payload(case),
            client_context: case["context"]["clientContext"].as_str().map(str::to_owned),
        };
        let platform = self.platform;
        let seen = match (case.get("closeAfter"), case.get("stream")) {
            (Some(_), _) => asked.leave(platform, name).await,
            (None, Some(stream)) => {
                let mut seen = asked.stream(platform, name).await;
                if stream["head"]["contentType"].is_string() {
                    seen.content_type = asked.invoke(platform, name).await.content_type;
                }
                seen
            }
            (None, None) => asked.invoke(platform, name).await,
        };
        if case.get("distinct").is_some() {
            return distinct(&seen, &asked.invoke(platform, name).await);
        }
        let arn = format!("arn:aws:lambda:{}:000000000000:function:{name}", platform.client.region);
        let known = Known { name, arn: &arn, seen: &seen };
        let expected = filled(case, &|text| (self.table.fill)(text, &known));
        differs(&expected, &seen)
    }
}

fn root() -> PathBuf {
    harness::root().join("tests/guests-managed")
}

fn payload(case: &Value) -> Vec<u8> {
    let text = ["payload", "eventText"].iter().find_map(|name| case[*name].as_str());
    match (text, case["eventBytes"].as_u64()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(bytes)) => format!("\"{}\"", "x".repeat(bytes as usize - 2)).into_bytes(),
        (None, None) => case.get("event").unwrap_or(&json!({})).to_string().into_bytes(),
    }
}

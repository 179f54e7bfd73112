//! A fresh instance for each call, taken apart, by tier: from the sources, from the
//! bundle, and restored from a snapshot. One caller.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use harness::others;
use serde_json::{Value, json};

use super::sources::{self, Source};
use super::{bundled, figure, started};
use crate::Options;
use crate::process::Platform;
use crate::report::Figure;

/// The version that a deploy makes.
const LATEST: &str = "$LATEST";
/// How long each function is called.
const TIME: Duration = Duration::from_millis(400);
/// Time for the lines of calls to come.
const LOG_MAX: Duration = Duration::from_secs(10);
/// What others wrote, from the list of the tests, and what each is called with.
pub(super) const OTHERS: [(&str, &str); 3] = [
    ("lodash", r#"{"words": ["a", "bb"], "deep": [{"value": 7}], "parts": [{"a": {"b": 1}}], "name": "Ada"}"#),
    ("powertools-logger", r#"{"order": 7, "items": 2}"#),
    (
        "powertools",
        r#"{"version": "2.0", "rawPath": "/orders/7", "rawQueryString": "q=a", "headers": {"host": "x"},
            "queryStringParameters": {"q": "a"}, "isBase64Encoded": false, "requestContext": {"requestId": "x",
            "stage": "$default", "http": {"method": "GET", "path": "/orders/7", "sourceIp": "127.0.0.1"}}}"#,
    ),
];
/// Init of the guest whose start is long.
const INIT: &str = "INIT=compute 200";

/// All of them; `platform` makes bundles.
pub(super) fn run(options: &Options, platform: &Platform, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let tiers = Tiers { options, platform, sources_only: started(&["--bundles-bytes-max", "0"])? };
    platform.deploy("rust", &test_guests::component("guest-hello"))?;
    figures.extend(tiers.parts(platform, "rust", LATEST, &json!({}))?.figures("rust"));
    tiers.rust_with_init(figures)?;
    let mut all = vec![sources::JAVASCRIPT, sources::PYTHON];
    all.extend([sources::javascript_of(200 << 10), sources::javascript_of(750 << 10)]);
    all.extend([sources::python_of(200 << 10), sources::python_of(750 << 10)]);
    for source in &all {
        tiers.source(source, figures)?;
    }
    let list = others::list();
    for (name, event) in OTHERS {
        let event = serde_json::from_str(event)?;
        let entry = list.iter().find(|entry| entry["name"] == name).context("the list has lost an entry")?;
        let language = entry["language"].as_str().unwrap_or_default();
        let name = format!("{language}_{}", name.replace('-', "_"));
        let folder = others::folder(entry);
        tiers.folder(&name, &folder, &event, figures)?;
        if name == "python_powertools" {
            let logger = sources::PYTHON_LOGGER.beside(&folder, platform)?;
            tiers.folder(&format!("{name}_logger"), &logger, &event, figures)?;
        }
    }
    Ok(())
}

struct Tiers<'a> {
    options: &'a Options,
    platform: &'a Platform,
    sources_only: Platform,
}

impl Tiers<'_> {
    fn source(&self, source: &Source, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        let folder = source.written(self.platform, &format!("{}-tiers", source.name))?;
        self.folder(source.name, &folder, &json!({}), figures)
    }

    /// A package in each tier.
    fn folder(&self, name: &str, folder: &Path, event: &Value, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        let function = name.replace('_', "-");
        let settings = ["--timeout", "60", "--memory", "512"];
        self.sources_only.deploy_folder(&function, folder, &settings)?;
        figures.extend(self.parts(&self.sources_only, &function, LATEST, event)?.figures(&format!("{name}_sources")));
        let before = self.platform.bundles();
        self.platform.deploy_folder(&function, folder, &settings)?;
        bundled(self.platform, &function, &event.to_string(), before)?;
        figures.extend(self.parts(self.platform, &function, LATEST, event)?.figures(&format!("{name}_bundle")));
        let version = self.platform.snap_started(&function)?;
        figures.extend(self.parts(self.platform, &function, &version, event)?.figures(&format!("{name}_snapstart")));
        Ok(())
    }

    /// A component that computes for 200 ms before it can serve, and its snapshot.
    fn rust_with_init(&self, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        let component = test_guests::component("guest-init");
        self.platform.deploy_with("rust-init", &component, &["--env", INIT, "--timeout", "60"])?;
        let plain = self.parts(self.platform, "rust-init", LATEST, &json!({}))?;
        let version = self.platform.snap_started("rust-init")?;
        let restored = self.parts(self.platform, "rust-init", &version, &json!({}))?;
        let (from, to) = (median(&plain.whole), median(&restored.whole));
        figures.extend(plain.figures("rust_init_200_ms"));
        figures.extend(restored.figures("rust_init_200_ms_snapstart"));
        figures.push(figure("rust_init_200_ms_snapstart_over_plain", "ratio", vec![to / from]));
        Ok(())
    }

    /// Calls a version again and again, and reads in the log what each part took.
    fn parts(&self, platform: &Platform, name: &str, version: &str, event: &Value) -> anyhow::Result<Parts> {
        let settings = json!({ "LoggingConfig": { "LogFormat": "JSON", "SystemLogLevel": "DEBUG" } });
        platform.configure(name, &settings)?;
        // What is there already has other settings, or is another version's.
        let before = Parts::logged(platform, name)?;
        let time = TIME.min(self.options.round);
        let calls = platform.calls(name, version, event, time)?;
        let began = Instant::now();
        loop {
            let parts = Parts::logged(platform, name)?;
            if parts.whole.len() >= before.whole.len() + calls {
                return Ok(parts.since(&before));
            }
            // A call's last lines may come a little after its answer.
            if began.elapsed() > LOG_MAX {
                bail!("the log of {name} has {} of {calls} calls", parts.whole.len() - before.whole.len());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_owned();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// How long calls took and their parts, one value a call, in milliseconds.
#[derive(Default)]
struct Parts {
    whole: Vec<f64>,
    parts: BTreeMap<&'static str, Vec<f64>>,
}

impl Parts {
    /// What the log tells of all calls so far.
    fn logged(platform: &Platform, name: &str) -> anyhow::Result<Self> {
        let (mut all, mut restore) = (Self::default(), None);
        for line in platform.log(name, "{ $.record.metrics.durationMs >= 0 }")? {
            let line: Value = serde_json::from_str(&line)?;
            let took = line.pointer("/record/metrics/durationMs").and_then(Value::as_f64).unwrap_or_default();
            match line["type"].as_str() {
                Some("platform.restoreReport") => restore = Some(took),
                Some("platform.runtimeDone") => all.add(&line, took, restore.take()),
                _ => {}
            }
        }
        Ok(all)
    }

    /// A call, and what restoring its instance took before it.
    fn add(&mut self, line: &Value, took: f64, restore: Option<f64>) {
        self.whole.push(took + restore.unwrap_or_default());
        if let Some(restore) = restore {
            self.parts.entry("restore").or_default().push(restore);
            self.parts.entry("call").or_default().push(took);
            return;
        }
        for span in line.pointer("/record/spans").and_then(Value::as_array).into_iter().flatten() {
            let part = ["instantiate", "import", "call"].into_iter().find(|part| span["name"] == *part);
            if let (Some(part), Some(took)) = (part, span["durationMs"].as_f64()) {
                self.parts.entry(part).or_default().push(took);
            }
        }
    }

    /// Without the calls of before.
    fn since(mut self, before: &Self) -> Self {
        self.whole.drain(..before.whole.len());
        for (part, values) in &mut self.parts {
            values.drain(..before.parts.get(part).map_or(0, Vec::len));
        }
        self.parts.retain(|_, values| !values.is_empty());
        self
    }

    fn figures(self, name: &str) -> Vec<Figure> {
        let whole = figure(format!("{name}_fresh_ms"), "ms", self.whole);
        let parts = self.parts.into_iter().map(|(part, rounds)| figure(format!("{name}_{part}_ms"), "ms", rounds));
        std::iter::once(whole).chain(parts).collect()
    }
}

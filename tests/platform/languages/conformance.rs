//! One table for all languages, `tests/guests-managed/conformance/table.json`: what a
//! handler may expect, whatever it is written in. The same operations are written in
//! Python and JavaScript beside the table, and in Rust as `guest-conformance`.
//!
//! A row says what holds for all, and under a language's name what differs there, and
//! then `why`.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use harness::{Platform, creation, managed, tiny};
use serde_json::{Value, json};

use super::call::{Asked, Seen, bundled};
use super::expect::{ANY, differs, filled};

const TABLE: &str = include_str!("../../guests-managed/conformance/table.json");
/// Functions that are called at a time.
const AT_ONCE: usize = 4;
const LANGUAGES: [Language; 3] = [
    Language { name: "python", runtime: "python3.14", handler: "app.handler" },
    Language { name: "javascript", runtime: "nodejs22.x", handler: "index.handler" },
    Language { name: "rust", runtime: "provided.al2023", handler: "bootstrap.wasm" },
];

#[derive(Debug, Clone, Copy)]
struct Language {
    name: &'static str,
    runtime: &'static str,
    handler: &'static str,
}

/// A row as it is for one language.
#[derive(Debug, Clone)]
struct Row {
    number: usize,
    expected: Value,
}

/// The rows that one function serves.
#[derive(Debug)]
struct Function {
    language: Language,
    name: String,
    rows: Vec<Row>,
}

/// Puts what differs in a language in its place: `null` takes a member away, and a
/// failure keeps those that are not named.
fn patched(row: &Value, language: &str) -> Value {
    let mut row = row.clone();
    let patch = row[language].take();
    for (name, value) in patch.as_object().into_iter().flatten() {
        let failure = ["error", "initError"].contains(&name.as_str()) && row.get(name).is_some_and(Value::is_object);
        match value {
            Value::Object(members) if failure => put(&mut row[name], members),
            value => put(&mut row, &[(name.clone(), value.clone())].into_iter().collect()),
        }
    }
    row
}

fn put(into: &mut Value, members: &serde_json::Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Null => drop(into.as_object_mut().unwrap().remove(name)),
            value => into[name] = value.clone(),
        }
    }
}

/// The functions that the rows need in one language: one for each configuration.
fn functions(rows: &[Value], language: Language) -> Vec<Function> {
    let mut by_configuration = BTreeMap::<String, Vec<Row>>::new();
    for (number, row) in rows.iter().enumerate() {
        let expected = patched(row, language.name);
        let handler = &expected["handler"][language.name];
        let key = json!([
            handler,
            expected["component"],
            expected["code"],
            expected["timeout"],
            expected["env"],
            expected["logging"]
        ]);
        by_configuration.entry(key.to_string()).or_default().push(Row { number, expected });
    }
    let named = by_configuration.into_values().enumerate();
    named.map(|(count, rows)| Function { language, name: format!("all-{}-{count}", language.name), rows }).collect()
}

/// Runs every row in every language; from sources and from the bundle where there are
/// such. Prints the table.
pub(super) async fn run(platform: &Platform) {
    let rows: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    let functions = LANGUAGES.iter().flat_map(|language| functions(&rows, *language));
    let ran = functions.map(|function| function.run(platform));
    let ran: Vec<Ran> = futures_util::stream::iter(ran).buffer_unordered(AT_ONCE).concat().await;
    let mut failures = Vec::new();
    eprintln!("| behaviour | {} | why |", LANGUAGES.map(|language| language.name).join(" | "));
    eprintln!("| --- | --- | --- | --- | --- |");
    for (number, row) in rows.iter().enumerate() {
        let behaviour = row["behaviour"].as_str().unwrap();
        let why = row["why"].as_str().unwrap_or_default();
        let cells = LANGUAGES.map(|language| {
            let of_cell = || ran.iter().filter(|ran| ran.number == number && ran.language == language.name);
            let failed: Vec<&str> = of_cell().filter_map(|ran| ran.differs.as_deref()).collect();
            failures.extend(failed.iter().map(|failed| format!("{behaviour} ({}, {failed}", language.name)));
            match (of_cell().count(), failed.is_empty(), row.get(language.name).is_some()) {
                (0, ..) => {
                    failures.push(format!("{behaviour} ({}): it did not run", language.name));
                    "NOT RUN"
                }
                (_, false, _) => "FAILS",
                (_, true, true) => "its own",
                (_, true, false) => "yes",
            }
        });
        if why.is_empty() && LANGUAGES.iter().any(|language| row.get(language.name).is_some()) {
            failures.push(format!("{behaviour}: languages differ, and it does not say why"));
        }
        eprintln!("| {behaviour} | {} | {why} |", cells.join(" | "));
    }
    let count = rows.len() * LANGUAGES.len();
    assert!(failures.is_empty(), "{} failures in {count} cells:\n{}", failures.len(), failures.join("\n"));
}

/// How one run of a row ended.
#[derive(Debug)]
struct Ran {
    number: usize,
    language: &'static str,
    /// The tier and what differed.
    differs: Option<String>,
}

impl Function {
    async fn run(self, platform: &Platform) -> Vec<Ran> {
        let first = &self.rows[0].expected;
        let code = self.code(platform, first);
        let creation = self.creation(first, &code);
        let is_refused = first.get("code").is_some();
        if is_refused {
            let reply = platform.client.json("POST", "/2015-03-31/functions", &creation).await;
            let seen = Seen { status: reply.status, refused: reply.error().to_owned(), ..Seen::default() };
            return self.rows.iter().map(|row| self.ran(row, "upload", differs(&row.expected, &seen))).collect();
        }
        platform.create(&creation).await;
        let tiers: &[&str] = if self.language.name == "rust" { &["component"] } else { &["sources", "bundle"] };
        let mut ran = Vec::new();
        for tier in tiers {
            // Where no file is the handler's, there is none, and the sources serve again.
            let ready = if *tier == "bundle" { bundled(platform, &code).await.map(drop) } else { Ok(()) };
            for row in &self.rows {
                let differs = match &ready {
                    Ok(()) => self.call(platform, row).await,
                    Err(error) => Err(error.clone()),
                };
                ran.push(self.ran(row, tier, differs));
            }
        }
        platform.client.call("DELETE", &format!("/2015-03-31/functions/{}", self.name), "").await.expect(204);
        ran
    }

    fn ran(&self, row: &Row, tier: &str, differs: Result<(), String>) -> Ran {
        let differs = differs.err().map(|error| format!("{tier}): {error}"));
        Ran { number: row.number, language: self.language.name, differs }
    }

    fn code(&self, platform: &Platform, row: &Value) -> Vec<u8> {
        match (self.language.name, row["code"].as_str(), row["component"].as_str()) {
            ("rust", Some("core-module"), _) => tiny::core_module(),
            ("rust", Some("other-world"), _) => platform.sign(&tiny::other_world()),
            ("rust", Some(other), _) => panic!("there is no code {other}"),
            ("rust", None, component) => {
                platform.sign(&test_guests::component(component.unwrap_or("guest-conformance")))
            }
            (language, ..) => {
                let folder = harness::root().join("tests/guests-managed/conformance").join(language);
                // A package of its own, so that its first call is from the sources.
                platform.sign_package(&managed::zipped(&folder, &[("function.txt", self.name.as_bytes())]))
            }
        }
    }

    fn creation(&self, row: &Value, code: &[u8]) -> Value {
        let mut creation = creation(&self.name, code);
        creation["Runtime"] = self.language.runtime.into();
        creation["Handler"] = row["handler"][self.language.name].as_str().unwrap_or(self.language.handler).into();
        creation["Timeout"] = row["timeout"].as_u64().unwrap_or(20).into();
        creation["MemorySize"] = json!(128);
        creation["Environment"] = json!({ "Variables": row.get("env").unwrap_or(&json!({})) });
        if let Some(level) = row.get("logging") {
            creation["LoggingConfig"] = json!({ "LogFormat": "JSON", "ApplicationLogLevel": level });
        }
        creation
    }

    /// A row, and the calls that follow it.
    async fn call(&self, platform: &Platform, row: &Row) -> Result<(), String> {
        self.once(platform, &row.expected).await?;
        for next in row.expected["then"].as_array().into_iter().flatten() {
            self.once(platform, next).await.map_err(|error| format!("the call after it: {error}"))?;
        }
        Ok(())
    }

    async fn once(&self, platform: &Platform, expected: &Value) -> Result<(), String> {
        let asked =
            Asked { payload: payload(expected), client_context: expected["clientContext"].as_str().map(str::to_owned) };
        let seen = match expected.get("stream") {
            Some(stream) => {
                let mut seen = asked.stream(platform, &self.name).await;
                if stream["head"]["contentType"].is_string() && seen.error.is_none() {
                    seen.content_type = asked.invoke(platform, &self.name).await.content_type;
                } else {
                    seen.content_type = stream["head"]["contentType"].as_str().unwrap_or_default().to_owned();
                }
                seen
            }
            None => asked.invoke(platform, &self.name).await,
        };
        if expected.get("distinct").is_some() {
            return super::expect::distinct(&seen, &asked.invoke(platform, &self.name).await);
        }
        let region = &platform.client.region;
        let arn = format!("arn:aws:lambda:{region}:000000000000:function:{}", self.name);
        let known = [
            ("<id>", seen.request_id.as_str()),
            ("<arn>", &arn),
            ("<name>", &self.name),
            ("<region>", region),
            ("<stream>", &seen.log_stream),
        ];
        let fill = |text: &str| {
            let text = known.iter().fold(text.to_owned(), |text, (name, is)| text.replace(name, is));
            text.replace("<*>", &ANY.to_string())
        };
        differs(&filled(expected, &fill), &seen)
    }
}

fn payload(expected: &Value) -> Vec<u8> {
    let empty = json!({ "do": "length", "value": "" }).to_string();
    match (expected["payload"].as_str(), expected["payloadBytes"].as_u64()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(bytes)) => {
            let padding = bytes as usize - empty.len();
            json!({ "do": "length", "value": "x".repeat(padding) }).to_string().into_bytes()
        }
        (None, None) => expected["event"].to_string().into_bytes(),
    }
}

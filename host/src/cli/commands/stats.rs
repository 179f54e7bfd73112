//! `lamina stats`.

use std::process::ExitCode;

use lamina_types::Timestamp;
use serde_json::Value;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::target::TargetArgs;

/// Files, as the answer names them, and what people are shown.
const FILES: &[(&str, &str)] = &[
    ("Journal", "journal"),
    ("Exports", "exports"),
    ("Index", "index"),
    ("Artifacts", "artifacts"),
    ("Derived", "derived"),
    ("Audit", "audit log"),
    ("Logs", "functions' logs"),
];

/// Show how much a platform keeps
#[derive(Debug, clap::Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    target: TargetArgs,
}

impl StatsArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let stats = client.call(Call::get(&["lamina", "v1", "stats"])).await?.json()?;
        if ctx.output.is_json() {
            ctx.output.json(&stats)?;
        } else {
            show(&stats, ctx)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(stats: &Value, ctx: &Ctx) -> Result<(), Failure> {
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default().to_string();
    let row = |name: &str, counts: &Value, what: &str| {
        vec![name.to_owned(), number(counts.get(what)), number(counts.get("Bytes"))]
    };
    let tables = stats.get("Tables").and_then(Value::as_object);
    let tables = tables.into_iter().flatten().map(|(name, counts)| row(name, counts, "Records"));
    ctx.output.table(&["TABLE", "RECORDS", "BYTES"], &tables.collect::<Vec<_>>())?;
    let files = FILES.iter().filter_map(|(name, shown)| Some(row(shown, stats.get(*name)?, "Files")));
    ctx.output.table(&["FILES OF", "FILES", "BYTES"], &files.collect::<Vec<_>>())?;
    ctx.output.pairs(&[
        ("transaction", number(stats.get("Sequence"))),
        ("last scrub", stats.get("Scrub").map_or_else(String::new, scrub)),
    ])?;
    for (member, text) in [("Rotten", "damaged"), ("Missing", "missing")] {
        let unsound = stats.pointer(&format!("/Scrub/{member}")).and_then(Value::as_array);
        for artifact in unsound.into_iter().flatten() {
            let functions = artifact.get("Functions").and_then(Value::as_array).into_iter().flatten();
            let functions: Vec<&str> = functions.filter_map(Value::as_str).collect();
            let (digest, functions) = (super::member(artifact, "Digest"), functions.join(" "));
            ctx.output.warning(format_args!("artifact {digest} is {text}: deploy again: {functions}"));
        }
    }
    Ok(())
}

fn scrub(scrub: &Value) -> String {
    let count = |name: &str| scrub.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    match scrub.get("Ended").and_then(Value::as_u64) {
        None => "not yet".to_owned(),
        Some(ended) => {
            let time = Timestamp::from_millis(ended).to_iso_millis();
            format!("{time}, {} damaged, {} missing", count("Rotten"), count("Missing"))
        }
    }
}

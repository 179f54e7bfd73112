//! What `lamina deploy` prints.

use serde_json::{Value, json};

use super::Deployed;
use crate::cli::Ctx;
use crate::cli::client::Client;
use crate::cli::commands::{member, url};
use crate::cli::failure::Failure;
use crate::cli::output::{self, style};

pub(super) fn print(ctx: &Ctx, client: &Client, deployed: &Deployed) -> Result<(), Failure> {
    let Deployed { configuration, created, url: function_url, guessed } = deployed;
    let by_path = function_url.as_deref().and_then(|url| url::by_path(client.endpoint(), url));
    if ctx.output.is_json() {
        let mut told = configuration.clone();
        told["Created"] = json!(created);
        if let Some(guessed) = guessed {
            told["Guessed"] = json!({ "Runtime": guessed.runtime, "Handler": guessed.handler });
        }
        if let Some(function_url) = function_url {
            told["FunctionUrl"] = json!(function_url);
            told["FunctionUrlByPath"] = json!(by_path);
        }
        return ctx.output.json(&told);
    }
    let (good, plain) = (style::GOOD, style::PLAIN);
    let (name, was) = (member(configuration, "FunctionName"), if *created { "created" } else { "updated" });
    ctx.output.line(format_args!("{good}{name} {was}{plain}"))?;
    let mut pairs = vec![
        ("arn", member(configuration, "FunctionArn").to_owned()),
        ("version", member(configuration, "Version").to_owned()),
        ("state", member(configuration, "State").to_owned()),
        ("code", format!("{} bytes, sha256 {}", bytes(configuration), member(configuration, "CodeSha256"))),
    ];
    let how = if guessed.is_some() { " (guessed; --runtime and --handler say otherwise)" } else { "" };
    let runs = format!("{}, {}{how}", member(configuration, "Runtime"), member(configuration, "Handler"));
    pairs.insert(1, ("runs", runs));
    pairs.extend(snapshot(configuration).map(|snapshot| ("snapshot", snapshot)));
    pairs.extend(function_url.clone().map(|url| ("url", url)));
    pairs.extend(by_path.map(|url| ("by path", url)));
    ctx.output.pairs(&pairs)?;
    if output::is_terminal() {
        ctx.output.note(format_args!("try: lamina invoke {name} --payload '{{}}' --tail"));
    }
    Ok(())
}

/// What became of a version's snapshot, where it asks for one.
fn snapshot(configuration: &Value) -> Option<String> {
    let snap_start = configuration.get("SnapStart").filter(|it| member(it, "ApplyOn") == "PublishedVersions")?;
    let reason = member(configuration, "StateReason");
    Some(match (member(configuration, "Version"), member(snap_start, "OptimizationStatus"), reason) {
        ("$LATEST", _, _) => "of published versions".to_owned(),
        (_, status, "") => status.to_owned(),
        (_, status, reason) => format!("{status}: {reason}"),
    })
}

fn bytes(configuration: &Value) -> u64 {
    configuration.get("CodeSize").and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_of_a_version_is_told() {
        let check = |configuration: Value, expect: Option<&str>| {
            assert_eq!(snapshot(&configuration).as_deref(), expect, "{configuration}");
        };
        let of = |version: &str, apply_on: &str, status: &str, reason: Option<&str>| {
            let snap_start = json!({ "ApplyOn": apply_on, "OptimizationStatus": status });
            json!({ "Version": version, "SnapStart": snap_start, "StateReason": reason })
        };
        check(of("1", "None", "Off", None), None);
        check(of("$LATEST", "PublishedVersions", "Off", None), Some("of published versions"));
        check(of("1", "PublishedVersions", "On", None), Some("On"));
        check(of("1", "PublishedVersions", "Off", Some("why")), Some("Off: why"));
    }
}

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
    pairs.extend(function_url.clone().map(|url| ("url", url)));
    pairs.extend(by_path.map(|url| ("by path", url)));
    ctx.output.pairs(&pairs)?;
    if output::is_terminal() {
        ctx.output.note(format_args!("try: lamina invoke {name} --payload '{{}}' --tail"));
    }
    Ok(())
}

fn bytes(configuration: &Value) -> u64 {
    configuration.get("CodeSize").and_then(Value::as_u64).unwrap_or_default()
}

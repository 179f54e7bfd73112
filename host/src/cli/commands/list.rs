//! `lamina list`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::member;
use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::target::TargetArgs;

/// List the functions
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    target: TargetArgs,
}

impl ListArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let functions = all(&client).await?;
        if ctx.output.is_json() {
            ctx.output.json(&json!({ "Functions": functions }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let number = |function: &Value, name: &str| function.get(name).map(Value::to_string).unwrap_or_default();
        let rows: Vec<Vec<String>> = functions
            .iter()
            .map(|function| {
                vec![
                    member(function, "FunctionName").to_owned(),
                    number(function, "MemorySize"),
                    number(function, "Timeout"),
                    number(function, "CodeSize"),
                    member(function, "LastModified").to_owned(),
                    member(function, "Description").to_owned(),
                ]
            })
            .collect();
        ctx.output.table(&["NAME", "MEMORY MB", "TIMEOUT S", "CODE BYTES", "LAST MODIFIED", "DESCRIPTION"], &rows)?;
        if rows.is_empty() {
            ctx.output.note("there is no function yet: lamina deploy NAME FILE");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// All pages of ListFunctions.
async fn all(client: &Client) -> Result<Vec<Value>, Failure> {
    let mut functions = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let call = Call::get(&["2015-03-31", "functions"]).query_if("Marker", marker.as_deref());
        let mut page = client.call(call).await?.json()?;
        if let Some(Value::Array(more)) = page.get_mut("Functions").map(Value::take) {
            functions.extend(more);
        }
        match page.get("NextMarker").and_then(Value::as_str) {
            // The same again would be an endless list.
            Some(next) if marker.as_deref() != Some(next) => marker = Some(next.to_owned()),
            _ => return Ok(functions),
        }
    }
}

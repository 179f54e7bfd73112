//! `lamina status`.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::Done;
use crate::cli::target::TargetArgs;

/// Show how a platform is
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    target: TargetArgs,
}

impl StatusArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let status = client.call(Call::get(&["lamina", "v1", "status"])).await?.json()?;
        if ctx.output.is_json() {
            ctx.output.json(&status)?;
            return Ok(ExitCode::SUCCESS);
        }
        let text = |name: &str| match status.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "-".to_owned(),
        };
        ctx.output.pairs(&[
            ("endpoint", client.endpoint().to_string()),
            ("version", text("Version")),
            ("region", text("Region")),
            ("account", text("AccountId")),
            ("signing", text("Signing")),
            ("functions", text("Functions")),
            ("running", text("Running")),
            ("code bytes", text("CodeBytes")),
        ])?;
        Ok(ExitCode::SUCCESS)
    }
}

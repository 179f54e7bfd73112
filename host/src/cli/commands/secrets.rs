//! `lamina secrets rotate`: a new key for what is secret at rest.

use std::process::ExitCode;

use clap::Subcommand;
use http::Method;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::Done;
use crate::cli::target::TargetArgs;

/// Change the key that seals environment variables and credentials at rest
#[derive(Debug, clap::Args)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    /// Make a new key beside the data, and seal everything again in the background
    Rotate {
        #[command(flatten)]
        target: TargetArgs,
    },
}

impl SecretsArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let SecretsCommand::Rotate { target } = self.command;
        let client = Client::find(&target, &ctx.environment).await?;
        let answer = client.call(Call::new(Method::POST, &["lamina", "v1", "secrets", "rotate"])).await?.json()?;
        if ctx.output.is_json() {
            ctx.output.json(&answer)?;
        } else {
            ctx.output.line(format_args!("a new key seals secrets; what older ones sealed is sealed again now"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

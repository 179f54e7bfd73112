//! `lamina delete NAME`.

use std::process::ExitCode;

use http::Method;
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::Done;
use crate::cli::target::TargetArgs;

/// Delete a function with all its versions and its URL, or one version
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The function
    #[arg(value_parser = super::function)]
    name: String,
    /// Only this version
    #[arg(long, value_name = "VERSION")]
    qualifier: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

impl DeleteArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let call = Call::new(Method::DELETE, &["2015-03-31", "functions", &self.name]);
        client.call(call.query_if("Qualifier", self.qualifier.as_deref())).await?;
        if ctx.output.is_json() {
            ctx.output.json(&json!({ "FunctionName": self.name, "Qualifier": self.qualifier, "Deleted": true }))?;
        } else if let Some(qualifier) = &self.qualifier {
            ctx.output.line(format_args!("{} version {qualifier} deleted", self.name))?;
        } else {
            ctx.output.line(format_args!("{} deleted", self.name))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

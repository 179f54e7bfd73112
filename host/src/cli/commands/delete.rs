//! `lamina delete NAME`.

use std::process::ExitCode;

use http::Method;
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
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
        let (name, of_name) = super::parts(&self.name)?;
        let asked = self.qualifier.as_deref();
        let qualifier = asked.or(of_name.as_deref());
        // Deleting a version that is not there succeeds, as on Lambda.
        let there = qualifier.is_none() || self.is_there(&client).await?;
        let call = Call::new(Method::DELETE, &["2015-03-31", "functions", &self.name]);
        client.call(call.query_if("Qualifier", asked)).await?;
        if ctx.output.is_json() {
            ctx.output.json(&json!({ "FunctionName": name, "Qualifier": qualifier, "Deleted": there }))?;
            return Ok(ExitCode::SUCCESS);
        }
        match (qualifier, there) {
            (None, _) => ctx.output.line(format_args!("{name} deleted"))?,
            (Some(version), true) => ctx.output.line(format_args!("{name} version {version} deleted"))?,
            (Some(version), false) => {
                ctx.output.line(format_args!("{name} has no version {version}: nothing was deleted"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn is_there(&self, client: &Client) -> Result<bool, Failure> {
        let call = Call::get(&["2015-03-31", "functions", &self.name, "configuration"]);
        match client.call(call.query_if("Qualifier", self.qualifier.as_deref())).await {
            Ok(_) => Ok(true),
            Err(error) if error.is("ResourceNotFoundException") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

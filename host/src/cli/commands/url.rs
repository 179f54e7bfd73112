//! `lamina url NAME`.

use std::process::ExitCode;

use serde_json::Value;

use super::member;
use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::output;
use crate::cli::target::{Endpoint, TargetArgs};

/// Print a function's URL
#[derive(Debug, clap::Args)]
pub(crate) struct UrlArgs {
    /// The function
    #[arg(value_parser = super::function)]
    name: String,
    /// Print the URL by path, for clients that cannot resolve names under localhost
    #[arg(long)]
    by_path: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// A function's URL config.
pub(crate) async fn get(client: &Client, name: &str) -> Result<Value, Failure> {
    let answer = client.call(Call::get(&["2021-10-31", "functions", name, "url"])).await;
    answer.and_then(|answer| answer.json()).map_err(|error| {
        let missing = error.is("ResourceNotFoundException");
        let failure = Failure::from(error);
        match super::parts(name) {
            Ok((name, Some(_))) => failure.next(format!("ask for the function's own: lamina url {name}")),
            Ok((name, None)) if missing => failure.next(format!("give it one: lamina deploy {name} FILE --url")),
            _ => failure,
        }
    })
}

/// The same URL by path: `http://HOST:PORT/_url/<url-id>/`.
pub(crate) fn by_path(endpoint: &Endpoint, url: &str) -> Option<String> {
    let host = url.split_once("://")?.1;
    let id = host.split_once(".lambda-url.")?.0;
    Some(format!("{endpoint}/_url/{id}/"))
}

impl UrlArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let mut config = get(&client, &self.name).await?;
        let url = member(&config, "FunctionUrl").to_owned();
        let by_path = by_path(client.endpoint(), &url);
        if ctx.output.is_json() {
            config["FunctionUrlByPath"] = by_path.into();
            ctx.output.json(&config)?;
        } else if self.by_path {
            let by_path = by_path.ok_or_else(|| Failure::new(format!("{url} has no form by path")))?;
            ctx.output.line(by_path)?;
        } else {
            ctx.output.line(&url)?;
            if let (Some(by_path), true) = (by_path, output::is_terminal()) {
                ctx.output.note(format_args!("the same, where *.localhost cannot be resolved: {by_path}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_by_path() {
        let endpoint: Endpoint = "http://127.0.0.1:4700".parse().unwrap();
        assert_eq!(
            by_path(&endpoint, "http://abc.lambda-url.us-east-1.localhost:4700/").unwrap(),
            "http://127.0.0.1:4700/_url/abc/"
        );
        assert_eq!(by_path(&endpoint, "http://elsewhere/"), None);
    }
}

//! `lamina trust add|list|revoke`: whose signatures count, through the API.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::member;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::target::TargetArgs;
use crate::cli::{Ctx, keyfile};

const TRUST: [&str; 3] = ["lamina", "v1", "trust"];

/// Say whose signatures a platform accepts
#[derive(Debug, clap::Args)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    command: TrustCommand,
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Trust the holder of a key
    Add {
        /// The public key: KEYFILE.pub
        #[arg(value_name = "PUB")]
        file: PathBuf,
        /// Whose key it is
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// List the keys that are trusted
    List {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Trust a key no longer: code that only it signed is not run again
    Revoke {
        /// The key's id, as `trust list` shows it
        id: String,
        #[command(flatten)]
        target: TargetArgs,
    },
}

/// Adds a public key; answers its record, and whether it is new.
pub(crate) async fn add(client: &Client, file: &Path, name: Option<&str>) -> Result<(Value, bool), Failure> {
    let key = keyfile::public(file)?;
    let pem = key.to_pem().map_err(|error| Failure::new(error.to_string()))?;
    let mut body = json!({ "PublicKey": pem });
    if let Some(name) = name {
        body["Name"] = name.into();
    }
    let answer = client.call(Call::new(Method::POST, &TRUST).json(&body)).await?;
    Ok((answer.json()?, answer.status == StatusCode::CREATED))
}

impl TrustArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        match self.command {
            TrustCommand::Add { file, name, target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                let (key, new) = add(&client, &file, name.as_deref()).await?;
                if ctx.output.is_json() {
                    ctx.output.json(&key)?;
                } else {
                    let was = if new { "trusted" } else { "was trusted already" };
                    ctx.output.line(format_args!("{} {was}", member(&key, "KeyId")))?;
                }
            }
            TrustCommand::List { target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                list(&client, ctx).await?;
            }
            TrustCommand::Revoke { id, target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                let [a, b, c] = TRUST;
                client.call(Call::new(Method::DELETE, &[a, b, c, &id])).await?;
                if ctx.output.is_json() {
                    ctx.output.json(&json!({ "KeyId": id, "Revoked": true }))?;
                } else {
                    ctx.output.line(format_args!("{id} revoked"))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(client: &Client, ctx: &Ctx) -> Result<(), Failure> {
    let keys = client.call(Call::get(&TRUST)).await?.json()?;
    if ctx.output.is_json() {
        return ctx.output.json(&keys);
    }
    let rows: Vec<Vec<String>> = keys
        .get("Keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|key| ["KeyId", "Name", "Added"].map(|name| member(key, name).to_owned()).to_vec())
        .collect();
    ctx.output.table(&["KEY ID", "NAME", "ADDED"], &rows)?;
    if rows.is_empty() {
        ctx.output.note("no key is trusted yet: lamina trust add KEYFILE.pub");
    }
    Ok(())
}

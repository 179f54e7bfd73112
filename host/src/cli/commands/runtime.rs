//! `lamina runtime build|install|list|update|remove`: the interpreters that run
//! functions of a language.

mod build;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use http::{Method, StatusCode};
use lamina_types::{Digest, Language};
use serde_json::{Value, json};

use super::{member, trust};
use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::environment::Environment;
use crate::cli::failure::{Done, Failure};
use crate::cli::progress::Progress;
use crate::cli::target::TargetArgs;
pub(crate) use build::build as build_one;
pub(crate) use store::{Built, Store};

const RUNTIMES: [&str; 3] = ["lamina", "v1", "runtimes"];
/// A platform compiles it before it answers: seconds, or minutes on a busy machine.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(300);
/// The name under which the installation's key is trusted.
const KEY_NAME: &str = "managed runtimes of this installation";

/// Build, install and choose the interpreters that run Python and JavaScript
#[derive(Debug, clap::Args)]
pub(crate) struct RuntimeArgs {
    #[command(subcommand)]
    command: RuntimeCommand,
}

#[derive(Debug, Subcommand)]
enum RuntimeCommand {
    /// Build interpreters from their sources, start them, and sign them with this
    /// installation's own key. Needs package registries; running them needs none
    Build {
        /// javascript or python [default: both]
        #[arg(value_name = "LANGUAGE")]
        languages: Vec<Language>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Upload what was built last, and make it current: functions that are Auto run
    /// on it from then on
    Install {
        /// javascript or python [default: those that are built]
        #[arg(value_name = "LANGUAGE")]
        languages: Vec<Language>,
        #[command(flatten)]
        place: PlaceArgs,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// List the installed versions, and how many versions of functions run on each
    List {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Make an installed version its language's current one, an earlier one too
    Update {
        /// The version's digest or ARN, as `runtime list` shows it
        version: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Forget a version that no function runs on
    Remove {
        /// The version's digest or ARN
        version: String,
        #[command(flatten)]
        target: TargetArgs,
    },
}

/// Where built runtimes and their key are.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Folder of built runtimes and the key that signs them
    /// [default: lamina/runtimes in XDG_DATA_HOME, or in ~/.local/share]
    #[arg(long, value_name = "DIR", env = "LAMINA_RUNTIMES", hide_env_values = true)]
    runtimes: Option<PathBuf>,
}

impl PlaceArgs {
    /// The folder that was named, or the user's own.
    pub(crate) fn store(&self, environment: &Environment) -> Result<Store, Failure> {
        Store::of(self.runtimes.as_deref(), environment)
    }
}

impl RuntimeArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        match self.command {
            RuntimeCommand::Build { languages, place } => build(&languages, &place, ctx).await?,
            RuntimeCommand::Install { languages, place, target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                install(&client, &languages, &place.store(&ctx.environment)?, ctx).await?;
            }
            RuntimeCommand::List { target } => {
                list(&Client::find(&target, &ctx.environment).await?, ctx).await?;
            }
            RuntimeCommand::Update { version, target } => {
                let (client, digest) = (Client::find(&target, &ctx.environment).await?, digest(&version)?);
                let [a, b, c] = RUNTIMES;
                let path = [a, b, c, &digest, "current"];
                let answer = client.call(Call::new(Method::POST, &path)).await?.json()?;
                if ctx.output.is_json() {
                    ctx.output.json(&answer)?;
                } else {
                    let language = member(&answer, "Language");
                    ctx.output.line(format_args!("{language} runs on {} now", member(&answer, "RuntimeVersionArn")))?;
                }
            }
            RuntimeCommand::Remove { version, target } => {
                let (client, digest) = (Client::find(&target, &ctx.environment).await?, digest(&version)?);
                let [a, b, c] = RUNTIMES;
                client.call(Call::new(Method::DELETE, &[a, b, c, &digest])).await?;
                if ctx.output.is_json() {
                    ctx.output.json(&json!({ "Digest": digest, "Removed": true }))?;
                } else {
                    ctx.output.line(format_args!("{digest} removed"))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The digest in what the user gave.
fn digest(given: &str) -> Result<String, Failure> {
    let digest = given.rsplit(':').next().unwrap_or(given);
    let parsed: Result<Digest, _> = digest.parse();
    parsed
        .map(|digest| digest.to_string())
        .map_err(|error| Failure::usage(error.to_string()).next("see what is installed: lamina runtime list"))
}

async fn build(languages: &[Language], place: &PlaceArgs, ctx: &Ctx) -> Result<(), Failure> {
    let store = place.store(&ctx.environment)?;
    let asked = if languages.is_empty() { &Language::ALL[..] } else { languages };
    let _lock = store.lock(ctx.output)?;
    let checkout = crate::quickstart::build::checkout(&ctx.environment)?;
    let mut built = Vec::new();
    for language in asked {
        ctx.output.note(format_args!("building the {language} runtime"));
        let made = build::build(&checkout, *language, &store, ctx.output).await?;
        if !ctx.output.is_json() {
            ctx.output.line(format_args!("{language} {}", made.digest))?;
        }
        built.push(made.about());
    }
    if ctx.output.is_json() {
        ctx.output.json(&json!({ "Runtimes": built }))?;
    } else {
        ctx.output.note("install them on a platform: lamina runtime install");
    }
    Ok(())
}

async fn install(client: &Client, languages: &[Language], store: &Store, ctx: &Ctx) -> Result<(), Failure> {
    let asked: Vec<Language> = match languages.is_empty() {
        true => Language::ALL.into_iter().filter(|language| store.has(*language)).collect(),
        false => languages.to_vec(),
    };
    if asked.is_empty() {
        return Err(Failure::new(format!("no runtime is built in {}", store.folder().display()))
            .next("build them: lamina runtime build"));
    }
    let (key, is_new) = trust_key(client, store).await?;
    if is_new {
        ctx.output.note(format_args!("the platform trusts key {} now: {KEY_NAME}", member(&key, "KeyId")));
    }
    let mut installed = Vec::new();
    for language in asked {
        let built = store.built(language)?;
        let (is_new, version) = install_one(client, &built).await?;
        if !ctx.output.is_json() {
            let was = if is_new { "installed" } else { "was installed already" };
            ctx.output.line(format_args!("{language} {was}: {}", member(&version, "RuntimeVersionArn")))?;
        }
        installed.push(version);
    }
    if ctx.output.is_json() {
        ctx.output.json(&json!({ "Runtimes": installed }))?;
    }
    Ok(())
}

/// Has the platform trust this installation's key. Answers the key, and whether it is new.
pub(crate) async fn trust_key(client: &Client, store: &Store) -> Result<(Value, bool), Failure> {
    trust::add(client, &store.key().public, Some(KEY_NAME)).await
}

/// Uploads a runtime and makes it current. Answers whether it is new, and the version.
pub(crate) async fn install_one(client: &Client, built: &Built) -> Result<(bool, Value), Failure> {
    let progress = Progress::bytes("uploading", built.component.len() * 4 / 3);
    let body = json!({
        "Component": STANDARD.encode(&built.component),
        "Language": built.language.as_str(),
        "Description": built.description,
        "Versions": built.versions,
    });
    let call = Call::new(Method::POST, &RUNTIMES).json(&body).timeout(INSTALL_TIMEOUT).progress(progress.clone());
    let answer = client.call(call).await?;
    progress.clear();
    Ok((answer.status == StatusCode::CREATED, answer.json()?))
}

async fn list(client: &Client, ctx: &Ctx) -> Result<(), Failure> {
    let answer = client.call(Call::get(&RUNTIMES)).await?.json()?;
    if ctx.output.is_json() {
        return ctx.output.json(&answer);
    }
    let text = |version: &Value, name: &str| match version.get(name) {
        Some(Value::Bool(true)) => "current".to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let columns = ["Language", "Current", "Functions", "Description", "Installed", "RuntimeVersionArn"];
    let versions = answer.get("Runtimes").and_then(Value::as_array).into_iter().flatten();
    let rows: Vec<Vec<String>> = versions.map(|one| columns.map(|name| text(one, name)).to_vec()).collect();
    ctx.output.table(&["LANGUAGE", "CURRENT", "FUNCTIONS", "DESCRIPTION", "INSTALLED", "ARN"], &rows)?;
    if rows.is_empty() {
        ctx.output.note("no managed runtime is installed: lamina runtime build, then lamina runtime install");
    }
    Ok(())
}

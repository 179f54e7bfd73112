//! `lamina deploy NAME PATH`: create or update, through the API like anybody.

mod code;
mod folder;
mod guess;
mod ignore;
mod report;
mod source;
mod url;
mod wait;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::builder::RangedU64ValueParser;
use lamina_signing::SecretKey;
use lamina_types::FunctionName;
use lamina_types::limits::{MEMORY_MIB_MAX, MEMORY_MIB_MIN, PACKAGE_ZIPPED_BYTES_MAX, TIMEOUT_S_MAX, TIMEOUT_S_MIN};
use lamina_types::settings::FUEL_RANGE;
use serde_json::Value;

use super::{member, sign};
use crate::cli::client::Client;
use crate::cli::failure::{Done, Failure};
use crate::cli::target::TargetArgs;
use crate::cli::{Ctx, keyfile};
use guess::Guess;
use source::Source;

pub(crate) use url::UrlMode;

/// Create a function, or update it to this code and these settings
///
/// What is not given stays as it is. Waits until the function can be called.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// The function
    name: FunctionName,
    /// Its code: a folder or file in Python, JavaScript or TypeScript, a zip, or a component
    ///
    /// A folder is packed without .git, __pycache__ and their like, and without what its
    /// .laminaignore names. A signature kept beside a zip (ZIP.sig) goes along.
    path: PathBuf,
    /// Runtime, such as nodejs22.x or python3.13; guessed from what is there for a new function
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
    /// Handler, such as index.handler; guessed likewise
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    /// Sign the code with this key before it is uploaded; the files stay as they are
    #[arg(long, value_name = "KEYFILE", env = "LAMINA_KEY", hide_env_values = true)]
    key: Option<PathBuf>,
    /// MemorySize
    #[arg(long, value_name = "MB", value_parser = within(MEMORY_MIB_MIN, MEMORY_MIB_MAX))]
    memory: Option<u64>,
    /// Timeout
    #[arg(long, value_name = "SECONDS", value_parser = within(TIMEOUT_S_MIN, TIMEOUT_S_MAX))]
    timeout: Option<u64>,
    /// An environment variable; may be repeated, and replaces all that were there
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    environment: Vec<(String, String)>,
    /// Give it a URL that anybody may call
    #[arg(long)]
    url: bool,
    /// The URL streams its answer (InvokeMode RESPONSE_STREAM)
    #[arg(long, requires = "url", conflicts_with = "buffered")]
    stream: bool,
    /// The URL gives its answer as a whole (InvokeMode BUFFERED), as a new one does
    #[arg(long, requires = "url")]
    buffered: bool,
    /// Fuel of one call, instead of the operator's rate (tag lamina:fuel)
    #[arg(long, value_name = "UNITS", value_parser = fuel())]
    fuel: Option<u64>,
    /// Run deterministically, with randomness from this seed (tag lamina:seed)
    #[arg(long)]
    seed: Option<u64>,
    /// Role; kept and returned, without effect
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// Description
    #[arg(long)]
    description: Option<String>,
    /// Publish a version of it when it is ready
    #[arg(long)]
    publish: bool,
    /// Its published versions start from a snapshot that was made after the init
    #[arg(long, conflicts_with = "no_snap_start")]
    snap_start: bool,
    /// Versions published from now on do not
    #[arg(long)]
    no_snap_start: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// A function as it is to be.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) name: FunctionName,
    /// The upload.
    pub(crate) code: Bytes,
    /// What it is for, or why that cannot be told.
    pub(crate) runs: Result<Guess, String>,
    pub(crate) configuration: Configuration,
    /// Settings that travel as tags.
    pub(crate) tags: BTreeMap<&'static str, String>,
    pub(crate) url: Option<UrlMode>,
    pub(crate) publish: bool,
}

/// What UpdateFunctionConfiguration takes; `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    pub(crate) runtime: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) timeout_s: Option<u64>,
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) role: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) snap_start: Option<bool>,
}

impl Deployment {
    /// A function of this component, everything else by default.
    pub(crate) fn new(name: FunctionName, code: impl Into<Bytes>) -> Self {
        Self {
            name,
            code: code.into(),
            runs: Ok(Guess::component()),
            configuration: Configuration::default(),
            tags: BTreeMap::new(),
            url: None,
            publish: false,
        }
    }

    /// A function of the folder or file at this path, signed with the key, everything
    /// else by default.
    pub(crate) fn of_path(name: FunctionName, path: &Path, key: Option<&SecretKey>) -> Result<Self, Failure> {
        let Source { code, guess, .. } = Source::read(path, None, None)?;
        let code = match key {
            Some(key) => sign::sign(&code, key)?.bytes,
            None => code,
        };
        Ok(Self { runs: guess, ..Self::new(name, code) })
    }
}

/// A function that can be called.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// FunctionConfiguration, of the new version where one was published.
    pub(crate) configuration: Value,
    pub(crate) created: bool,
    pub(crate) url: Option<String>,
    /// The runtime and handler that were set without being said.
    guessed: Option<Guess>,
}

/// Creates or updates the function and waits until it can be called. Dropped
/// half-way, what was acknowledged stays and the rest is not done; running it
/// again completes it.
pub(crate) async fn deploy(client: &Client, deployment: &Deployment) -> Result<Deployed, Failure> {
    let existing = code::existing(client, &deployment.name).await?;
    let created = existing.is_none();
    let guessed = guessed(deployment, existing.as_ref())?;
    let mut configuration = match existing {
        None => code::create(client, deployment, guessed.as_ref()).await?,
        Some(existing) => code::update(client, deployment, &existing, guessed.as_ref()).await?,
    };
    let arn = member(&configuration, "FunctionArn").to_owned();
    if !created && !deployment.tags.is_empty() {
        configuration = code::tag(client, &arn, deployment).await?;
    }
    if deployment.publish {
        configuration = code::publish(client, &deployment.name, &configuration).await?;
    }
    let url = match deployment.url {
        None => None,
        Some(mode) => Some(url::ensure(client, &deployment.name, mode).await?),
    };
    Ok(Deployed { configuration, created, url, guessed })
}

/// The runtime and handler that are to be set, unless both were said: those of a new
/// function, and of one whose runtime cannot run this code.
fn guessed(deployment: &Deployment, existing: Option<&Value>) -> Result<Option<Guess>, Failure> {
    let Configuration { runtime, handler, .. } = &deployment.configuration;
    if runtime.is_some() && handler.is_some() {
        return Ok(None);
    }
    match (&deployment.runs, existing) {
        (Ok(runs), Some(existing)) if runs.fits(runtime.as_deref().unwrap_or(member(existing, "Runtime"))) => Ok(None),
        (Ok(runs), _) => Ok(Some(runs.clone())),
        (Err(_), Some(_)) => Ok(None),
        (Err(why), None) => {
            let text = format!("what runs this code cannot be told: {why}");
            Err(Failure::usage(text).next("say it: --runtime nodejs22.x --handler index.handler, or their like"))
        }
    }
}

impl DeployArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let (target, deployment) = self.read(ctx)?;
        let client = Client::find(&target, &ctx.environment).await?;
        let deployed = deploy(&client, &deployment).await?;
        report::print(ctx, &client, &deployed)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads the files that the command line names, and signs.
    fn read(self, ctx: &Ctx) -> Result<(TargetArgs, Deployment), Failure> {
        let source = Source::read(&self.path, self.key.as_deref(), self.runtime.as_deref())?;
        let mut code = source.code;
        if let Some(count) = source.packed {
            ctx.output.note(format_args!("packed {count} files, {} bytes", code.len()));
        }
        if let Some(key) = &self.key {
            let key = keyfile::secret(key, ctx.output)?;
            let signed = sign::sign(&code, &key);
            code =
                signed.map_err(|failure| failure.while_doing(format_args!("signing {}", self.path.display())))?.bytes;
        }
        if code.len() > PACKAGE_ZIPPED_BYTES_MAX {
            let text = format!(
                "{} comes to {} bytes; {PACKAGE_ZIPPED_BYTES_MAX} are allowed",
                self.path.display(),
                code.len()
            );
            return Err(Failure::new(text).next("name what the function does not need in .laminaignore"));
        }
        let tags = [("lamina:fuel", self.fuel), ("lamina:seed", self.seed)];
        let tags = tags.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect();
        let variables: BTreeMap<String, String> = self.environment.into_iter().collect();
        let configuration = Configuration {
            runtime: self.runtime,
            handler: self.handler,
            memory_mib: self.memory,
            timeout_s: self.timeout,
            environment: (!variables.is_empty()).then_some(variables),
            role: self.role,
            description: self.description,
            snap_start: match (self.snap_start, self.no_snap_start) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
        };
        let url = self.url.then_some(match (self.stream, self.buffered) {
            (true, _) => UrlMode::Stream,
            (false, true) => UrlMode::Buffered,
            (false, false) => UrlMode::Kept,
        });
        let deployment = Deployment {
            runs: source.guess,
            configuration,
            tags,
            url,
            publish: self.publish,
            ..Deployment::new(self.name, code)
        };
        Ok((self.target, deployment))
    }
}

fn within(least: u32, most: u32) -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(u64::from(least)..=u64::from(most))
}

fn fuel() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(FUEL_RANGE)
}

/// `NAME=VALUE`; the value may be empty.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("give it as NAME=VALUE".to_owned()),
    }
}

//! Functions in other languages: the interpreters that run them, and folders of source
//! files as anybody has them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lamina_signing::SecretKey;
use lamina_types::Language;
use serde_json::{Value, json};

use super::narrator::Narrator;
use super::story::name;
use crate::cli::Ctx;
use crate::cli::client::Client;
use crate::cli::commands::deploy::{Deployed, Deployment, UrlMode, deploy};
use crate::cli::commands::invoke::{Invocation, invoke};
use crate::cli::commands::runtime::{self, Built, Store};
use crate::cli::failure::Failure;

/// A language, and its example.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) language: Language,
    pub(super) name: &'static str,
    pub(super) folder: PathBuf,
    built: Result<Built, Failure>,
}

/// Languages that were left out, each with the reason.
pub(super) type LeftOut = Vec<(Language, String)>;

/// Builds the interpreters. One that cannot be built is left out, and named.
pub(super) async fn build(
    ctx: &Ctx,
    narrator: &mut Narrator,
    (checkout, store): (&Path, &Store),
) -> Result<Vec<Spoken>, Failure> {
    narrator.begin("build the interpreters of JavaScript and Python, which all functions of a language share")?;
    let _lock = store.lock(ctx.output)?;
    let mut spoken = Vec::new();
    for language in Language::ALL {
        let name = match language {
            Language::JavaScript => "hello-typescript",
            Language::Python => "hello-python",
        };
        let built = runtime::build_one(checkout, language, store, ctx.output).await;
        match &built {
            Ok(built) => narrator.detail(format_args!("{}: sha256 {}", built.description, built.digest))?,
            Err(failure) => narrator.detail(format_args!("{language} is left out: {}", failure.text()))?,
        }
        spoken.push(Spoken { language, name, folder: checkout.join("components/examples").join(name), built });
    }
    if left_out(&spoken).is_empty() {
        narrator.done()?;
    } else {
        narrator.went_wrong()?;
    }
    Ok(spoken)
}

/// Those that cannot be shown.
pub(super) fn left_out(spoken: &[Spoken]) -> LeftOut {
    let failed = |spoken: &Spoken| Some((spoken.language, spoken.built.as_ref().err()?.text().to_owned()));
    spoken.iter().filter_map(failed).collect()
}

/// What is said at the end when not all languages were shown.
pub(super) fn incomplete(left_out: &LeftOut) -> Failure {
    let mut text = String::new();
    for (language, why) in left_out {
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing into a String cannot fail.
        let _ = write!(text, "{separator}{language} was left out: {why}");
    }
    Failure::new(text).next("its build can be run by itself: lamina runtime build")
}

/// Installs what was built, and runs a folder of each language.
pub(super) async fn show(
    narrator: &mut Narrator,
    client: &Client,
    (store, spoken): (&Store, &[Spoken]),
    key: &SecretKey,
) -> Result<Vec<Deployed>, Failure> {
    let shown: Vec<(&Spoken, &Built)> =
        spoken.iter().filter_map(|spoken| Some((spoken, spoken.built.as_ref().ok()?))).collect();
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    narrator.begin("install the interpreters: each is compiled once, for all functions")?;
    runtime::trust_key(client, store).await?;
    for (_, built) in &shown {
        let (_, version) = runtime::install_one(client, built).await?;
        let arn = version.get("RuntimeVersionArn").and_then(Value::as_str).unwrap_or_default();
        narrator.detail(format_args!("{}: {arn}", built.language))?;
    }
    narrator.done()?;

    narrator.begin("deploy folders of source files; nothing is compiled")?;
    let mut all = Vec::new();
    for (spoken, _) in shown {
        all.push(first_answer(narrator, client, spoken, key).await?);
    }
    narrator.done()?;
    Ok(all)
}

/// Packs, signs, deploys, and calls once.
async fn first_answer(
    narrator: &Narrator,
    client: &Client,
    spoken: &Spoken,
    key: &SecretKey,
) -> Result<Deployed, Failure> {
    let deployment = Deployment::of_path(name(spoken.name)?, &spoken.folder, Some(key))?;
    let since = narrator.elapsed();
    let deployed = deploy(client, &Deployment { url: Some(UrlMode::Buffered), ..deployment }).await?;
    let payload = Bytes::from_static(br#"{"name": "Ada"}"#);
    let invoked = invoke(client, Invocation { name: spoken.name, payload, tail: false, qualifier: None }).await?;
    let took = narrator.elapsed().saturating_sub(since);
    let answer = String::from_utf8_lossy(&invoked.payload).into_owned();
    narrator.detail(format_args!(
        "{}: {}, answer {answer}, {} ms after the upload began",
        spoken.name,
        spoken.folder.display(),
        took.as_millis()
    ))?;
    let expected = json!({ "message": "Hello, Ada!" });
    let is_right = serde_json::from_str::<Value>(&answer).is_ok_and(|answer| answer == expected);
    if invoked.error.is_some() || !is_right {
        return Err(Failure::new(format!("{} answered something else: {answer}", spoken.name)));
    }
    Ok(deployed)
}

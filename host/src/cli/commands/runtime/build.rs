//! One runtime from its sources: its own script builds it, it is started once, and
//! signed.

use std::path::Path;
use std::process::Stdio;

use lamina_types::Language;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::store::{Built, Store};
use crate::cli::commands::COMPONENT_BYTES_MAX;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::progress::Progress;

/// The script prints one line, a folder.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
const ABOUT_BYTES_MAX: usize = 64 << 10;

/// Builds, starts, signs and keeps it. The script's own lines appear on standard
/// error. Dropped half-way, the script is killed, and what was built before stays.
pub(crate) async fn build(
    checkout: &Path,
    language: Language,
    store: &Store,
    output: Output,
) -> Result<Built, Failure> {
    let script = checkout.join("components/runtimes").join(language.as_str()).join("build");
    let folder = run(&script).await?;
    let file = |extension: &str| Path::new(&folder).join(format!("{language}.{extension}"));
    let source = files::read(&file("wasm"), COMPONENT_BYTES_MAX)?;
    let about = files::read(&file("json"), ABOUT_BYTES_MAX)?;
    let progress = Progress::wait("starting");
    let started = lamina_runtime::started(&source).await;
    progress.clear();
    let started = started.map_err(|error| Failure::new(format!("starting the {language} runtime: {error}")))?;
    let signed = lamina_signing::sign(&started, &store.secret(output)?);
    let signed = signed.map_err(|error| Failure::new(format!("signing the {language} runtime: {error}")))?;
    let built = Built::of(language, signed, &about)?;
    store.keep(&built)?;
    Ok(built)
}

async fn run(script: &Path) -> Result<String, Failure> {
    let failed = |error: &std::io::Error| Failure::io(format_args!("running {}", script.display()), error);
    let mut child = Command::new(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(OUTPUT_BYTES_MAX).read_to_string(&mut text).await.map_err(|error| failed(&error))?;
    }
    let status = child.wait().await.map_err(|error| failed(&error))?;
    match (status.success(), text.lines().last()) {
        (true, Some(folder)) => Ok(folder.to_owned()),
        (true, None) => Err(Failure::new(format!("{} did not say where the runtime is", script.display()))),
        (false, _) => Err(Failure::new(format!("building the runtime ended with {status}"))
            .next(format!("the lines above say why; the script can be run by itself, too: {}", script.display()))),
    }
}

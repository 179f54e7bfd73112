//! What a platform that enforces signatures must refuse. Anything else than the
//! right refusal is a failure of the quickstart.

use std::path::Path;

use lamina_types::limits::PACKAGE_ZIPPED_BYTES_MAX;

use super::narrator::Narrator;
use super::story::{deployment, name};
use crate::cli::client::Client;
use crate::cli::commands::deploy::{Deployment, deploy};
use crate::cli::failure::Failure;
use crate::cli::files;

const CHANGED: &[&str] = &["InvalidCodeSignatureException", "CodeVerificationFailedException"];
const UNSIGNED: &[&str] = &["CodeVerificationFailedException"];

/// A signed copy whose last byte was changed after it was signed.
pub(super) async fn changed(narrator: &Narrator, client: &Client, signed: &Path) -> Result<(), Failure> {
    let mut code = files::read(signed, PACKAGE_ZIPPED_BYTES_MAX)?;
    if let Some(last) = code.last_mut() {
        *last ^= 1;
    }
    refused(narrator, client, Attempt { deployment: deployment("changed", code)?, expected: CHANGED }).await
}

/// A copy that nobody signed.
pub(super) async fn unsigned(narrator: &Narrator, client: &Client, unsigned: &Path) -> Result<(), Failure> {
    let code = files::read(unsigned, PACKAGE_ZIPPED_BYTES_MAX)?;
    refused(narrator, client, Attempt { deployment: deployment("unsigned", code)?, expected: UNSIGNED }).await
}

/// A folder that nobody signed.
pub(super) async fn unsigned_folder(narrator: &Narrator, client: &Client, folder: &Path) -> Result<(), Failure> {
    let deployment = Deployment::of_path(name("unsigned")?, folder, None)?;
    refused(narrator, client, Attempt { deployment, expected: UNSIGNED }).await
}

struct Attempt {
    deployment: Deployment,
    /// The exceptions that are a right refusal.
    expected: &'static [&'static str],
}

async fn refused(narrator: &Narrator, client: &Client, attempt: Attempt) -> Result<(), Failure> {
    let Attempt { deployment, expected } = attempt;
    let name = &deployment.name;
    let Err(failure) = deploy(client, &deployment).await else {
        return Err(Failure::new(format!("the {name} copy was ADMITTED, and must not be")));
    };
    if failure.exception().is_some_and(|exception| expected.contains(&exception)) {
        return narrator.detail(format_args!("{name}: refused, {}", failure.text()));
    }
    Err(failure.while_doing(format_args!("the {name} copy was refused for another reason")))
}

//! `lamina sign FILE --key KEYFILE`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lamina_signing::{KeyId, SecretKey};
use lamina_types::Digest;
use serde_json::json;

use super::{COMPONENT_BYTES_MAX, about_component, zip};
use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::{files, keyfile};

/// Sign a component or a package, in place unless --out is given
///
/// A package is a zip of files: one entry, META-INF/lamina.sig, covers the names,
/// modes and contents of all the others. Of a zip that holds nothing but
/// bootstrap.wasm the component is signed. Several keys may sign one after the
/// other; signing twice with one key changes nothing. The file is replaced as one step.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The component or zip
    file: PathBuf,
    /// The secret key that `lamina keys new` wrote
    #[arg(long, value_name = "KEYFILE", env = "LAMINA_KEY", hide_env_values = true)]
    key: PathBuf,
    /// Write what is signed here instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave the zip as it is, and write its signature beside it: FILE.sig, or --out
    #[arg(long)]
    detached: bool,
}

/// A component or a package, signed.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    /// The SHA-256 of what the signature covers.
    pub(crate) content: Digest,
    /// Everyone whose signature the component carries now.
    pub(crate) signers: Vec<KeyId>,
}

/// Signs a component, or a zip.
pub(crate) fn sign(file: &[u8], key: &SecretKey) -> Result<Signed, Failure> {
    if zip::is_zip(file) { zip::sign(file, key) } else { sign_component(file, key) }
}

fn sign_component(component: &[u8], key: &SecretKey) -> Result<Signed, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let bytes =
        lamina_signing::sign(component, key).map_err(|error| bad(&error).next(about_component(&error, component)))?;
    let verified = lamina_signing::verify(&bytes, &[key.public()]).map_err(|error| bad(&error))?;
    let signers = lamina_signing::signers(&bytes).map_err(|error| bad(&error))?;
    Ok(Signed { bytes, content: verified.content, signers })
}

/// Signs the component in `file` and writes it to `out`, or back, if that
/// changes anything. Answers whether it did.
pub(crate) fn sign_file(file: &Path, key: &SecretKey, out: Option<&Path>) -> Result<(Signed, bool), Failure> {
    let component = files::read(file, COMPONENT_BYTES_MAX)?;
    let signed =
        sign(&component, key).map_err(|failure| failure.while_doing(format_args!("signing {}", file.display())))?;
    let changed = signed.bytes != component;
    match out {
        Some(out) => files::replace(out, &signed.bytes)?,
        None if changed => files::replace(file, &signed.bytes)?,
        None => {}
    }
    Ok((signed, changed))
}

impl SignArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let key = keyfile::secret(&self.key, ctx.output)?;
        let beside = zip::detached_path(&self.file);
        let (signed, changed, default) = if self.detached {
            let out = self.out.as_ref().unwrap_or(&beside);
            let (signed, changed) = zip::sign_detached(&self.file, &key, out)?;
            (signed, changed, &beside)
        } else {
            let (signed, changed) = sign_file(&self.file, &key, self.out.as_deref())?;
            (signed, changed, &self.file)
        };
        let (id, out) = (key.public().id(), self.out.as_ref().unwrap_or(default));
        if ctx.output.is_json() {
            let signers: Vec<&str> = signed.signers.iter().map(KeyId::as_str).collect();
            ctx.output.json(&json!({
                "File": out,
                "KeyId": id.as_str(),
                "Digest": signed.content.to_string(),
                "Signers": signers,
                "Changed": changed,
            }))?;
        } else {
            let was = if changed { "signed" } else { "was signed already" };
            ctx.output.line(format_args!("{}: {was} by {id}, sha256 {}", out.display(), signed.content))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

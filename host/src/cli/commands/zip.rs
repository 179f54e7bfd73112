//! `sign`, `unsign` and `verify` of zips: a package as a whole, or the component in a
//! zip that holds nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lamina_package::{Package, SignError, Verified, VerifyError, Writer};
use lamina_signing::{PublicKey, SecretKey};
use lamina_types::Digest;
use serde_json::{Value, json};

use super::sign::Signed;
use super::verify::{self, texts};
use super::{COMPONENT_BYTES_MAX, about_component};
use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::files;

/// The largest detached signature: a listing of the most files with names of usual
/// length.
const SIGNATURE_BYTES_MAX: usize = 64 << 20;

/// Whether a file is to be read as a zip.
pub(super) fn is_zip(file: &[u8]) -> bool {
    file.starts_with(b"PK")
}

/// Where a zip's detached signature is: its name with `.sig`.
pub(crate) fn detached_path(file: &Path) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(".sig");
    path.into()
}

fn failure(error: &SignError) -> Failure {
    let next = match error {
        SignError::Zip(_) | SignError::Empty => "pack it again, and sign that",
        SignError::Full(_) | SignError::Malformed(_) => "take the signatures away first: lamina unsign FILE",
        SignError::NotSigned => "there is nothing to take away: use the file as it is",
    };
    Failure::new(error.to_string()).next(next)
}

/// The zip's component, if that is all it holds.
fn component(zip: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let component = Package::read(zip).and_then(|package| package.component());
    component.map_err(|error| failure(&error.into()))
}

/// Signs a package, or the component in it where that is all it holds.
pub(super) fn sign(zip: &[u8], key: &SecretKey) -> Result<Signed, Failure> {
    let bad = |error: &lamina_signing::Error, component: &[u8]| {
        Failure::new(error.to_string()).next(about_component(error, component))
    };
    let Some(component) = component(zip)? else {
        let signed = lamina_package::sign(zip, key).map_err(|error| failure(&error))?;
        return Ok(Signed { bytes: signed.bytes, content: signed.content, signers: signed.signers });
    };
    let signed = lamina_signing::sign(&component, key).map_err(|error| bad(&error, &component))?;
    let verified = lamina_signing::verify(&signed, &[key.public()]);
    let content = verified.map_err(|error| Failure::new(error.to_string()))?.content;
    let signers = lamina_signing::signers(&signed).map_err(|error| bad(&error, &component))?;
    let bytes = lamina_package::sign_component(&component, key).map_err(|error| bad(&error, &component))?;
    Ok(Signed { bytes, content, signers })
}

/// Signs a package whose zip stays as it is; writes the signature to `out`, with those
/// that are there, if that changes anything. Answers whether it did.
pub(super) fn sign_detached(file: &Path, key: &SecretKey, out: &Path) -> Result<(Signed, bool), Failure> {
    let zip = files::read(file, COMPONENT_BYTES_MAX)?;
    if !is_zip(&zip) || component(&zip)?.is_some() {
        let text = format!("signing {}: a component carries its signature itself", file.display());
        return Err(Failure::usage(text).next("sign it without --detached"));
    }
    let earlier = if out.exists() { Some(files::read(out, SIGNATURE_BYTES_MAX)?) } else { None };
    let signed = lamina_package::sign_detached(&zip, earlier.as_deref(), key)
        .map_err(|error| failure(&error).while_doing(format_args!("signing {}", file.display())))?;
    let changed = earlier.as_ref() != Some(&signed.bytes);
    if changed {
        files::replace(out, &signed.bytes)?;
    }
    Ok((Signed { bytes: signed.bytes, content: signed.content, signers: signed.signers }, changed))
}

/// The zip as it was before it was signed; a component's zip is packed anew.
pub(super) fn unsign(zip: &[u8]) -> Result<Vec<u8>, Failure> {
    let Some(component) = component(zip)? else {
        return lamina_package::unsign(zip).map_err(|error| failure(&error));
    };
    let stripped = lamina_signing::unsign(&component)
        .map_err(|error| Failure::new(error.to_string()).next(about_component(&error, &component)))?;
    let mut writer = Writer::new();
    writer.file(lamina_package::BOOTSTRAP, 0o644, &stripped).map_err(|error| failure(&error.into()))?;
    Ok(writer.finish())
}

/// Adds the signature that is kept beside a zip to it, if it has none of its own.
pub(super) fn attached(file: &Path, zip: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let beside = detached_path(file);
    if !is_zip(&zip) || component(&zip)?.is_some() || !beside.exists() {
        return Ok(zip);
    }
    match lamina_package::signers(&zip) {
        Ok(signers) if signers.is_empty() => {
            let signature = files::read(&beside, SIGNATURE_BYTES_MAX)?;
            let attached = lamina_package::attach(&zip, &signature);
            attached.map_err(|error| failure(&error).while_doing(format_args!("reading {}", beside.display())))
        }
        _ => Ok(zip),
    }
}

/// `lamina verify` of a zip.
pub(super) fn verify(ctx: &Ctx, file: &Path, zip: &[u8], signature: Option<&Path>, keys: &[PublicKey]) -> Done {
    if let Ok(Some(component)) = Package::read(zip).and_then(|package| package.component()) {
        let verdict = lamina_signing::verify(&component, keys);
        if ctx.output.is_json() {
            return tell(ctx, file, zip, verify::told(&verdict), verdict.is_ok());
        }
        return match verdict {
            Ok(verified) => verify::good(ctx, file, &verified),
            Err(error) => {
                let failure = Failure::new(format!("{}: not verified: {error}", file.display()));
                Err(failure.next(verify::next_step(&error, &component)))
            }
        };
    }
    let detached = detached(file, zip, signature)?;
    let verdict = Package::read(zip).map_err(VerifyError::from);
    let verdict = verdict.and_then(|package| lamina_package::verify(&package, detached.as_deref(), keys));
    if ctx.output.is_json() {
        return tell(ctx, file, zip, told(&verdict), verdict.is_ok());
    }
    match verdict {
        Ok(verified) => verify::good(ctx, file, &verified),
        Err(error) => {
            let failure = Failure::new(format!("{}: not verified: {error}", file.display()));
            Err(failure.next(next_step(&error)))
        }
    }
}

/// The detached signature that counts: the one that is named, or the one beside a zip
/// that has none of its own.
fn detached(file: &Path, zip: &[u8], signature: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let beside = detached_path(file);
    let path = match signature {
        Some(path) => path,
        None if beside.exists() && lamina_package::signers(zip).is_ok_and(|signers| signers.is_empty()) => &beside,
        None => return Ok(None),
    };
    files::read(path, SIGNATURE_BYTES_MAX).map(Some).map_err(Failure::into_usage)
}

fn tell(ctx: &Ctx, file: &Path, zip: &[u8], mut told: Value, is_good: bool) -> Done {
    told["File"] = json!(file);
    told["FileSha256"] = json!(Digest::of(zip).to_string());
    let printed = ctx.output.json(&told);
    // The verdict counts also where nobody reads why.
    if is_good { printed.map(|()| ExitCode::SUCCESS) } else { Ok(ExitCode::FAILURE) }
}

/// The verdict for programs: who signed what, or why it does not count.
fn told(verdict: &Result<Verified, VerifyError>) -> Value {
    let error = match verdict {
        Ok(Verified { signers, content }) => {
            return json!({ "Verified": true, "Signers": texts(signers), "Digest": content.to_string() });
        }
        Err(error) => error,
    };
    let (code, claimed, changes) = match error {
        VerifyError::Zip(_) => ("Zip", Vec::new(), None),
        VerifyError::NotSigned => ("NotSigned", Vec::new(), None),
        VerifyError::Malformed(_) => ("Malformed", Vec::new(), None),
        VerifyError::OtherSigners { signers } => ("OtherSigners", texts(signers), None),
        VerifyError::Forged { signer } => ("Forged", texts(std::slice::from_ref(signer)), None),
        VerifyError::Changed { signer, changes } => ("Changed", texts(std::slice::from_ref(signer)), Some(changes)),
    };
    let mut told = json!({
        "Verified": false, "Code": code, "Reason": error.to_string(), "ClaimedSigners": claimed,
    });
    if let Some(changes) = changes {
        told["Changes"] = json!(changes.0);
    }
    told
}

fn next_step(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::Zip(_) => "pack it again, and sign it: lamina sign FILE --key KEYFILE",
        VerifyError::NotSigned => "sign it: lamina sign FILE --key KEYFILE",
        VerifyError::OtherSigners { .. } => "give the public key of one of its signers, if you trust them",
        VerifyError::Malformed(_) | VerifyError::Forged { .. } | VerifyError::Changed { .. } => {
            "look at what was changed, and sign it again: lamina sign FILE --key KEYFILE"
        }
    }
}

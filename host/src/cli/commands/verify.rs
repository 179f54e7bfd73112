//! `lamina verify FILE --key PUB`: for CI, by its exit code and its JSON.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lamina_signing::{Error, KeyId, PublicKey, Verified, VerifyError};
use lamina_types::Digest;
use serde_json::{Value, json};

use super::{COMPONENT_BYTES_MAX, about_component, zip};
use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::output::style;
use crate::cli::{files, keyfile};

/// Check that a component or a package is signed by one of these keys and unchanged since
///
/// Exit codes: 0 verified, 1 not verified, 2 a file or key could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The component or zip
    file: PathBuf,
    /// A public key that counts; may be repeated
    #[arg(long = "key", value_name = "PUB", required = true)]
    keys: Vec<PathBuf>,
    /// A zip's signature that is kept beside it; FILE.sig counts where the zip has none
    #[arg(long, value_name = "SIG")]
    signature: Option<PathBuf>,
}

impl VerifyArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let keys = self.keys.iter().map(|path| keyfile::public(path)).collect::<Result<Vec<PublicKey>, Failure>>();
        let keys = keys.map_err(Failure::into_usage)?;
        let component = files::read(&self.file, COMPONENT_BYTES_MAX).map_err(Failure::into_usage)?;
        if zip::is_zip(&component) {
            return zip::verify(ctx, &self.file, &component, self.signature.as_deref(), &keys);
        }
        let verdict = lamina_signing::verify(&component, &keys);
        if ctx.output.is_json() {
            let mut told = told(&verdict);
            told["File"] = json!(self.file);
            told["FileSha256"] = json!(Digest::of(&component).to_string());
            let printed = ctx.output.json(&told);
            // The verdict counts also where nobody reads why.
            return if verdict.is_err() { Ok(ExitCode::FAILURE) } else { printed.map(|()| ExitCode::SUCCESS) };
        }
        match verdict {
            Ok(verified) => good(ctx, &self.file, &verified),
            Err(error) => {
                let failure = Failure::new(format!("{}: not verified: {error}", self.file.display()));
                Err(failure.next(next_step(&error, &component)))
            }
        }
    }
}

/// Says that a file is as its signers left it.
pub(super) fn good(ctx: &Ctx, file: &Path, verified: &Verified) -> Done {
    let (good, plain) = (style::GOOD, style::PLAIN);
    let (signers, content, file) = (texts(&verified.signers).join(", "), verified.content, file.display());
    ctx.output.line(format_args!("{file}: {good}verified{plain}, signed by {signers}, sha256 {content}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The verdict for programs: who signed what, or why it does not count.
pub(super) fn told(verdict: &Result<Verified, VerifyError>) -> Value {
    match verdict {
        Ok(verified) => json!({
            "Verified": true,
            "Signers": texts(&verified.signers),
            "Digest": verified.content.to_string(),
        }),
        Err(error) => {
            let (code, claimed) = match error {
                VerifyError::NotSigned => ("NotSigned", Vec::new()),
                VerifyError::OtherSigners { signers } => ("OtherSigners", texts(signers)),
                VerifyError::Changed { signer } => ("Changed", vec![signer.as_str()]),
                VerifyError::File(Error::NotComponent(_)) => ("NotComponent", Vec::new()),
                VerifyError::File(Error::Damaged { .. }) => ("Damaged", Vec::new()),
                VerifyError::File(Error::Malformed(_)) => ("Malformed", Vec::new()),
                VerifyError::File(Error::Full(_) | Error::NotSigned) => ("NotSigned", Vec::new()),
            };
            json!({ "Verified": false, "Code": code, "Reason": error.to_string(), "ClaimedSigners": claimed })
        }
    }
}

pub(super) fn texts(ids: &[KeyId]) -> Vec<&str> {
    ids.iter().map(KeyId::as_str).collect()
}

pub(super) fn next_step(error: &VerifyError, component: &[u8]) -> &'static str {
    match error {
        VerifyError::NotSigned => "sign it: lamina sign FILE --key KEYFILE",
        VerifyError::OtherSigners { .. } => "give the public key of one of its signers, if you trust them",
        VerifyError::Changed { .. } => "build it again, and sign it: lamina sign FILE --key KEYFILE",
        VerifyError::File(error) => about_component(error, component),
    }
}

#[cfg(test)]
mod tests {
    use lamina_signing::SecretKey;

    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\0\x02\x01x";

    #[test]
    fn verdicts() {
        let (ours, other) = (SecretKey::from_random(&[1; 32]), SecretKey::from_random(&[2; 32]));
        let signed = lamina_signing::sign(COMPONENT, &ours).unwrap();
        let check = |file: &[u8], key: &SecretKey| told(&lamina_signing::verify(file, &[key.public()]));

        let good = check(&signed, &ours);
        assert_eq!(good["Verified"], true);
        assert_eq!(good["Signers"], json!([ours.public().id().as_str()]));
        assert_eq!(good["Digest"], Digest::of(&COMPONENT[8..]).to_string());

        let stranger = check(&signed, &other);
        assert_eq!((&stranger["Code"], &stranger["Verified"]), (&json!("OtherSigners"), &json!(false)));
        assert_eq!(stranger["ClaimedSigners"], json!([ours.public().id().as_str()]));

        let mut changed = signed;
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        assert_eq!(check(&changed, &ours)["Code"], "Changed");
        assert_eq!(check(COMPONENT, &ours)["Code"], "NotSigned");
        assert_eq!(check(b"\0asm\x01\0\0\0", &ours)["Code"], "NotComponent");
        assert_eq!(check(b"\0asm\x0d\0\x01\0\0\x05\x01x", &ours)["Code"], "Damaged");
    }
}

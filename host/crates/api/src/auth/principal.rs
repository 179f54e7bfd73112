//! Who calls: the signature of a request against the catalog's credentials.
//!
//! Every credential is the account's root for now, so knowing who calls is all
//! there is to being allowed; [`permit`] is where permissions will be asked.

pub mod sigv4;

mod canonical;
mod moment;

use http::request::Parts;
use lamina_registry::Catalog;

use self::sigv4::{AuthError, Claim, PathMode, SignedParts, Verifier};
use crate::body::Body;

/// The API's signing name.
const SERVICE: &str = "lambda";

/// A request whose signature fits.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// The access key that signed it.
    pub(crate) access_key_id: String,
}

/// What is asked of [`permit`], in IAM's words: `lambda:CreateFunction`.
pub(crate) type Action = &'static str;

/// A request that says who it is from; not believed until its body was read.
#[derive(Debug)]
pub(crate) struct Claimed {
    claim: Claim,
    secret: String,
}

/// Reads the claim of a request, before its body: malformed, expired and
/// unknown ones are refused without reading on.
pub(crate) fn claim(parts: &Parts, catalog: &Catalog, region: &str, now_s: u64) -> Result<Claimed, AuthError> {
    let verifier = Verifier { region, service: SERVICE, path: PathMode::Normalised };
    let claim = verifier.claim(&signed_parts(parts), now_s)?;
    let credential = catalog.credential(claim.access_key_id()).ok_or(AuthError::UnknownKey)?;
    Ok(Claimed { secret: credential.secret_access_key.clone(), claim })
}

impl Claimed {
    /// Compares the signature, over the body that was read.
    pub(crate) fn verify(&self, parts: &Parts, body: &Body) -> Result<Principal, AuthError> {
        self.claim.verify(&signed_parts(parts), &self.secret, body.sha256())?;
        Ok(Principal { access_key_id: self.claim.access_key_id().to_owned() })
    }
}

/// Whether `principal` may do `action`. Every credential is the account's root
/// and may do everything; policies come later, and are asked here alone.
pub(crate) fn permit(principal: &Principal, action: Action) {
    tracing::debug!(access_key_id = %principal.access_key_id, action, "permitted");
}

fn signed_parts(parts: &Parts) -> SignedParts<'_> {
    SignedParts {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
    }
}

//! Who calls, and whether they may: the signature of a request against the
//! catalog's credentials, then [`permit`].

pub(crate) mod presign;
pub(crate) mod sigv4;

mod canonical;
mod moment;

use http::request::Parts;
use lamina_registry::Catalog;

use self::presign::Presigned;
use self::sigv4::{AuthError, Claim, PathMode, SignedParts, Verifier};
use crate::body::Body;
use crate::error::ApiError;

/// The API's signing name.
pub(crate) const SERVICE: &str = "lambda";

/// How long the code of a function may be fetched from the URL that GetFunction
/// answers, in seconds: ten minutes, as on Lambda.
const CODE_URL_S: u64 = 600;

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

/// What a signature must be for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Reads the claim of a request, before its body: malformed, expired and
/// unknown ones are refused without reading on.
pub(crate) fn claim(parts: &Parts, catalog: &Catalog, scope: Scope<'_>, now_s: u64) -> Result<Claimed, AuthError> {
    let Scope { region, service } = scope;
    let verifier = Verifier { region, service, path: PathMode::Normalised };
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
/// and may do everything; policies of identities come later and will be asked
/// here, so every operation goes through here already.
pub(crate) fn permit(principal: &Principal, action: Action) -> Result<(), ApiError> {
    tracing::debug!(access_key_id = %principal.access_key_id, action, "permitted");
    Ok(())
}

/// What a URL of the platform's own is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'a> {
    /// As the client reached the platform.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    /// Encoded; may be empty.
    pub(crate) query: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now_s: u64,
}

/// A URL that whoever has it may GET for ten minutes, in the name of `principal`.
pub(crate) fn presigned(link: &Link<'_>, principal: &Principal, catalog: &Catalog) -> Result<String, AuthError> {
    let credential = catalog.credential(&principal.access_key_id).ok_or(AuthError::UnknownKey)?;
    let query = presign::query(&Presigned {
        host: link.host,
        path: link.path,
        query: link.query,
        region: link.region,
        service: SERVICE,
        access_key_id: &credential.access_key_id,
        secret: &credential.secret_access_key,
        expires_s: CODE_URL_S,
        now_s: link.now_s,
    })?;
    Ok(format!("http://{}{}?{query}", link.host, link.path))
}

fn signed_parts(parts: &Parts) -> SignedParts<'_> {
    SignedParts {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
    }
}

//! Signature version 4, the verifying side: both forms (header and presigned
//! query), with service, region, clock and path handling given by the caller,
//! so that AWS's own test vectors run.
//!
//! A request is checked in two steps: [`Verifier::claim`] reads who it says it
//! is from and refuses what can be refused without a body, then
//! [`Claim::verify`] compares the signature, in constant time, over the body's
//! hash. Rules: reference section 2.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::canonical::{self, Omit};
use super::moment;

/// How far a clock may be off, in seconds (Lambda's own: 5 minutes).
pub(crate) const SKEW_S: u64 = 300;
/// How long a presigned URL may live, in seconds: a week.
pub(crate) const EXPIRES_S_MAX: u64 = 604_800;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why a request is not believed. Everything here may be told to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    /// No signature at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// Not in the form of a signature; names the part.
    #[error("{0}")]
    Incomplete(String),
    /// The signature differs.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// Signed for another time, region or service.
    #[error("{0}")]
    Scope(String),
    /// No such access key.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
}

/// What of a request a signature covers, besides its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedParts<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The path as sent.
    pub(crate) path: &'a str,
    /// The query as sent, without `?`.
    pub(crate) query: &'a str,
    /// All headers.
    pub(crate) headers: &'a HeaderMap,
}

/// What becomes of the path before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathMode {
    /// `.`, `..` and `//` are resolved; all services but S3.
    Normalised,
    /// As sent.
    #[cfg_attr(not(test), expect(dead_code, reason = "some of AWS's vectors have it, no service but S3"))]
    AsSent,
}

/// What signatures must be for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verifier<'a> {
    /// The region.
    pub(crate) region: &'a str,
    /// The service.
    pub(crate) service: &'a str,
    /// The path's handling.
    pub(crate) path: PathMode,
}

/// Who a request says it is from, well-formed and in time.
#[derive(Debug)]
pub(crate) struct Claim {
    access_key_id: String,
    /// `YYYYMMDDTHHMMSSZ`.
    date: String,
    /// `YYYYMMDD/REGION/SERVICE/aws4_request`.
    scope: String,
    region: String,
    service: String,
    signed_headers: String,
    signature: String,
    presigned: bool,
    path: PathMode,
}

/// The texts of a signature, from the header or from the query.
#[derive(Default)]
struct Raw {
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    date: Option<String>,
    expires: Option<String>,
}

impl Verifier<'_> {
    /// Reads the signature and checks form, scope, time and the list of signed
    /// headers. `now_s` is in seconds since the Unix epoch.
    pub(crate) fn claim(&self, parts: &SignedParts<'_>, now_s: u64) -> Result<Claim, AuthError> {
        let presigned = parts.query.split('&').any(|pair| pair.starts_with("X-Amz-Signature="));
        let raw = match parts.headers.get("authorization") {
            Some(_) if presigned => {
                return Err(AuthError::Incomplete(
                    "only one signature is allowed: in the header or in the query".into(),
                ));
            }
            Some(value) => from_header(value.to_str().unwrap_or_default(), parts.headers)?,
            None if presigned => from_query(parts.query)?,
            None => return Err(AuthError::Missing),
        };
        let credential = part(raw.credential, "Credential", presigned)?;
        let signed_headers = part(raw.signed_headers, "SignedHeaders", presigned)?;
        let signature = part(raw.signature, "Signature", presigned)?;
        let date = part(raw.date, "X-Amz-Date", presigned)?;
        let seconds = moment::parse(&date)
            .ok_or_else(|| AuthError::Incomplete("X-Amz-Date must be in the form YYYYMMDDTHHMMSSZ".into()))?;
        let (access_key_id, scope) = credential.split_once('/').ok_or_else(|| {
            AuthError::Incomplete("Credential must have five parts: KEY/DATE/REGION/SERVICE/aws4_request".into())
        })?;
        self.check_scope(scope, &date)?;
        match raw.expires {
            Some(expires) => check_expiry(seconds, &expires, now_s)?,
            None => check_skew(seconds, now_s)?,
        }
        check_signed_headers(&signed_headers, parts.headers)?;
        Ok(Claim {
            access_key_id: access_key_id.to_owned(),
            scope: scope.to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
            path: self.path,
            date,
            signed_headers,
            signature,
            presigned,
        })
    }

    fn check_scope(&self, scope: &str, date: &str) -> Result<(), AuthError> {
        let parts: Vec<&str> = scope.split('/').collect();
        let [day, region, service, end] = parts.as_slice() else {
            return Err(AuthError::Incomplete(
                "Credential must have five parts: KEY/DATE/REGION/SERVICE/aws4_request".into(),
            ));
        };
        let wrong = |text: String| Err(AuthError::Scope(text));
        if *region != self.region {
            return wrong(format!("Credential should be scoped to a valid region, not '{region}'."));
        }
        if *service != self.service {
            return wrong(format!("Credential should be scoped to correct service: '{}'.", self.service));
        }
        if *end != "aws4_request" {
            return wrong("Credential should be scoped with a valid terminator: 'aws4_request'.".into());
        }
        if !date.starts_with(day) || day.len() != 8 {
            return wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {day}"
            ));
        }
        Ok(())
    }
}

impl Claim {
    /// The key that is said to have signed.
    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Compares the signature with the one `secret` gives. `body_sha256` is the
    /// hash of the body as it was read.
    pub(crate) fn verify(
        &self,
        parts: &SignedParts<'_>,
        secret: &str,
        body_sha256: &[u8; 32],
    ) -> Result<(), AuthError> {
        let payload_hash = hex::encode(body_sha256);
        if let Some(said) = parts.headers.get("x-amz-content-sha256") {
            // The header is signed, so a body that is not the hashed one must be refused here.
            if said.as_bytes() != payload_hash.as_bytes() {
                return Err(AuthError::Mismatch);
            }
        }
        let key = signing_key(secret, self.date.get(..8).unwrap_or_default(), &self.region, &self.service);
        let fits = |omit: Omit| -> Result<bool, AuthError> {
            let hash = canonical::hash(parts, self.path, &self.signed_headers, omit, &payload_hash)?;
            let text = format!("{ALGORITHM}\n{}\n{}\n{hash}", self.date, self.scope);
            let expected = hex::encode(hmac(&key, text.as_bytes()));
            Ok(expected.as_bytes().ct_eq(self.signature.as_bytes()).into())
        };
        let forms: &[Omit] = match self.presigned {
            true if parts.query.contains("X-Amz-Security-Token=") => &[Omit::Signature, Omit::SignatureAndToken],
            true => &[Omit::Signature],
            false => &[Omit::Nothing],
        };
        for form in forms {
            if fits(*form)? {
                return Ok(());
            }
        }
        Err(AuthError::Mismatch)
    }
}

fn part(text: Option<String>, name: &str, presigned: bool) -> Result<String, AuthError> {
    let place = if presigned { "Query string" } else { "Authorization header" };
    let missing = || AuthError::Incomplete(format!("{place} requires '{name}' parameter."));
    text.filter(|text| !text.is_empty()).ok_or_else(missing)
}

/// `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`.
fn from_header(value: &str, headers: &HeaderMap) -> Result<Raw, AuthError> {
    let (algorithm, rest) = value.split_once(' ').unwrap_or((value, ""));
    if algorithm != ALGORITHM {
        return Err(AuthError::Incomplete(format!("Authorization header requires the algorithm {ALGORITHM}.")));
    }
    let mut raw = Raw::default();
    for piece in rest.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let place = match name {
            "Credential" => &mut raw.credential,
            "SignedHeaders" => &mut raw.signed_headers,
            "Signature" => &mut raw.signature,
            _ => return Err(AuthError::Incomplete("Authorization header has an unknown parameter.".into())),
        };
        *place = Some(value.to_owned());
    }
    let date = headers.get("x-amz-date").or_else(|| headers.get("date"));
    raw.date = date.and_then(|date| date.to_str().ok()).map(str::to_owned);
    Ok(raw)
}

fn from_query(query: &str) -> Result<Raw, AuthError> {
    let mut raw = Raw::default();
    let mut algorithm = None;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "X-Amz-Algorithm" => &mut algorithm,
            "X-Amz-Credential" => &mut raw.credential,
            "X-Amz-SignedHeaders" => &mut raw.signed_headers,
            "X-Amz-Signature" => &mut raw.signature,
            "X-Amz-Date" => &mut raw.date,
            "X-Amz-Expires" => &mut raw.expires,
            _ => continue,
        };
        if place.is_some() {
            return Err(AuthError::Incomplete(format!("'{name}' is given twice")));
        }
        *place = Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
    }
    if algorithm.as_deref() != Some(ALGORITHM) {
        return Err(AuthError::Incomplete(format!("Query string requires the algorithm {ALGORITHM}.")));
    }
    raw.expires = Some(part(raw.expires, "X-Amz-Expires", true)?);
    Ok(raw)
}

fn check_skew(signed: u64, now: u64) -> Result<(), AuthError> {
    let (date, server) = (moment::print(signed), moment::print(now));
    if signed + SKEW_S < now {
        let edge = moment::print(now - SKEW_S);
        return Err(AuthError::Scope(format!(
            "Signature expired: {date} is now earlier than {edge} ({server} - 5 min.)"
        )));
    }
    if signed > now + SKEW_S {
        let edge = moment::print(now + SKEW_S);
        return Err(AuthError::Scope(format!(
            "Signature not yet current: {date} is still later than {edge} ({server} + 5 min.)"
        )));
    }
    Ok(())
}

fn check_expiry(signed: u64, expires: &str, now: u64) -> Result<(), AuthError> {
    let seconds: u64 =
        expires.parse().ok().filter(|seconds| (1..=EXPIRES_S_MAX).contains(seconds)).ok_or_else(|| {
            AuthError::Incomplete(format!("X-Amz-Expires must be a number of seconds from 1 to {EXPIRES_S_MAX}"))
        })?;
    if signed > now + SKEW_S {
        return check_skew(signed, now);
    }
    if signed + seconds < now {
        let (edge, server) = (moment::print(signed + seconds), moment::print(now));
        return Err(AuthError::Scope(format!("Signature expired: {edge} is now earlier than {server}")));
    }
    Ok(())
}

/// `host` and every `x-amz-*` header must be covered, else they could be
/// changed on the way. The token may be added after signing.
fn check_signed_headers(list: &str, headers: &HeaderMap) -> Result<(), AuthError> {
    let signed: Vec<&str> = list.split(';').collect();
    let malformed = signed.iter().any(|name| name.is_empty() || name.bytes().any(|b| b.is_ascii_uppercase()));
    // Each name once: a header is canonicalised as often as it is named.
    if malformed || !signed.is_sorted_by(|one, next| one < next) {
        return Err(AuthError::Incomplete("SignedHeaders must be lower-case names in order, each once".into()));
    }
    let must = headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    for name in must.filter(|name| *name != "x-amz-security-token").chain(["host"]) {
        if !signed.contains(&name) {
            return Err(AuthError::Incomplete(format!("'{name}' must be a 'SignedHeader' in the request.")));
        }
    }
    Ok(())
}

pub(super) fn signing_key(secret: &str, day: &str, region: &str, service: &str) -> [u8; 32] {
    let key = hmac(format!("AWS4{secret}").as_bytes(), day.as_bytes());
    let key = hmac(&key, region.as_bytes());
    let key = hmac(&key, service.as_bytes());
    hmac(&key, b"aws4_request")
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;

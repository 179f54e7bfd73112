//! Signature version 4, the signing side: URLs of our own that anyone who is
//! given one may GET for a while.

use http::header::HOST;
use http::{HeaderMap, HeaderValue};

use super::canonical::{self, Omit};
use super::moment;
use super::sigv4::{ALGORITHM, AuthError, PathMode, SignedParts, hmac, signing_key};

/// A GET to be signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presigned<'a> {
    /// As the client will send it.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    /// Further parameters, encoded; may be empty.
    pub(crate) query: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) access_key_id: &'a str,
    pub(crate) secret: &'a str,
    /// How long it is good for, in seconds: at most [`super::sigv4::EXPIRES_S_MAX`].
    pub(crate) expires_s: u64,
    pub(crate) now_s: u64,
}

/// The whole query of the URL, signature included.
pub(crate) fn query(request: &Presigned<'_>) -> Result<String, AuthError> {
    let date = moment::print(request.now_s);
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let own = if request.query.is_empty() { String::new() } else { format!("{}&", request.query) };
    let query = format!(
        "{own}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}%2F{}&X-Amz-Date={date}&X-Amz-Expires={}\
         &X-Amz-SignedHeaders=host",
        request.access_key_id,
        scope.replace('/', "%2F"),
        request.expires_s,
    );
    let host = HeaderValue::from_str(request.host);
    let host = host.map_err(|_| AuthError::Incomplete("the host cannot be a header".into()))?;
    let headers = HeaderMap::from_iter([(HOST, host)]);
    let parts = SignedParts { method: "GET", path: request.path, query: &query, headers: &headers };
    let nothing = lamina_types::Digest::of(b"").to_string();
    let hash = canonical::hash(&parts, PathMode::Normalised, "host", Omit::Signature, &nothing)?;
    let key = signing_key(request.secret, day, request.region, request.service);
    let signature = hex::encode(hmac(&key, format!("{ALGORITHM}\n{date}\n{scope}\n{hash}").as_bytes()));
    Ok(format!("{query}&X-Amz-Signature={signature}"))
}

#[cfg(test)]
mod tests {
    use super::super::sigv4::Verifier;
    use super::*;

    const NOW_S: u64 = 1_440_938_160;

    fn check(query: &str, secret: &str, after_s: u64) -> Result<(), AuthError> {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("127.0.0.1:1"))]);
        let parts = SignedParts { method: "GET", path: "/lamina/v1/code/f", query, headers: &headers };
        let verifier = Verifier { region: "us-east-1", service: "lambda", path: PathMode::Normalised };
        let claim = verifier.claim(&parts, NOW_S + after_s)?;
        claim.verify(&parts, secret, lamina_types::Digest::of(b"").as_bytes())
    }

    #[test]
    fn what_is_signed_here_is_believed_here() {
        for own in ["", "Qualifier=%24LATEST"] {
            let signed = query(&Presigned {
                host: "127.0.0.1:1",
                path: "/lamina/v1/code/f",
                query: own,
                region: "us-east-1",
                service: "lambda",
                access_key_id: "AKIA",
                secret: "s",
                expires_s: 600,
                now_s: NOW_S,
            })
            .unwrap();
            assert_eq!(check(&signed, "s", 600), Ok(()), "{signed}");
            assert_eq!(check(&signed, "t", 600), Err(AuthError::Mismatch), "{signed}");
            assert_eq!(check(&format!("a=1&{signed}"), "s", 600), Err(AuthError::Mismatch), "{signed}");
            assert!(matches!(check(&signed, "s", 601), Err(AuthError::Scope(_))), "{signed}");
        }
    }
}

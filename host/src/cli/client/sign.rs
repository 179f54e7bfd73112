//! Signature version 4, by AWS's own crate.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use lamina_kit::Clock;

use super::call::Call;
use super::error::Error;
use crate::cli::target::Target;

const SERVICE: &str = "lambda";

/// The request, signed for the target's region as of now.
pub(super) fn signed(call: Call, target: &Target, clock: &impl Clock) -> Result<Request<Bytes>, Error> {
    let bad = |error: &dyn std::fmt::Display| Error::Request(error.to_string());
    let url = format!("{}{}", target.endpoint, call.path);
    let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(&error))?;
    let identity: Identity = Credentials::clone(&target.credentials).into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&target.region)
        .name(SERVICE)
        .time(UNIX_EPOCH + Duration::from_micros(clock.epoch_micros()))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| bad(&error))?
        .into();
    let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(call.method.as_str(), url.as_str(), headers, SignableBody::Bytes(&call.body))
        .map_err(|error| bad(&error))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| bad(&error))?.into_parts();

    let mut request = Request::new(call.body.clone());
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = uri;
    let given = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in given.chain(instructions.headers()) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| bad(&error))?;
        let value = HeaderValue::from_str(value).map_err(|error| bad(&error))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use lamina_kit::FixedClock;
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_signed_for_lambda_in_the_targets_region() {
        let target = Target {
            endpoint: "http://127.0.0.1:4700".parse().unwrap(),
            region: "eu-west-3".into(),
            credentials: Credentials::new("AK", "S", Some("T".into()), None, "test"),
            data: None,
            trust: crate::cli::target::Trust::System,
        };
        let clock = FixedClock::at(1_764_000_000_000_000);
        let call = Call::new(http::Method::POST, &["a", "b:c"]).json(&json!({"x": 1}));
        let request = signed(call, &target, &clock).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:4700/a/b%3Ac");
        assert_eq!(request.headers()["x-amz-date"], "20251124T160000Z");
        assert_eq!(request.headers()["x-amz-security-token"], "T");
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=AK/20251124/eu-west-3/lambda/aws4_request, SignedHeaders=";
        assert!(authorization.starts_with(scope), "{authorization}");
        assert!(authorization.contains("content-type;host;x-amz-date;x-amz-security-token"), "{authorization}");
    }
}

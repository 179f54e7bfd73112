//! Property tests of signatures: the header, the query, the canonical request.

use http::{HeaderMap, HeaderValue};
use lamina_types::Digest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::moment;
use super::presign::{self, Presigned};
use super::sigv4::{PathMode, SignedParts, Verifier};

const NOW_S: u64 = 1_440_938_160;
const VERIFIER: Verifier<'_> = Verifier { region: "us-east-1", service: "lambda", path: PathMode::Normalised };

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

fn presigned<'a>(path: &'a str, query: &'a str) -> Presigned<'a> {
    Presigned {
        host: "localhost:1",
        path,
        query,
        region: VERIFIER.region,
        service: VERIFIER.service,
        access_key_id: "AKIA",
        secret: "s",
        expires_s: 600,
        now_s: NOW_S,
    }
}

fn is_believed(path: &str, query: &str) -> bool {
    let headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("localhost:1"))]);
    let parts = SignedParts { method: "GET", path, query, headers: &headers };
    let claim = VERIFIER.claim(&parts, NOW_S);
    claim.is_ok_and(|claim| claim.verify(&parts, "s", Digest::of(b"").as_bytes()).is_ok())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_presigned_is_believed_and_nothing_else(
        segments in proptest::collection::vec(prop_oneof!["[a-zA-Z0-9._~%-]{0,8}", Just("..".to_owned()), ".{0,6}"], 0..5),
        pairs in proptest::collection::vec(("[a-zA-Z]{1,6}", ".{0,9}"), 0..4), other in "[a-z]{1,6}=[a-z]{1,6}",
    ) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let path: String = segments.iter().map(|segment| format!("/{}", encode(segment))).collect();
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let query = presign::query(&presigned(&path, &pairs.join("&"))).unwrap();
        prop_assert!(is_believed(&path, &query), "{path}?{query}");
        let (more, elsewhere) = (format!("{query}&{other}"), format!("{path}/x"));
        prop_assert!(!is_believed(&path, &more), "{path}?{more}");
        prop_assert!(!is_believed(&elsewhere, &query), "{elsewhere}?{query}");
    }

    #[test]
    fn headers_of_anything_are_refused(
        authorization in prop_oneof![
            "AWS4-HMAC-SHA256 (Credential=[A-Z]{0,4}/[0-9]{8}/us-east-1/lambda/aws4_request,? ?|SignedHeaders=[a-z;-]{0,20},? ?|Signature=[0-9a-f]{0,64},? ?){0,4}",
            "[ -~]{0,80}",
        ],
        date in prop_oneof!["2015083[0-9]T12[0-9]{4}Z", "[0-9TZ]{0,20}", "[ -~]{0,20}"],
        path in "/[ -~]{0,30}", query in prop_oneof!["[ -~]{0,40}", "(X-Amz-(Signature|Date|Expires|Credential|SignedHeaders|Algorithm)=[A-Za-z0-9%/-]{0,20}&?){0,6}"],
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost:1"));
        headers.insert("x-amz-date", date.parse().unwrap());
        for headers in [headers.clone(), { headers.insert("authorization", authorization.parse().unwrap()); headers }] {
            let parts = SignedParts { method: "GET", path: &path, query: &query, headers: &headers };
            let Ok(claim) = VERIFIER.claim(&parts, NOW_S) else { continue };
            prop_assert!(claim.verify(&parts, "s", Digest::of(b"").as_bytes()).is_err());
        }
    }

    #[test]
    fn moments_come_back(seconds in 0_u64..253_402_300_800, text in prop_oneof!["[0-9]{8}T[0-9]{6}Z", ".{0,20}"]) {
        prop_assert_eq!(moment::parse(&moment::print(seconds)), Some(seconds));
        if let Some(seconds) = moment::parse(&text) {
            prop_assert_eq!(moment::print(seconds), text);
        }
    }
}

//! Property tests of what a request says before anything of it is believed.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;
use crate::trace::{TRACE_ID, unrecorded};

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    /// What passes can stand in a URL, and names nobody else there.
    #[test]
    fn hosts_are_what_urls_have(
        host in prop_oneof!["[a-zA-Z0-9.-]{1,20}(:[0-9]{0,5})?", "\\[[0-9a-f:.]{0,20}\\](:[0-9]{0,5})?", "[ -~]{0,20}"],
        noise in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let _ = is_host(&noise);
        if is_host(host.as_bytes()) && !host.is_empty() {
            prop_assert!(!host.contains(['/', '?', '#', '@', ' ', '\\', ',', '"']));
            if let Ok(uri) = format!("http://{host}/a").parse::<http::Uri>() {
                prop_assert_eq!((uri.authority().unwrap().as_str(), uri.path()), (host.as_str(), "/a"));
            }
        }
    }

    #[test]
    fn requests_are_refused_or_for_one_host(
        method in "[A-Z]{1,7}", target in prop_oneof!["/[!-~]{0,20}", "https?://[a-z.:@0-9]{1,12}/?[a-z]{0,6}", "[!-~]{1,20}"],
        hosts in proptest::collection::vec("[ -~]{0,16}", 0..3), coding in proptest::option::of("[a-zA-Z, ]{0,16}"),
    ) {
        let mut request = Request::builder().method(method.as_str()).uri(target.as_str());
        for host in &hosts {
            request = request.header("host", host);
        }
        if let Some(coding) = &coding {
            request = request.header("transfer-encoding", coding);
        }
        // What cannot be a request does not come so far.
        let Ok(request) = request.body(()) else { return Ok(()) };
        let parts = request.into_parts().0;
        if ambiguous(&parts).is_none() {
            prop_assert_eq!(hosts.len(), 1);
            prop_assert!(parts.uri.path().starts_with('/') && coding.is_none_or(|coding| coding.trim().eq_ignore_ascii_case("chunked")));
            prop_assert!(parts.uri.authority().is_none_or(|named| named.as_str().eq_ignore_ascii_case(&hosts[0])));
        }
        let _ = router::route(&parts.method, parts.uri.path(), parts.uri.query().unwrap_or_default());
    }

    #[test]
    fn trace_ids_are_passed_on_whole_or_made(
        text in prop_oneof!["Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;Parent=[0-9a-f]{16})?(;Sampled=[01?])?", "[ -~]{0,300}"],
    ) {
        let headers = http::HeaderMap::from_iter([(TRACE_ID, text.parse().unwrap())]);
        let found = unrecorded(&headers, &lamina_kit::RandomIds, Timestamp(1_764_000_000_123_456)).trace_id;
        prop_assert!(found == text || found.len() == "Root=1-12345678-123456789012345678901234;Parent=1234567890123456;Sampled=0".len());
        prop_assert!(found.starts_with("Root=1-") || found.contains(";Root=1-") || found.contains("; Root=1-"), "{}", found);
    }
}

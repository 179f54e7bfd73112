//! Property tests of the heads that guests give to streams.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// Texts that may be headers, and some that may not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9-]{0,20}", "[ -~]{0,30}", ".{0,20}", Just("a\r\nb: c".to_owned()), Just("x".repeat(70_000))]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn heads_are_valid_http_or_refused(
        content_type in proptest::option::of(text()), status_code in prop_oneof![any::<u16>(), 200_u16..600],
        headers in proptest::collection::vec((text(), text()), 0..6), cookies in proptest::collection::vec(text(), 0..4),
        has_http in any::<bool>(),
    ) {
        let http = has_http.then(|| wit::HttpPrelude { status_code, headers: headers.clone(), cookies: cookies.clone() });
        let given = wit::Head { content_type: content_type.clone(), http };
        match check(given) {
            Err(reason) => prop_assert!(reason.len() < 80_000),
            Ok(head) => {
                prop_assert_eq!(head.content_type, content_type);
                prop_assert_eq!(head.http.is_some(), has_http);
                if let Some(http) = head.http {
                    prop_assert!((200..=599).contains(&http.status));
                    let is_field = |(name, value): &(String, String)| {
                        HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok()
                    };
                    prop_assert!(http.headers.iter().all(is_field));
                    prop_assert_eq!((http.headers, http.cookies), (headers, cookies));
                }
            }
        }
    }
}

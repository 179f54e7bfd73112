//! Property tests of the texts that name things: ARNs, names, settings, digests.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::settings::Settings;
use crate::{AccountId, Digest, FunctionArn, FunctionName, Region, RequestId, UrlId};

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// Texts that look like ARNs, and are some of the time.
fn arn() -> impl Strategy<Value = String> {
    let word = prop_oneof!["[a-z0-9-]{0,12}", "[0-9]{12}", Just("arn".to_owned()), Just("aws".to_owned())];
    let word = prop_oneof![word, Just("lambda".to_owned()), Just("function".to_owned()), Just("$LATEST".to_owned())];
    let loose = proptest::collection::vec(word, 0..10).prop_map(|words| words.join(":"));
    let close = (
        "[a-z]{2}-[a-z]{4}-[0-9]",
        "[0-9]{12}",
        "[a-zA-Z0-9_-]{1,70}",
        prop_oneof![
            Just(String::new()),
            "[0-9]{1,22}".prop_map(|version| format!(":{version}")),
            "[a-zA-Z$_-]{1,10}".prop_map(|alias| format!(":{alias}")),
        ],
    );
    let close = close.prop_map(|(region, account, name, qualifier)| {
        format!("arn:aws:lambda:{region}:{account}:function:{name}{qualifier}")
    });
    prop_oneof![loose, close, ".{0,80}"]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn arns_read_as_they_print(text in arn()) {
        if let Ok(arn) = text.parse::<FunctionArn>() {
            let printed = arn.to_string();
            prop_assert_eq!(printed.parse::<FunctionArn>().unwrap(), arn);
            prop_assert!(printed.len() <= text.len());
        }
    }

    #[test]
    fn names_are_kept_as_they_are(text in prop_oneof!["[a-zA-Z0-9_:$-]{0,150}", ".{0,80}"]) {
        if let Ok(name) = text.parse::<FunctionName>() {
            prop_assert_eq!(name.as_str(), text.as_str());
        }
        if let Ok(id) = text.parse::<RequestId>() {
            prop_assert_eq!(id.as_str().parse::<RequestId>().unwrap(), id);
        }
        if let Ok(id) = text.parse::<UrlId>() {
            prop_assert_eq!(id.as_str(), text.as_str());
        }
        let _ = (text.parse::<AccountId>(), text.parse::<Region>());
    }

    #[test]
    fn digests_read_as_they_print(bytes in any::<[u8; 32]>(), other in ".{0,70}") {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        if let Ok(digest) = other.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), other);
        }
    }

    #[test]
    fn settings_are_numbers_or_refused(fuel in prop_oneof!["[0-9+ -]{0,22}", ".{0,20}"], seed in "[0-9+-]{0,22}") {
        let tags = BTreeMap::from([("lamina:fuel".to_owned(), fuel.clone()), ("lamina:seed".to_owned(), seed)]);
        if let Ok(settings) = Settings::from_tags(&tags) {
            prop_assert_eq!(settings.fuel.map(|fuel| fuel.to_string()), Some(fuel.trim_start_matches('0').to_owned()));
            prop_assert!(settings.seed.is_some());
        }
    }
}

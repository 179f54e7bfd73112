//! Property tests of the manifests of backups.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

use super::*;

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn manifests_come_back_and_no_other_one_is_signed(
        sequence in any::<u64>(), since in any::<u64>(), made in any::<u64>(),
        entries in proptest::collection::vec((".{0,30}", any::<u64>(), "[0-9a-f]{64}"), 0..5),
        edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let host_key = [7; 32];
        let key = signing_key(&host_key);
        let entries: Vec<Entry> =
            entries.into_iter().map(|(name, bytes, sha256)| Entry { name, bytes, sha256: sha256.parse().unwrap() }).collect();
        let manifest =
            Manifest { format: FORMAT, sequence, since, made, entries, public_key: public_key(&key.verifying_key()) };
        let bytes = manifest.signed(&key).unwrap();
        let again = Manifest::verified(&bytes, &host_key).unwrap();
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&manifest).unwrap());
        let mut changed = bytes.clone();
        edits.iter().for_each(|(at, byte)| changed[at.index(bytes.len())] = *byte);
        changed.truncate(end.map_or(bytes.len(), |end| end.index(bytes.len())));
        prop_assert!(changed == bytes || Manifest::verified(&changed, &host_key).is_err());
        prop_assert!(Manifest::verified(&noise, &host_key).is_err());
    }
}

//! Property tests of the audit log's lines and heads.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Map, Value};

use crate::entry::{LINE_BYTES_MAX, Links};
use crate::{Entry, Head, verify_lines};

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// `bytes` with some of them changed, and perhaps cut.
fn mutated(bytes: &[u8], edits: &[(Index, u8)], end: Option<Index>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let length = bytes.len();
        edits.iter().for_each(|(at, byte)| bytes[at.index(length)] = *byte);
        bytes.truncate(end.map_or(length, |end| end.index(length)));
    }
    bytes
}

fn detail() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map(".{0,8}", value, 0..4).prop_map(|members| members.into_iter().collect())
}

fn entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<u64>(), ".{0,30}", proptest::option::of(".{0,30}"), ".{0,30}", detail())
        .prop_map(|(n, at, principal, request, action, detail)| Entry { n, at, principal, request, action, detail })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lines_come_back_and_no_other_line_passes(
        entry in entry(), prev in "[0-9a-f]{64}", edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4),
        end in any::<Option<Index>>(),
    ) {
        let Ok(line) = entry.line(&prev) else { return Ok(()) };
        let text = line.text.trim_end_matches('\n').as_bytes();
        let links = Links::parse(text).unwrap();
        prop_assert_eq!((links.n, links.prev, links.hash), (entry.n, prev, line.hash));
        prop_assert_eq!(serde_json::from_slice::<Entry>(text).unwrap(), entry);
        let changed = mutated(text, &edits, end);
        prop_assert!(changed == text || Links::parse(&changed).is_err());
    }

    #[test]
    fn lines_of_anything_are_refused(
        noise in prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), ".{0,200}".prop_map(String::into_bytes)],
    ) {
        prop_assert!(noise.len() < LINE_BYTES_MAX && Links::parse(&noise).is_err());
        let text = String::from_utf8_lossy(&noise);
        let _ = verify_lines(text.lines(), None);
        let _ = Head::parse(&noise);
    }

    #[test]
    fn heads_come_back_and_no_other_head_is_signed(
        n in any::<u64>(), at in any::<u64>(), hash in "[0-9a-f]{64}",
        edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
    ) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let head = Head::sign(&key, n, hash, at);
        let text = head.to_string();
        prop_assert_eq!(&Head::parse(text.as_bytes()).unwrap(), &head);
        let changed = mutated(text.as_bytes(), &edits, end);
        let passes = Head::parse(&changed).is_ok_and(|head| head.verify(&public).is_ok());
        prop_assert!(changed == text.as_bytes() || !passes);
    }
}

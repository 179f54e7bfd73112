//! Property tests of the journal's groups and of exports.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

use super::*;

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

fn writes() -> impl Strategy<Value = Writes> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most).prop_map(Bytes::from);
    proptest::collection::btree_map(bytes(20), proptest::option::of(bytes(200)), 0..5)
}

/// What a group's transactions write, each with its number.
fn all(group: &Group<'_>) -> Result<Vec<(u64, Writes)>, Broken> {
    let mut all = Vec::new();
    let owned = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    group.each(|number, writes| {
        all.push((number, writes.into_iter().map(|(key, value)| (owned(key), value.map(owned))).collect()));
    })?;
    Ok(all)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn groups_come_back_and_no_other_group_passes(
        transactions in proptest::collection::vec(writes(), 1..6), first in 1..u64::MAX / 2, before in any::<Mac>(),
        edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
    ) {
        let key = MacKey::new(&[7; 32]);
        let mut writer = GroupWriter::default();
        transactions.iter().for_each(|writes| writer.push(writes));
        let (bytes, mac) = writer.finish(&key, first, &before);
        let (bytes, end_of_all) = bytes.split_at(bytes.len() - END.len());
        prop_assert_eq!(end_of_all, END);
        let group = Group::parse(bytes).unwrap();
        prop_assert_eq!((group.verify(&key, &before), group.bytes()), (Some(mac), bytes.len()));
        prop_assert!(Group::is_plausible(bytes, first));
        let expect: Vec<(u64, Writes)> = (first..).zip(transactions).collect();
        prop_assert_eq!(all(&group).unwrap(), expect);
        let changed = mutated(bytes, &edits, end);
        let passes = Group::parse(&changed).is_ok_and(|group| group.verify(&key, &before).is_some());
        prop_assert!(changed == bytes || !passes);
    }

    /// Also with a check that fits, which anybody can compute.
    #[test]
    fn groups_of_anything_are_read_or_refused(
        body in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..200), length in any::<Option<u32>>(),
        count in prop_oneof![0_u32..4, any::<u32>()], first in 1..u64::MAX / 2, noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let length = length.unwrap_or(u32::try_from(body.len()).unwrap());
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(first.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(&body);
        bytes.extend([0; MAC_BYTES]);
        let check = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&check.to_le_bytes());
        for bytes in [bytes, noise] {
            let _ = Group::is_plausible(&bytes, 1);
            let Ok(group) = Group::parse(&bytes) else { continue };
            let mut seen = 0;
            let _ = group.each(|_, writes| {
                seen += writes.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum::<usize>();
            });
            // What is read was there: no length that is only claimed is believed.
            prop_assert!(seen <= bytes.len());
        }
    }

    #[test]
    fn exports_of_anything_are_refused(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(crate::export::read(&noise, &MacKey::new(&[7; 32])).is_err());
    }
}

//! Bytes that nobody wrote: whatever stands in the files, the store opens and reads.

use std::fs;

use proptest::prelude::*;

use crate::support::Bench;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_opened(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), cut in any::<prop::sample::Index>(), more in proptest::collection::vec(any::<u8>(), 0..60)) {
        for ending in [".segment", ".index", "group"] {
            let bench = Bench::new();
            for text in ["one", "LBLK two", "three"] {
                bench.kept("g", text);
            }
            bench.store.close();
            let file = bench.files(ending).remove(0);
            let mut bytes = fs::read(&file).unwrap();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            bytes.extend_from_slice(&more);
            fs::write(&file, &bytes).unwrap();
            let bench = bench.killed();
            let known = ["one", "LBLK two", "three"];
            let texts = bench.texts("g");
            prop_assert!(texts.iter().all(|text| known.contains(&text.as_str())), "{:?}", texts);
            // It takes lines all the same.
            bench.kept("g", "again");
            let texts = bench.texts("g");
            prop_assert_eq!(texts.last().map(String::as_str), Some("again"));
        }
    }
}

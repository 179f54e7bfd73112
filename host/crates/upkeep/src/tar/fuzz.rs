//! Property tests of the tar files that backups are.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

use super::*;

/// More than a file of these tests has.
const WHOLE_MAX: u64 = 1 << 16;

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

fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in files {
        tar.extend_from_slice(&header(name, bytes.len() as u64));
        tar.extend_from_slice(bytes);
        tar.extend(std::iter::repeat_n(0, padding(bytes.len() as u64)));
    }
    tar.extend_from_slice(&END);
    tar
}

type Files = Vec<(String, Vec<u8>)>;

/// All files until something is refused.
fn read(tar: &[u8]) -> (Files, Result<(), Refusal>) {
    let (mut reader, mut files) = (Reader::new(tar), Vec::new());
    loop {
        match reader.next() {
            Ok(None) => return (files, Ok(())),
            Ok(Some(head)) => match reader.whole(WHOLE_MAX) {
                Ok(bytes) => files.push((head.name, bytes)),
                Err(refusal) => return (files, Err(refusal)),
            },
            Err(refusal) => return (files, Err(refusal)),
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn files_come_back(
        files in proptest::collection::vec(("[a-z/.0-9]{1,100}", proptest::collection::vec(any::<u8>(), 0..1_100)), 0..5),
    ) {
        let (found, end) = read(&tar(&files));
        prop_assert!(end.is_ok(), "{end:?}");
        prop_assert_eq!(found, files);
    }

    #[test]
    fn tars_of_anything_are_read_or_refused(
        files in proptest::collection::vec(("[a-z/]{1,9}", proptest::collection::vec(any::<u8>(), 0..600)), 0..3),
        edits in proptest::collection::vec(any::<(Index, u8)>(), 0..4), end in any::<Option<Index>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..1_200), claim in any::<u64>(),
    ) {
        let claimed = [header("a", claim).as_slice(), &noise].concat();
        for tar in [mutated(&tar(&files), &edits, end), noise, claimed] {
            let (found, _) = read(&tar);
            // What is read was there: no size that is only claimed is believed.
            prop_assert!(found.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= tar.len());
            let mut skipping = Reader::new(std::io::Cursor::new(&tar));
            while let Ok(Some(_)) = skipping.next() {
                if skipping.skip().is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn headers_have_one_form(name in "[ -~]{0,120}", bytes in any::<u64>(), noise in proptest::collection::vec(any::<u8>(), BLOCK)) {
        let written = header(&name, bytes);
        if let Some(head) = parse(&written) {
            prop_assert_eq!(head.bytes, bytes);
            prop_assert!(name.starts_with(&head.name));
        }
        let noise: [u8; BLOCK] = noise.try_into().unwrap();
        prop_assert_eq!(parse(&noise), None);
    }
}

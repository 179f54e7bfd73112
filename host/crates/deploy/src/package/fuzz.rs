//! Property tests of uploads: zips and what passes for them.

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

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

fn zip(entries: &[(String, Vec<u8>, bool)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, stored) in entries {
        let method = if *stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        // A name that is there already is refused by the writer.
        if writer.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).is_ok() {
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn entries() -> impl Strategy<Value = Vec<(String, Vec<u8>, bool)>> {
    let name = prop_oneof![Just("bootstrap.wasm".to_owned()), Just("bootstrap".to_owned()), "[a-z/.]{1,12}"];
    let wasm = proptest::collection::vec(any::<u8>(), 0..300).prop_map(|rest| [WASM, &rest].concat());
    let bytes = prop_oneof![wasm, proptest::collection::vec(any::<u8>(), 0..300)];
    proptest::collection::vec((name, bytes, any::<bool>()), 0..4)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_component_of_a_zip_comes_back(
        rest in proptest::collection::vec(any::<u8>(), 0..2_000), stored in any::<bool>(), bare in any::<bool>(),
    ) {
        let wasm = [WASM, &rest].concat();
        let name = if bare { "bootstrap" } else { BOOTSTRAP };
        let upload = zip(&[(name.to_owned(), wasm.clone(), stored)]);
        prop_assert_eq!(component(&upload.into(), |_| Ok(())).unwrap(), wasm);
    }

    #[test]
    fn uploads_of_anything_are_read_or_refused(
        entries in entries(), edits in proptest::collection::vec(any::<(Index, u8)>(), 0..5), end in any::<Option<Index>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let uploads = [mutated(&zip(&entries), &edits, end), [b"PK\x03\x04".as_slice(), &noise].concat(), noise];
        for upload in uploads {
            let upload = Bytes::from(upload);
            match component(&upload, |_| Ok(())) {
                // Deflate makes a thousand bytes of one at most.
                Ok(found) => prop_assert!(found.len() <= 1_100 * upload.len() && found.len() <= PACKAGE_UNZIPPED_BYTES_MAX),
                Err(error) => prop_assert!(error.to_string().len() < 1_500, "{error}"),
            }
        }
    }
}

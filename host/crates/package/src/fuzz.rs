//! Property tests of zips, and of packages as they are signed and changed.

use std::collections::BTreeMap;
use std::io::Read as _;

use lamina_signing::SecretKey;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

use crate::{Listing, Package, Writer, attach, sign, sign_detached, unsign, verify};

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

type Files = BTreeMap<String, (u16, Vec<u8>)>;

/// Files whose folders are upper case, so that no file is another's folder.
fn files() -> impl Strategy<Value = Files> {
    let content = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (any::<u8>(), 0..5_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    proptest::collection::btree_map("([A-Z]{1,3}/){0,3}[a-z\u{e4}.]{0,6}[a-z]", (0..0o1000_u16, content), 1..8)
}

fn zip(files: &Files) -> Vec<u8> {
    let mut writer = Writer::new();
    files.iter().for_each(|(name, (mode, content))| writer.file(name, *mode, content).unwrap());
    writer.finish()
}

/// What another reader makes of a zip.
fn others(zip: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut files = Files::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        if !file.is_dir() {
            let mode = file.unix_mode().unwrap_or_default() & 0o777;
            files.insert(file.name().unwrap().into_owned(), (mode as u16, content));
        }
    }
    files
}

fn ours(zip: &[u8]) -> Option<Files> {
    let package = Package::read(zip).ok()?;
    let files = package
        .files()
        .into_iter()
        .map(|entry| Some((entry.name.to_owned(), (entry.mode, entry.content().ok()?.into_owned()))));
    files.collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn zips_come_back_and_others_read_the_same(
        files in files(), edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
    ) {
        let bytes = zip(&files);
        prop_assert_eq!(&ours(&bytes).unwrap(), &files);
        prop_assert_eq!(&others(&bytes), &files);
        prop_assert_eq!(&zip(&files), &bytes);
        // What is still read is read alike.
        let changed = mutated(&bytes, &edits, end);
        if let Some(read) = ours(&changed) {
            let names: Vec<&String> = read.keys().collect();
            let theirs = others(&changed);
            prop_assert_eq!(names, theirs.keys().collect::<Vec<_>>());
            for (name, (_, content)) in &read {
                prop_assert_eq!(content, &theirs[name].1);
            }
        }
    }

    #[test]
    fn zips_of_anything_are_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &noise].concat();
        for bytes in [noise.clone(), [b"PK\x03\x04".as_slice(), &noise].concat(), end] {
            if let Ok(package) = Package::read(&bytes) {
                let _ = Listing::of(&package);
            }
        }
    }

    #[test]
    fn packages_that_are_signed_verify_and_no_others_do(
        files in files(), edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
    ) {
        let key = SecretKey::from_random(&[7; 32]);
        let keys = [key.public()];
        let plain = zip(&files);
        let signed = sign(&plain, &key).unwrap();
        prop_assert_eq!(&sign(&signed.bytes, &key).unwrap(), &signed);
        prop_assert_eq!(&unsign(&signed.bytes).unwrap(), &plain);
        let detached = sign_detached(&plain, None, &key).unwrap();
        prop_assert_eq!(&attach(&plain, &detached.bytes).unwrap(), &signed.bytes);
        let package = Package::read(&signed.bytes).unwrap();
        prop_assert_eq!(verify(&package, None, &keys).unwrap().content, Listing::of(&package).unwrap().digest());
        prop_assert_eq!(&ours(&signed.bytes).unwrap(), &files);
        // Whatever is changed: what still verifies unpacks to the same files.
        let changed = mutated(&signed.bytes, &edits, end);
        if let Ok(package) = Package::read(&changed)
            && verify(&package, None, &keys).is_ok()
        {
            prop_assert_eq!(ours(&changed).unwrap(), files);
        }
    }

    #[test]
    fn signatures_of_anything_are_refused(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let key = SecretKey::from_random(&[7; 32]);
        let files = Files::from([("a".to_owned(), (0o644, b"a".to_vec()))]);
        let plain = zip(&files);
        let package = Package::read(&plain).unwrap();
        for bytes in [noise.clone(), [b"\x01\x01\x01\x01".as_slice(), &noise].concat()] {
            prop_assert!(verify(&package, Some(&bytes), &[key.public()]).is_err());
            prop_assert!(attach(&plain, &bytes).is_err());
        }
    }
}

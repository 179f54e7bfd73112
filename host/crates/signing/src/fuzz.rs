//! Property tests of the signature section, and of components as they are uploaded.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

use crate::envelope::{Envelope, Reader, Signed, put};
use crate::{SecretKey, sign, signers, unsign, verify};

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

fn envelope() -> impl Strategy<Value = Envelope> {
    let signed = (proptest::collection::vec(any::<u8>(), 0..65), any::<[u8; 32]>(), any::<[u8; 32]>());
    let signed = signed.prop_map(|(key_id, one, two)| {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&one);
        signature[32..].copy_from_slice(&two);
        Signed { key_id, signature }
    });
    (any::<[u8; 32]>(), proptest::collection::vec(signed, 1..65))
        .prop_map(|(hash, signatures)| Envelope { hash, signatures })
}

/// A component of custom sections: what is signed is not looked into.
fn component() -> impl Strategy<Value = Vec<u8>> {
    let section = ("[a-z]{1,9}", proptest::collection::vec(any::<u8>(), 0..90));
    proptest::collection::vec(section, 0..5).prop_map(|sections| {
        let mut file = b"\0asm\x0d\0\x01\0".to_vec();
        for (name, data) in sections.into_iter().filter(|(name, _)| name != "signature") {
            file.extend([0, (1 + name.len() + data.len()) as u8, name.len() as u8]);
            file.extend(name.as_bytes());
            file.extend(data);
        }
        file
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn envelopes_have_one_encoding(
        envelope in envelope(), edits in proptest::collection::vec(any::<(Index, u8)>(), 0..4), end in any::<Option<Index>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = envelope.encode();
        prop_assert_eq!(&Envelope::decode(&bytes).unwrap(), &envelope);
        for bytes in [mutated(&bytes, &edits, end), noise] {
            if let Ok(envelope) = Envelope::decode(&bytes) {
                prop_assert_eq!(envelope.encode(), bytes);
            }
        }
    }

    /// Bytes more at any level, with lengths that fit, are another encoding.
    #[test]
    fn envelopes_hold_nothing_else(envelope in envelope(), more in proptest::collection::vec(any::<u8>(), 1..9)) {
        let bytes = envelope.encode();
        // After three bytes and the number of hash sets comes the length of the set.
        let mut rest = Reader(&bytes[4..]);
        let length = rest.number().unwrap();
        let set = [&rest.0[..length], &more].concat();
        let mut within = bytes[..4].to_vec();
        put(&mut within, set.len());
        within.extend(set);
        prop_assert!(Envelope::decode(&within).is_err());
        prop_assert!(Envelope::decode(&[bytes, more].concat()).is_err());
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does(
        file in component(), edits in proptest::collection::vec(any::<(Index, u8)>(), 1..4), end in any::<Option<Index>>(),
    ) {
        let key = SecretKey::from_random(&[7; 32]);
        let signed = sign(&file, &key).unwrap();
        prop_assert_eq!(&unsign(&signed).unwrap(), &file);
        prop_assert_eq!(&sign(&signed, &key).unwrap(), &signed);
        let found = verify(&signed, &[key.public()]).unwrap();
        prop_assert_eq!(found.signers, signers(&signed).unwrap());
        let changed = mutated(&signed, &edits, end);
        prop_assert!(changed == signed || verify(&changed, &[key.public()]).is_err());
    }

    #[test]
    fn files_of_anything_are_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let key = SecretKey::from_random(&[7; 32]);
        for file in [noise.clone(), [b"\0asm\x0d\0\x01\0".as_slice(), &noise].concat()] {
            let _ = (signers(&file), unsign(&file), verify(&file, &[key.public()]));
            if let Ok(signed) = sign(&file, &key) {
                // A section with one signature, and the file.
                prop_assert!(signed.len() <= file.len() + 200);
            }
        }
    }
}

//! Signatures of a package: of the canonical listing of its files, which whoever
//! reads packages brings. The format is drawn in `host/ARCHITECTURE.md`.

use lamina_types::Digest;

use crate::envelope::{self, Envelope};
use crate::error::Error;
use crate::key::{KeyId, PublicKey, SecretKey};

/// All signatures of one package, over the digest of its listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSignatures(Envelope);

/// Who vouches for the listing, of the keys that were asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSigners {
    /// The keys whose signatures are good, in the order given.
    pub good: Vec<KeyId>,
    /// The first key that is named and has not signed this.
    pub bad: Option<KeyId>,
}

impl PackageSignatures {
    /// Reads the signatures that the bytes begin with, and answers what follows them.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        Envelope::decode_first(bytes).map(|(envelope, rest)| (Self(envelope), rest))
    }

    /// Writes them; reading and writing again gives the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// Adds the key's signature of a listing to the earlier ones of the same listing.
    /// Signing again changes nothing.
    pub fn signed(earlier: Option<Self>, listing: &Digest, key: &SecretKey) -> Result<Self, Error> {
        let hash = *listing.as_bytes();
        Envelope::signed(earlier.map(|one| one.0), hash, &envelope::package_message(&hash), key).map(Self)
    }

    /// The digest of the listing that was signed.
    pub fn listing(&self) -> Digest {
        Digest::from_bytes(self.0.hash)
    }

    /// The ids that it claims to be signed by. Unverified: for messages only.
    pub fn claimed(&self) -> Vec<KeyId> {
        self.0.signers()
    }

    /// Finds which of the keys have signed [`PackageSignatures::listing`].
    pub fn check(&self, keys: &[PublicKey]) -> PackageSigners {
        let checked = self.0.checked(Some(&envelope::package_message(&self.0.hash)), keys);
        PackageSigners { good: checked.signers, bad: checked.claimed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature of one kind is none of the other, whatever the hash.
    #[test]
    fn the_kinds_of_signatures_are_apart() {
        let key = SecretKey::from_random(&[1; 32]);
        let component = crate::sign(b"\0asm\x0d\0\x01\0", &key).unwrap();
        let name = b"\x09signature";
        let at = component.windows(name.len()).position(|window| window == name).unwrap() + name.len();
        let (signatures, rest) = PackageSignatures::decode(component.get(at..).unwrap()).unwrap();
        assert_eq!((rest, signatures.claimed()), (b"".as_slice(), vec![key.public().id()]));
        assert_eq!(signatures.check(&[key.public()]), PackageSigners { good: vec![], bad: Some(key.public().id()) });
        let own = PackageSignatures::signed(None, &signatures.listing(), &key).unwrap();
        assert_eq!(own.check(&[key.public()]), PackageSigners { good: vec![key.public().id()], bad: None });
        // And put back into the component.
        let swapped = [component.get(..at).unwrap(), &own.encode()].concat();
        let refused = crate::verify(&swapped, &[key.public()]);
        assert_eq!(refused, Err(crate::VerifyError::Changed { signer: key.public().id() }));
    }

    #[test]
    fn signers_are_added_and_those_of_another_listing_dropped() {
        let (a, b) = (SecretKey::from_random(&[1; 32]), SecretKey::from_random(&[2; 32]));
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let signed = PackageSignatures::signed(None, &one, &a).unwrap();
        let both = PackageSignatures::signed(Some(signed), &one, &b).unwrap();
        assert_eq!(both.claimed(), [a.public().id(), b.public().id()]);
        assert_eq!(PackageSignatures::signed(Some(both.clone()), &one, &a).unwrap(), both);
        let again = PackageSignatures::signed(Some(both), &other, &b).unwrap();
        assert_eq!((again.claimed(), again.listing()), (vec![b.public().id()], other));
    }
}

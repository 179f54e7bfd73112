//! The content of the `signature` section, byte by byte (see ARCHITECTURE.md).
//!
//! Read strictly: what is read and written again gives the same bytes, so there
//! is one encoding of every envelope.

use crate::error::Error;
use crate::key::{KeyId, PublicKey, SecretKey};

/// Format version, content type (whole file), hash function (SHA-256).
const HEADER: [u8; 3] = [1, 1, 1];
const ED25519: u8 = 1;
/// The signatures one component can carry.
pub(crate) const SIGNATURES_MAX: usize = 64;

/// All signatures of one component, over one hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) hash: [u8; 32],
    pub(crate) signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// As the signer named its key; other tools may leave it out or use another
    /// length.
    pub(crate) key_id: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Signed {
    /// The id in our form, if it has it.
    pub(crate) fn id(&self) -> Option<KeyId> {
        self.key_id.as_slice().try_into().ok().map(KeyId::from_bytes)
    }
}

/// The bytes that are signed: a domain, the header, the hash.
pub(crate) fn message(hash: &[u8; 32]) -> Vec<u8> {
    [b"wasmsig".as_slice(), &HEADER, hash].concat()
}

/// The same of a package, whose hash is its listing's.
pub(crate) fn package_message(hash: &[u8; 32]) -> Vec<u8> {
    [b"lamina package 1\0".as_slice(), &HEADER, hash].concat()
}

impl Envelope {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut signed = vec![1];
        signed.extend_from_slice(&self.hash);
        put(&mut signed, self.signatures.len());
        for one in &self.signatures {
            let mut bytes = Vec::new();
            put_bytes(&mut bytes, &one.key_id);
            bytes.push(ED25519);
            put_bytes(&mut bytes, &one.signature);
            put_bytes(&mut signed, &bytes);
        }
        let mut all = HEADER.to_vec();
        all.push(1);
        put_bytes(&mut all, &signed);
        all
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        match Self::decode_first(bytes)? {
            (envelope, []) => Ok(envelope),
            _ => Err(Error::Malformed("bytes follow its end")),
        }
    }

    /// Reads the envelope that the bytes begin with, and answers what follows it.
    pub(crate) fn decode_first(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let malformed = Error::Malformed;
        let rest = bytes.strip_prefix(&HEADER).ok_or(malformed("unknown version, content type or hash function"))?;
        let mut all = Reader(rest);
        if all.number()? != 1 {
            return Err(malformed("it must cover the whole file with one hash"));
        }
        let mut signed = Reader(all.bytes()?);
        if signed.number()? != 1 {
            return Err(malformed("it must cover the whole file with one hash"));
        }
        let hash = signed.array()?;
        let count = signed.number()?;
        if count == 0 || count > SIGNATURES_MAX {
            return Err(malformed("it must hold 1 to 64 signatures"));
        }
        let mut signatures = Vec::with_capacity(count);
        for _ in 0..count {
            let mut one = Reader(signed.bytes()?);
            let key_id = one.bytes()?.to_vec();
            if key_id.len() > 64 {
                return Err(malformed("a key id is longer than 64 bytes"));
            }
            if one.array()? != [ED25519] {
                return Err(malformed("a signature is not ed25519"));
            }
            let signature = one.bytes()?.try_into().map_err(|_| malformed("a signature does not have 64 bytes"))?;
            one.end()?;
            signatures.push(Signed { key_id, signature });
        }
        signed.end()?;
        Ok((Self { hash, signatures }, all.0))
    }

    /// Adds the key's signature of `message`, which is about `hash`, to those of an
    /// earlier envelope that are about the same. Signing again changes nothing.
    pub(crate) fn signed(
        earlier: Option<Self>,
        hash: [u8; 32],
        message: &[u8],
        key: &SecretKey,
    ) -> Result<Self, Error> {
        let mut signatures =
            earlier.filter(|envelope| envelope.hash == hash).map(|envelope| envelope.signatures).unwrap_or_default();
        let signed = Signed { key_id: key.public().id_bytes().to_vec(), signature: key.sign(message) };
        match signatures.iter().position(|one| one.key_id == signed.key_id) {
            Some(at) => signatures[at] = signed,
            None if signatures.len() >= SIGNATURES_MAX => return Err(Error::Full(signatures.len())),
            None => signatures.push(signed),
        }
        Ok(Self { hash, signatures })
    }

    /// The ids that it claims to be signed by; unverified.
    pub(crate) fn signers(&self) -> Vec<KeyId> {
        self.signatures.iter().filter_map(Signed::id).collect()
    }

    /// Which of the keys have signed `message` (`None` is what nobody has signed), and
    /// the first of them that is named and has not.
    pub(crate) fn checked(&self, message: Option<&Vec<u8>>, keys: &[PublicKey]) -> Checked {
        let mut checked = Checked { signers: Vec::new(), claimed: None };
        for key in keys {
            let id = key.id_bytes();
            // A signature that names no key, or in another tool's way, is tried too.
            let candidates = self.signatures.iter().filter(|one| one.key_id == id || one.id().is_none());
            let (mut any, mut named) = (false, false);
            for one in candidates {
                any |= message.is_some_and(|message| key.verifies(message, &one.signature));
                named |= one.key_id == id;
            }
            if any {
                checked.signers.push(key.id());
            } else if named {
                checked.claimed.get_or_insert_with(|| key.id());
            }
        }
        checked
    }
}

/// Who has signed, of the keys that were asked about.
pub(crate) struct Checked {
    pub(crate) signers: Vec<KeyId>,
    pub(crate) claimed: Option<KeyId>,
}

/// Appends an unsigned LEB128.
pub(crate) fn put(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put(to, bytes.len());
    to.extend_from_slice(bytes);
}

/// Reads from the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// An unsigned LEB128 of at most 32 bits in its shortest form.
    pub(crate) fn number(&mut self) -> Result<usize, Error> {
        let mut number = 0_u64;
        for at in 0..5 {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                if (byte == 0 && at > 0) || number > u64::from(u32::MAX) {
                    break;
                }
                return Ok(number as usize);
            }
        }
        Err(Error::Malformed("a number is not in its shortest form of at most 32 bits"))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Error::Malformed("it is cut short"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Error::Malformed("it is cut short"))?;
        self.0 = rest;
        Ok(*array)
    }

    fn end(&self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Malformed("bytes follow its end")) }
    }
}

//! Signing, stripping and verifying a component.
//!
//! The signature section is the first section of the file. What is signed is the
//! SHA-256 of every byte after it; the eight bytes before it are the same in
//! every component and are compared. So every byte is covered.

use lamina_types::Digest;

use crate::envelope::{self, Envelope, Reader};
use crate::error::{Error, VerifyError};
use crate::key::{KeyId, PublicKey, SecretKey};

const COMPONENT: &[u8; 8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8; 8] = b"\0asm\x01\0\0\0";
const NAME: &[u8] = b"signature";
const CUSTOM: u8 = 0;

/// Who vouches for a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The given keys whose signatures are good, in the order given.
    pub signers: Vec<KeyId>,
    /// The SHA-256 of what they signed: every byte but header and signatures.
    pub content: Digest,
}

/// A component taken apart.
struct Parts<'a> {
    envelope: Option<Envelope>,
    content: &'a [u8],
}

fn parts(file: &[u8]) -> Result<Parts<'_>, Error> {
    if file.starts_with(MODULE) {
        return Err(Error::NotComponent("it is a core module"));
    }
    let content =
        file.strip_prefix(COMPONENT).ok_or(Error::NotComponent("its first eight bytes are not \\0asm 0d 00 01 00"))?;
    let mut first = None;
    let mut rest = content;
    while !rest.is_empty() {
        let offset = file.len() - rest.len();
        let section = section(rest, offset)?;
        let is_signature = section.id == CUSTOM && custom_name(section.body) == Some(NAME);
        match (is_signature, offset == COMPONENT.len()) {
            (true, true) => first = Some((section.body, &rest[section.length..])),
            (true, false) => return Err(Error::Malformed("it is not the first section")),
            (false, _) => {}
        }
        rest = &rest[section.length..];
    }
    match first {
        None => Ok(Parts { envelope: None, content }),
        Some((body, content)) => {
            let envelope = Envelope::decode(&body[1 + NAME.len()..])?;
            // One file for one content and one list of signatures: the section's
            // own frame is not signed, so it has no second form either.
            let head = file.len() - content.len();
            if join(&envelope, &[]) != file[..head] {
                return Err(Error::Malformed("its size is not in its shortest form"));
            }
            Ok(Parts { envelope: Some(envelope), content })
        }
    }
}

struct Section<'a> {
    id: u8,
    body: &'a [u8],
    /// Of the whole section, its own header included.
    length: usize,
}

fn section(bytes: &[u8], offset: usize) -> Result<Section<'_>, Error> {
    let damaged = |what| Error::Damaged { offset, what };
    let (&id, rest) = bytes.split_first().ok_or(damaged("a section is missing"))?;
    let mut reader = Reader(rest);
    let size = size(&mut reader).ok_or(damaged("a section's size is not a number"))?;
    let body = reader.0.get(..size).ok_or(damaged("a section is longer than the file"))?;
    Ok(Section { id, body, length: bytes.len() - reader.0.len() + size })
}

/// A section's size. Other tools pad theirs to five bytes, so that is allowed; a
/// padded size in front of the signature section is caught by its own check.
fn size(reader: &mut Reader<'_>) -> Option<usize> {
    let mut number = 0_u64;
    for at in 0..5 {
        let (&byte, rest) = reader.0.split_first()?;
        reader.0 = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok().map(|number| number as usize);
        }
    }
    None
}

fn custom_name(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let length = reader.number().ok()?;
    reader.0.get(..length)
}

fn join(envelope: &Envelope, content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    envelope::put(&mut body, NAME.len());
    body.extend_from_slice(NAME);
    body.extend_from_slice(&envelope.encode());
    let mut file = COMPONENT.to_vec();
    file.push(CUSTOM);
    envelope::put(&mut file, body.len());
    file.extend_from_slice(&body);
    file.extend_from_slice(content);
    file
}

/// Adds the key's signature. Signing again with the same key gives the same
/// bytes; signatures that no longer fit the content are dropped.
pub fn sign(file: &[u8], key: &SecretKey) -> Result<Vec<u8>, Error> {
    let Parts { envelope, content } = parts(file)?;
    let hash = *Digest::of(content).as_bytes();
    let envelope = Envelope::signed(envelope, hash, &envelope::message(&hash), key)?;
    Ok(join(&envelope, content))
}

/// Takes all signatures away: the bytes as they were before the first.
pub fn unsign(file: &[u8]) -> Result<Vec<u8>, Error> {
    let Parts { envelope, content } = parts(file)?;
    envelope.ok_or(Error::NotSigned)?;
    Ok([COMPONENT.as_slice(), content].concat())
}

/// The ids the file claims to be signed by. Unverified: for messages only.
pub fn signers(file: &[u8]) -> Result<Vec<KeyId>, Error> {
    let envelope = parts(file)?.envelope;
    Ok(envelope.map(|envelope| envelope.signers()).unwrap_or_default())
}

/// Finds which of the keys vouch for every byte of the component; an error when
/// none does.
pub fn verify(file: &[u8], keys: &[PublicKey]) -> Result<Verified, VerifyError> {
    let Parts { envelope, content } = parts(file)?;
    let envelope = envelope.ok_or(VerifyError::NotSigned)?;
    let content = Digest::of(content);
    let message = envelope::message(content.as_bytes());
    let fits = envelope.hash == *content.as_bytes();
    let checked = envelope.checked(fits.then_some(&message), keys);
    match (checked.signers.is_empty(), checked.claimed) {
        (false, _) => Ok(Verified { signers: checked.signers, content }),
        (true, Some(signer)) => Err(VerifyError::Changed { signer }),
        (true, None) => Err(VerifyError::OtherSigners { signers: envelope.signers() }),
    }
}

#[cfg(test)]
mod tests;

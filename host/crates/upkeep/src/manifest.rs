//! What a backup holds, as its last entry says and its maker has signed.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use lamina_types::Digest;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Refusal};
use crate::keys::audit_key;
use crate::place::{BROKE_OFF, HOST_KEY, MANIFEST, Place};
use crate::tar::Reader;

/// The only format there is.
pub(crate) const FORMAT: u32 = 1;
/// The longest reason why a backup broke off.
pub(crate) const REASON_BYTES_MAX: u64 = 4 << 10;
/// The longest manifest: a million entries.
pub(crate) const BYTES_MAX: u64 = 256 << 20;
const SIGNATURE: &str = ",\"Signature\":\"";
/// 64 bytes in base64.
const SIGNATURE_CHARS: usize = 88;

/// See the module; drawn in `host/ARCHITECTURE.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Manifest {
    /// The format of the backup.
    pub format: u32,
    /// The last transaction in it.
    pub sequence: u64,
    /// The transaction after which it begins; 0 for a whole one.
    pub since: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub made: u64,
    /// Its files, but for the manifest.
    pub entries: Vec<Entry>,
    /// The key that signs it, in base64.
    pub public_key: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Entry {
    /// Its name in the data directory.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The key that signs, of the host of this key.
pub(crate) fn signing_key(host_key: &[u8; 32]) -> SigningKey {
    SigningKey::from_bytes(&audit_key(host_key))
}

pub(crate) fn public_key(key: &VerifyingKey) -> String {
    STANDARD.encode(key.to_bytes())
}

impl Manifest {
    /// The manifest of a backup file, whose signature is checked; its files are
    /// not. Blocks.
    pub fn of(file: &Path) -> Result<Self, Error> {
        let opened = File::open(file).map_err(Error::file(file))?;
        Self::search(BufReader::with_capacity(1 << 20, opened)).map_err(Error::refused(file))
    }

    fn search(source: impl Read + Seek) -> Result<Self, Refusal> {
        let mut reader = Reader::new(source);
        let (mut host_key, mut manifest) = (None, None);
        while let Some(head) = reader.next()? {
            match head.name.as_str() {
                HOST_KEY => host_key = Some(host_key_of(&reader.whole(64)?)?),
                MANIFEST => manifest = Some(reader.whole(BYTES_MAX)?),
                BROKE_OFF => return Err(broke_off(&reader.whole(REASON_BYTES_MAX)?)),
                _ => reader.skip()?,
            }
        }
        let manifest = manifest.ok_or(Refusal::NoManifest)?;
        Self::verified(&manifest, &host_key.ok_or(Refusal::HostKey)?)
    }

    /// The digests of its artifacts.
    pub fn artifacts(&self) -> impl Iterator<Item = Digest> {
        self.entries.iter().filter_map(|entry| match Place::of(&entry.name) {
            Some(Place::Artifact(digest)) => Some(digest),
            _ => None,
        })
    }

    /// The bytes of the manifest, signed.
    pub(crate) fn signed(&self, key: &SigningKey) -> Result<Vec<u8>, Refusal> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| Refusal::Manifest(error.to_string()))?;
        let signature = STANDARD.encode(key.sign(&bytes).to_bytes());
        // An object ends with its brace, before which the signature goes.
        bytes.pop();
        bytes.extend_from_slice(format!("{SIGNATURE}{signature}\"}}").as_bytes());
        Ok(bytes)
    }

    /// Reads a manifest that the host of this key has signed.
    pub(crate) fn verified(bytes: &[u8], host_key: &[u8; 32]) -> Result<Self, Refusal> {
        let unreadable = |text: &str| Refusal::Manifest(text.to_owned());
        let at = bytes.len().checked_sub(SIGNATURE.len() + SIGNATURE_CHARS + 2);
        let (body, tail) = at.and_then(|at| bytes.split_at_checked(at)).ok_or_else(|| unreadable("it is too short"))?;
        let signature = tail.strip_prefix(SIGNATURE.as_bytes()).and_then(|tail| tail.strip_suffix(b"\"}"));
        let signature = signature.ok_or_else(|| unreadable("it is not signed"))?;
        let signature = STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        let message = [body, b"}"].concat();
        let key = signing_key(host_key).verifying_key();
        let holds = signature.is_some_and(|signature| key.verify_strict(&message, &signature).is_ok());
        if !holds {
            return Err(Refusal::Signature);
        }
        // Before its members, which another format may have others of.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Format {
            format: u32,
        }
        let read = |error: serde_json::Error| Refusal::Manifest(error.to_string());
        let Format { format } = serde_json::from_slice(&message).map_err(read)?;
        if format != FORMAT {
            return Err(Refusal::Newer(format));
        }
        let manifest: Self = serde_json::from_slice(&message).map_err(read)?;
        if manifest.public_key == public_key(&key) { Ok(manifest) } else { Err(Refusal::Signature) }
    }
}

/// Why its making broke off, from the bytes of the entry that says so. It may come from
/// anywhere: what could move a terminal's cursor is left out.
pub(crate) fn broke_off(bytes: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(bytes);
    Refusal::BrokeOff(text.trim().chars().filter(|c| !c.is_control()).collect())
}

/// The host's key, from the bytes of its file.
pub(crate) fn host_key_of(bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    bytes.try_into().map_err(|_| Refusal::HostKey)
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_believed_as_it_was_signed() {
        let key = [7; 32];
        let manifest = Manifest {
            format: 1,
            sequence: 9,
            since: 4,
            made: 1_764_000_000_000,
            entries: vec![Entry { name: "format".into(), bytes: 12, sha256: Digest::of(b"x") }],
            public_key: public_key(&signing_key(&key).verifying_key()),
        };
        let bytes = manifest.signed(&signing_key(&key)).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let members: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members.len(), 7, "{members:?}");
        assert_eq!(Manifest::verified(&bytes, &key).unwrap(), manifest);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Manifest::verified(&changed, &key).is_err(), "{at}");
            assert!(Manifest::verified(&bytes[..at], &key).is_err(), "{at}");
        }
        assert!(matches!(Manifest::verified(&bytes, &[8; 32]), Err(Refusal::Signature)));
        let newer = Manifest { format: 2, ..manifest };
        let bytes = newer.signed(&signing_key(&key)).unwrap();
        assert!(matches!(Manifest::verified(&bytes, &key), Err(Refusal::Newer(2))));
    }
}

//! Values that are sealed at rest: drawn in `host/ARCHITECTURE.md`, "Records".

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};

/// The first byte of a sealed value.
const SEALED: u8 = 1;
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The name of a key: says nothing about it.
pub type KeyId = [u8; ID_BYTES];

struct Key {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

/// The keys that seal values: the first seals, all of them open. Clones share it;
/// the keys are wiped when the last one goes.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<RwLock<Vec<Key>>>,
}

/// Why a value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealError {
    /// No key of this name.
    Unknown(KeyId),
    /// Not what the key has sealed, or not for this record.
    Changed,
}

impl Key {
    fn new(key: &[u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"lamina secrets key").chain_update(key).finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self { id, cipher: XChaCha20Poly1305::new(key.into()) }
    }
}

impl Keyring {
    /// A ring of these keys.
    pub fn new(current: [u8; 32], older: Vec<[u8; 32]>) -> Self {
        let keys = std::iter::once(&current).chain(&older).map(Key::new).collect();
        Self { keys: Arc::new(RwLock::new(keys)) }
    }

    /// Makes a key the one that seals; the others still open.
    pub fn add(&self, key: [u8; 32]) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(0, Key::new(&key));
    }

    /// The name of the key that seals.
    pub fn current_id(&self) -> KeyId {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.first().map_or([0; ID_BYTES], |key| key.id)
    }

    /// Whether a stored value is sealed, and by which key.
    pub(crate) fn sealed_by(value: &[u8]) -> Option<KeyId> {
        let id = value.get(1..=ID_BYTES)?;
        (value.first() == Some(&SEALED)).then(|| id.try_into().unwrap_or_default())
    }

    /// Seals a record's value; `key` is the whole key it is stored under.
    pub(crate) fn seal(&self, key: &[u8], plain: &[u8]) -> Result<Vec<u8>, String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| error.to_string())?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let current = keys.first().ok_or_else(|| "there is no key".to_owned())?;
        let payload = Payload { msg: plain, aad: key };
        let sealed =
            current.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| "the cipher failed".to_owned())?;
        Ok([&[SEALED][..], &current.id, &nonce, &sealed].concat())
    }

    /// Opens a sealed value.
    pub(crate) fn open(&self, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let id = Self::sealed_by(sealed).ok_or(SealError::Changed)?;
        let rest = &sealed[1 + ID_BYTES..];
        let (nonce, text) = rest.split_at_checked(NONCE_BYTES).ok_or(SealError::Changed)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Changed)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let own = keys.iter().find(|key| key.id == id).ok_or(SealError::Unknown(id))?;
        let payload = Payload { msg: text, aad: key };
        own.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Changed)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(keys.iter().map(|key| hex(&key.id))).finish()
    }
}

pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_values_open_for_their_record_alone() {
        let ring = Keyring::new([1; 32], vec![]);
        let sealed = ring.seal(b"t\0a", b"{}").unwrap();
        assert_eq!(sealed.len(), 1 + 8 + 24 + 2 + 16);
        assert_eq!(ring.open(b"t\0a", &sealed), Ok(b"{}".to_vec()));
        assert_eq!(ring.open(b"t\0b", &sealed), Err(SealError::Changed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.open(b"t\0a", &changed).is_err(), "byte {at}");
            assert!(ring.open(b"t\0a", &sealed[..at]).is_err(), "cut at {at}");
        }
        let old = ring.current_id();
        ring.add([2; 32]);
        assert_eq!(ring.open(b"t\0a", &sealed), Ok(b"{}".to_vec()));
        assert_ne!(ring.current_id(), old);
        assert_eq!(Keyring::new([2; 32], vec![]).open(b"t\0a", &sealed), Err(SealError::Unknown(old)));
        assert_eq!(Keyring::sealed_by(b"{}"), None);
    }
}

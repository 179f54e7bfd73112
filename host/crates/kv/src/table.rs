//! Tables, and how their records lie in the engine.

use std::marker::PhantomData;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::seal::{Keyring, SealError, hex};

/// The largest record, in bytes of JSON. sled keeps larger values in files of
/// their own; larger things are artifacts.
pub(crate) const VALUE_BYTES_MAX: usize = 64 << 10;
/// Room for most records.
const USUAL_BYTES: usize = 1 << 10;
/// The largest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 512;

/// A table of `V`s by text, in the order of the keys' bytes.
pub struct Table<V> {
    pub(crate) name: &'static str,
    sealed: bool,
    shape: PhantomData<fn() -> V>,
}

impl<V> Table<V> {
    /// The table of this name. Names hold no NUL, so that no table's keys can
    /// begin with another's, and never change.
    pub const fn new(name: &'static str) -> Self {
        Self { name, sealed: false, shape: PhantomData }
    }

    /// A table whose values are sealed at rest. Values that were stored plain before
    /// it was one are still read.
    pub const fn sealed(name: &'static str) -> Self {
        Self { name, sealed: true, shape: PhantomData }
    }

    /// The name it was made with.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `NAME NUL KEY`.
    pub(crate) fn key(&self, key: &str) -> Vec<u8> {
        [self.name.as_bytes(), b"\0", key.as_bytes()].concat()
    }

    fn shape_error(&self, key: &str, error: &serde_json::Error) -> Error {
        Error::Shape { table: self.name, key: key.to_owned(), reason: error.to_string() }
    }

    /// The record as it is stored, within its bounds.
    pub(crate) fn encode(&self, keys: &Keyring, key: &str, value: &V) -> Result<Bytes, Error>
    where
        V: Serialize,
    {
        let (table, name) = (self.name, || key.chars().take(80).collect());
        if key.len() > KEY_BYTES_MAX {
            return Err(Error::KeyTooLong { table, key: name(), bytes: key.len(), max: KEY_BYTES_MAX });
        }
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer(&mut bytes, value).map_err(|error| self.shape_error(key, &error))?;
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(Error::TooLarge { table, key: name(), bytes: bytes.len(), max: VALUE_BYTES_MAX });
        }
        if !self.sealed {
            // As long as it need be: it may be held for some time.
            return Ok(Bytes::copy_from_slice(&bytes));
        }
        let sealed = keys.seal(&self.key(key), &bytes);
        sealed.map(Bytes::from).map_err(|reason| Error::storage("sealing a record", reason))
    }

    pub(crate) fn decode(&self, keys: &Keyring, key: &str, bytes: &[u8]) -> Result<V, Error>
    where
        V: DeserializeOwned,
    {
        let of = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|error| self.shape_error(key, &error));
        if Keyring::sealed_by(bytes).is_none() {
            return of(bytes);
        }
        let (table, key_text) = (self.name, key.chars().take(80).collect());
        let opened = keys.open(&self.key(key), bytes).map_err(|error| match error {
            SealError::Unknown(id) => Error::SealedBy { table, key: key_text, id: hex(&id) },
            SealError::Changed => Error::Seal { table, key: key_text },
        });
        of(&opened?)
    }
}

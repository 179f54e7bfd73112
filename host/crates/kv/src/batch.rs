//! Tables and the writes that go into them together.

use std::marker::PhantomData;

use serde::Serialize;

use crate::error::Error;

/// The largest record, in bytes of JSON. sled keeps larger values in files that
/// it never syncs; larger things are artifacts.
pub(crate) const VALUE_BYTES_MAX: usize = 64 << 10;

/// A table of `V`s by text, in the order of the keys' bytes.
pub struct Table<V> {
    pub(crate) name: &'static str,
    shape: PhantomData<fn() -> V>,
}

impl<V> Table<V> {
    /// The table of this name. Names hold no NUL and never change.
    pub const fn new(name: &'static str) -> Self {
        Self { name, shape: PhantomData }
    }

    /// `NAME NUL KEY`.
    pub(crate) fn key(&self, key: &str) -> Vec<u8> {
        [self.name.as_bytes(), b"\0", key.as_bytes()].concat()
    }
}

/// Writes that become visible, and durable, together.
#[derive(Default)]
pub struct Batch {
    pub(crate) inner: sled::Batch,
    pub(crate) writes: usize,
}

impl Batch {
    /// No writes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a record in place of another, or of none. Fails when it is too large.
    pub fn put<V: Serialize>(&mut self, table: &Table<V>, key: &str, value: &V) -> Result<(), Error> {
        let shape = |reason: String| Error::Shape { table: table.name, key: key.to_owned(), reason };
        let bytes = serde_json::to_vec(value).map_err(|error| shape(error.to_string()))?;
        if bytes.len() > VALUE_BYTES_MAX {
            let (key, bytes) = (key.to_owned(), bytes.len());
            return Err(Error::TooLarge { table: table.name, key, bytes, max: VALUE_BYTES_MAX });
        }
        self.inner.insert(table.key(key), bytes);
        self.writes += 1;
        Ok(())
    }

    /// Removes a record, if it is there.
    pub fn remove<V>(&mut self, table: &Table<V>, key: &str) {
        self.inner.remove(table.key(key));
        self.writes += 1;
    }
}

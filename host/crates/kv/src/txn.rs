//! One transaction while it is being made: reads of what is committed, and its
//! own writes over them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::table::Table;

/// What one transaction may write, in bytes of keys and values.
const WRITES_BYTES_MAX: usize = 16 << 20;

/// See the module. Nothing of it is visible to anyone else before it is
/// committed, and nothing at all if its closure fails.
pub struct Txn<'a> {
    db: &'a sled::Db,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl<'a> Txn<'a> {
    pub(crate) fn new(db: &'a sled::Db) -> Self {
        Self { db, writes: BTreeMap::new(), bytes: 0 }
    }

    /// The record of this key, as this transaction left it.
    pub fn get<V: DeserializeOwned>(&self, table: &Table<V>, key: &str) -> Result<Option<V>, Error> {
        let stored = table.key(key);
        match self.writes.get(&stored) {
            Some(written) => written.as_ref().map(|bytes| table.decode(key, bytes)).transpose(),
            None => {
                let bytes = self.db.get(stored).map_err(|error| Error::storage("reading records", error))?;
                bytes.map(|bytes| table.decode(key, &bytes)).transpose()
            }
        }
    }

    /// Puts a record in place of another, or of none.
    pub fn put<V: Serialize>(&mut self, table: &Table<V>, key: &str, value: &V) -> Result<(), Error> {
        let bytes = table.encode(key, value)?;
        self.write(table.key(key), Some(bytes))
    }

    /// Removes a record, if it is there.
    pub fn remove<V>(&mut self, table: &Table<V>, key: &str) -> Result<(), Error> {
        self.write(table.key(key), None)
    }

    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), Error> {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        if self.bytes > WRITES_BYTES_MAX {
            return Err(Error::TransactionTooLarge { max: WRITES_BYTES_MAX });
        }
        self.writes.insert(key, value);
        Ok(())
    }

    /// Hands the writes to the engine, which recovers all of them or none.
    pub(crate) fn apply(self) -> Result<(), Error> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for (key, value) in self.writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(|error| Error::storage("writing records", error))
    }
}

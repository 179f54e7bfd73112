//! One transaction while it is being made: reads of what is committed, and its
//! own writes over them.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::frame::{GroupWriter, Writes};
use crate::pending::{Pending, Written};
use crate::seal::Keyring;
use crate::table::{KEY_BYTES_MAX, Table};

/// What one transaction may write, in bytes of keys and values.
const WRITES_BYTES_MAX: usize = 16 << 20;

/// The group that is being made: what its transactions have written so far, which
/// nobody else sees before it is on the disk.
pub(crate) struct Making<'a> {
    pub(crate) db: &'a sled::Db,
    pub(crate) keys: &'a Keyring,
    /// What earlier groups have written and the index has not got yet.
    pub(crate) pending: &'a Pending,
    /// What the group before has written, on its way to the disk.
    pub(crate) under_way: Option<&'a Written>,
    pub(crate) written: &'a mut Written,
    pub(crate) group: &'a mut GroupWriter,
}

impl Making<'_> {
    fn stored(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let under_way = || self.under_way.and_then(|written| written.get(key));
        match self.written.get(key).or_else(under_way) {
            Some(written) => Ok(written.clone()),
            None => {
                if let Some(pending) = self.pending.get(key) {
                    return Ok(pending);
                }
                let read = self.db.get(key).map_err(|error| Error::storage("reading records", error))?;
                Ok(read.map(|bytes| Bytes::copy_from_slice(&bytes)))
            }
        }
    }

    /// Takes a transaction's writes into the group.
    pub(crate) fn take(&mut self, writes: Writes) {
        if writes.is_empty() {
            return;
        }
        self.group.push(&writes);
        self.written.extend(writes);
    }
}

/// See the module. Nothing of it is visible to anyone else before it is
/// committed, and nothing at all if its closure fails.
pub struct Txn<'a> {
    making: &'a Making<'a>,
    writes: Writes,
    bytes: usize,
}

impl<'a> Txn<'a> {
    pub(crate) fn new(making: &'a Making<'a>) -> Self {
        Self { making, writes: Writes::new(), bytes: 0 }
    }

    pub(crate) fn into_writes(self) -> Writes {
        self.writes
    }

    /// The record of this key, as this transaction left it.
    pub fn get<V: DeserializeOwned>(&self, table: &Table<V>, key: &str) -> Result<Option<V>, Error> {
        let bytes = self.stored(&table.key(key))?;
        bytes.map(|bytes| table.decode(self.making.keys, key, &bytes)).transpose()
    }

    /// The value of a whole key, as it is stored.
    pub(crate) fn stored(&self, stored: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.writes.get(stored) {
            Some(written) => Ok(written.clone()),
            None => self.making.stored(stored),
        }
    }

    /// Puts a record in place of another, or of none.
    pub fn put<V: Serialize>(&mut self, table: &Table<V>, key: &str, value: &V) -> Result<(), Error> {
        let bytes = table.encode(self.making.keys, key, value)?;
        self.write(table.key(key).into(), Some(bytes))
    }

    /// Removes a record, if it is there.
    pub fn remove<V>(&mut self, table: &Table<V>, key: &str) -> Result<(), Error> {
        // No record has a longer key.
        if key.len() > KEY_BYTES_MAX { Ok(()) } else { self.write(table.key(key).into(), None) }
    }

    pub(crate) fn write(&mut self, key: Bytes, value: Option<Bytes>) -> Result<(), Error> {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        if self.bytes > WRITES_BYTES_MAX {
            return Err(Error::TransactionTooLarge { max: WRITES_BYTES_MAX });
        }
        self.writes.insert(key, value);
        Ok(())
    }
}

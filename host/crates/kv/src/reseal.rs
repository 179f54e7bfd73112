//! Sealing again what an older key has sealed, or nobody.

use std::ops::Bound;

use crate::error::Error;
use crate::seal::Keyring;
use crate::store::Store;

/// What one round came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that were sealed again.
    pub done: usize,
    /// Where the next round goes on; `None` when there is nothing left.
    pub next: Option<Place>,
}

/// A place in the sealed tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Among the sealed tables.
    table: usize,
    /// The key after which it goes on; empty at the table's beginning.
    after: Vec<u8>,
}

impl Store {
    /// Seals at most `limit` values of the sealed tables with the current key, if
    /// another key or none has sealed them, from this place on. Dropped half-way, a
    /// part of them may be done. With a limit of 0 it only looks whether there is one.
    pub async fn reseal(&self, from: Place, limit: usize) -> Result<Resealed, Error> {
        let (stale, next) = self.stale(from.clone(), limit.max(1))?;
        if limit == 0 {
            return Ok(Resealed { done: 0, next: (!stale.is_empty()).then_some(from) });
        }
        let done = stale.len();
        if done > 0 {
            let keys = self.shared.keys.clone();
            self.commit(move |txn| {
                for key in stale {
                    // It may be gone, or sealed by now.
                    let Some(value) = txn.stored(&key)?.filter(|value| is_stale(&keys, value)) else { continue };
                    let plain = match Keyring::sealed_by(&value) {
                        None => value.to_vec(),
                        Some(_) => keys.open(&key, &value).map_err(|_| unopened(&key))?,
                    };
                    let sealed = keys.seal(&key, &plain);
                    let sealed = sealed.map_err(|reason| Error::storage("sealing a record", reason))?;
                    txn.write(key.into(), Some(sealed.into()))?;
                }
                Ok::<(), Error>(())
            })
            .await?;
        }
        Ok(Resealed { done, next })
    }

    /// Whole keys of values that are not sealed by the current key, and where to go on.
    fn stale(&self, from: Place, limit: usize) -> Result<(Vec<Vec<u8>>, Option<Place>), Error> {
        self.shared.pending.settle();
        let (mut stale, Place { table: first, after }) = (Vec::new(), from);
        for (table, name) in self.shared.config.sealed.iter().enumerate().skip(first) {
            let prefix = [name.as_bytes(), b"\0"].concat();
            let from =
                if table == first && !after.is_empty() { Bound::Excluded(&after) } else { Bound::Included(&prefix) };
            for entry in self.shared.db.range::<&[u8], _>((from.map(Vec::as_slice), Bound::Unbounded)) {
                let (key, value) = entry.map_err(|error| Error::storage("reading records", error))?;
                if !key.starts_with(&prefix) {
                    break;
                }
                if is_stale(&self.shared.keys, &value) {
                    stale.push(key.to_vec());
                    if stale.len() == limit {
                        return Ok((stale, Some(Place { table, after: key.to_vec() })));
                    }
                }
            }
        }
        Ok((stale, None))
    }
}

fn is_stale(keys: &Keyring, value: &[u8]) -> bool {
    Keyring::sealed_by(value) != Some(keys.current_id())
}

fn unopened(key: &[u8]) -> Error {
    let text = String::from_utf8_lossy(key).replace('\0', " ");
    Error::storage("sealing a record again", format!("{text} does not open with any key that was given"))
}

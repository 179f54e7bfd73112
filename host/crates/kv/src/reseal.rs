//! Sealing again what an older key has sealed, or nobody.

use crate::error::Error;
use crate::seal::Keyring;
use crate::store::Store;

/// What one round came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that were sealed again.
    pub done: usize,
    /// Values that are left for the next round.
    pub left: usize,
}

impl Store {
    /// Seals at most `limit` values of the sealed tables with the current key, if
    /// another key or none has sealed them. Dropped half-way, a part of them may be
    /// done.
    pub async fn reseal(&self, limit: usize) -> Result<Resealed, Error> {
        let mut stale = self.stale()?;
        let left = stale.len().saturating_sub(limit);
        stale.truncate(limit);
        let done = stale.len();
        if done > 0 {
            let keys = self.shared.keys.clone();
            self.commit(move |txn| {
                for key in stale {
                    // It may be gone, or sealed by now.
                    let Some(value) = txn.stored(&key)?.filter(|value| is_stale(&keys, value)) else { continue };
                    let plain = match Keyring::sealed_by(&value) {
                        None => value,
                        Some(_) => keys.open(&key, &value).map_err(|_| unopened(&key))?,
                    };
                    let sealed = keys.seal(&key, &plain);
                    let sealed = sealed.map_err(|reason| Error::storage("sealing a record", reason))?;
                    txn.write(key, Some(sealed))?;
                }
                Ok::<(), Error>(())
            })
            .await?;
        }
        Ok(Resealed { done, left })
    }

    /// Whole keys of values that are not sealed by the current key.
    fn stale(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.shared.pending.settle();
        let mut stale = Vec::new();
        for table in self.shared.config.sealed {
            let prefix = [table.as_bytes(), b"\0"].concat();
            for entry in self.shared.db.scan_prefix(prefix) {
                let (key, value) = entry.map_err(|error| Error::storage("reading records", error))?;
                if is_stale(&self.shared.keys, &value) {
                    stale.push(key.to_vec());
                }
            }
        }
        Ok(stale)
    }
}

fn is_stale(keys: &Keyring, value: &[u8]) -> bool {
    Keyring::sealed_by(value) != Some(keys.current_id())
}

fn unopened(key: &[u8]) -> Error {
    let text = String::from_utf8_lossy(key).replace('\0', " ");
    Error::storage("sealing a record again", format!("{text} does not open with any key that was given"))
}

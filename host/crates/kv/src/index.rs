//! sled, the index: opened, compared with the journal, brought up to it, and made
//! again when it differs.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::journal::{damaged, journal_name};
use crate::recover::Recovered;

/// How often, and for how long, an engine is waited for that has not let go.
const LOCK_WAITS: usize = 1_000;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// Under this key, which is no record's, lies the last transaction in the index.
const REACHED: &[u8] = b"\0reached";

/// The last handle of the engine. Dropping an engine syncs its file, and panics when
/// that fails: all of it is in the journal, and the panic must not spread.
pub(crate) struct Engine(Option<sled::Db>);

impl Engine {
    pub(crate) fn new(db: sled::Db) -> Self {
        Self(Some(db))
    }

    /// Leaves it as it is until the process ends: dropping a broken one may wait for
    /// ever.
    pub(crate) fn forget(&mut self) {
        std::mem::forget((**self).clone());
    }
}

impl Deref for Engine {
    type Target = sled::Db;

    #[expect(clippy::expect_used, reason = "it is taken when it is dropped, and not before")]
    fn deref(&self) -> &sled::Db {
        self.0.as_ref().expect("an engine")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let db = self.0.take();
        if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            tracing::error!(
                "the index of the records did not close; it is brought up to the journal at the next start"
            );
        }
    }
}

/// The index, which holds exactly what the journal says.
pub(crate) struct Opened {
    pub(crate) db: sled::Db,
    /// Records in which it was behind.
    pub(crate) behind: u64,
    /// Why it was made again, if it was.
    pub(crate) rebuilt: Option<String>,
}

/// How an index that opens differs from the journal.
enum Difference {
    /// It lacks the last writes to these.
    Behind(BTreeMap<Vec<u8>, Option<Vec<u8>>>),
    /// It holds something that no group of the journal explains.
    Differs(String),
    /// It holds transactions that are not in the journal.
    Ahead(u64),
}

fn config(folder: &Path, cache_bytes: u64) -> sled::Config {
    // Flushed at checkpoints; until then the journal is what counts.
    sled::Config::new().path(folder).cache_capacity(cache_bytes).flush_every_ms(None)
}

/// Opens the index at `folder`, and brings it up to what was recovered, or makes it
/// again. An error when it has transactions that the journal lacks: then a part of the
/// journal is gone.
pub(crate) fn open(folder: &Path, cache_bytes: u64, recovered: &Recovered) -> Result<Opened, Error> {
    let had_files = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    let reason = match attempt(folder, cache_bytes) {
        Ok(db) => match difference(&db, recovered) {
            Difference::Behind(writes) if had_files || writes.is_empty() => {
                let caught_up = write(&db, writes.iter().map(|(key, value)| (key, value.as_ref())))
                    .and_then(|()| reached(&db, recovered.tail.sequence));
                match caught_up {
                    Ok(()) => return Ok(Opened { db, behind: writes.len() as u64, rebuilt: None }),
                    Err(error) => error.to_string(),
                }
            }
            Difference::Behind(_) => "it is missing".to_owned(),
            Difference::Differs(reason) => reason,
            Difference::Ahead(reached) => return Err(ahead(reached, recovered)),
        },
        Err(reason) => reason,
    };
    remove(folder)?;
    let making = |reason: String| Error::storage("making the index of the records", reason);
    let db = attempt(folder, cache_bytes).map_err(making)?;
    write(&db, recovered.state.iter().map(|(key, value)| (key, Some(value))))?;
    reached(&db, recovered.tail.sequence)?;
    Ok(Opened { db, behind: 0, rebuilt: had_files.then_some(reason) })
}

/// Removes the index; the next start makes it again.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::storage("removing the index of the records", error))
        }
        _ => Ok(()),
    }
}

/// Only compares: why the index is not what the journal makes of it, if it is not.
pub(crate) fn compare(folder: &Path, cache_bytes: u64, recovered: &Recovered) -> Option<String> {
    match attempt(folder, cache_bytes).map(|db| difference(&db, recovered)) {
        Ok(Difference::Behind(_)) => None,
        Ok(Difference::Differs(reason)) | Err(reason) => Some(reason),
        Ok(Difference::Ahead(reached)) => Some(ahead(reached, recovered).to_string()),
    }
}

fn ahead(reached: u64, recovered: &Recovered) -> Error {
    let (name, reason) = (journal_name(recovered.tail.first), "after its end transactions are missing");
    damaged(
        &name,
        recovered.tail.at,
        format!("{reason}: the index had them up to {reached}, and without it the records end here"),
    )
}

/// Notes that the index holds every transaction up to this one.
pub(crate) fn reached(db: &sled::Db, sequence: u64) -> Result<(), Error> {
    write(db, [(REACHED, Some(sequence.to_le_bytes()))])
}

/// All records in order.
pub(crate) fn records(db: &sled::Db) -> impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>> {
    // No table's name is empty.
    db.range(&b"\x01"[..]..)
}

/// Puts records in place of others, and removes those without a value.
pub(crate) fn write<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    db: &sled::Db,
    writes: impl IntoIterator<Item = (K, Option<V>)>,
) -> Result<(), Error> {
    let doing = "writing the index of the records";
    // One by one: the engine syncs each batch, and has readers wait for it.
    let put = || {
        writes.into_iter().try_for_each(|(key, value)| match value {
            Some(value) => db.insert(key, value.as_ref()).map(drop),
            None => db.remove(key).map(drop),
        })
    };
    let put = catch_unwind(AssertUnwindSafe(put)).map_err(|_| Error::storage(doing, "the engine panicked"))?;
    put.map_err(|error| Error::storage(doing, error))
}

/// Opens what is there. A damaged index may make the engine panic: that is one way
/// of not opening.
pub(crate) fn attempt(folder: &Path, cache_bytes: u64) -> Result<sled::Db, String> {
    let mut waits = 0;
    loop {
        match catch_unwind(AssertUnwindSafe(|| config(folder, cache_bytes).open())) {
            Ok(Ok(db)) => return Ok(db),
            // The directory's own lock is ours: this is a thread of an engine that was
            // dropped just now, which ends by itself.
            Ok(Err(sled::Error::Io(error))) if error.to_string().contains("acquire lock") && waits < LOCK_WAITS => {
                waits += 1;
                std::thread::sleep(LOCK_WAIT);
            }
            Ok(Err(error)) => return Err(format!("it does not open: {error}")),
            Err(_) => return Err("it does not open: the engine panicked".to_owned()),
        }
    }
}

fn difference(db: &sled::Db, recovered: &Recovered) -> Difference {
    let compared = catch_unwind(AssertUnwindSafe(|| compared(db, recovered)));
    let compared = compared.unwrap_or_else(|_| Err(sled::Error::Unsupported("the engine panicked".to_owned())));
    compared.unwrap_or_else(|error| Difference::Differs(format!("it cannot be read: {error}")))
}

fn compared(db: &sled::Db, recovered: &Recovered) -> sled::Result<Difference> {
    let reached = db.get(REACHED)?.and_then(|bytes| Some(u64::from_le_bytes(bytes[..].try_into().ok()?)));
    if let Some(reached) = reached.filter(|reached| *reached > recovered.tail.sequence) {
        return Ok(Difference::Ahead(reached));
    }
    let mut behind = BTreeMap::new();
    let mut expected = recovered.state.iter().peekable();
    let mut lacks = |key: &[u8], value: Option<&Vec<u8>>| {
        let explained = recovered.touched.contains(key);
        if explained {
            behind.insert(key.to_vec(), value.cloned());
        }
        explained
    };
    for entry in records(db) {
        let (key, value) = entry?;
        while let Some((missing, held)) = expected.next_if(|(known, _)| known.as_slice() < &key[..]) {
            if !lacks(missing, Some(held)) {
                return Ok(Difference::Differs(format!("it lacks {}", shown(missing))));
            }
        }
        let held = expected.next_if(|(known, _)| known.as_slice() == &key[..]).map(|(_, held)| held);
        if held.is_none_or(|held| held.as_slice() != &value[..]) && !lacks(&key, held) {
            return Ok(Difference::Differs(format!("it differs from the journal at {}", shown(&key))));
        }
    }
    for (missing, held) in expected {
        if !lacks(missing, Some(held)) {
            return Ok(Difference::Differs(format!("it lacks {}", shown(missing))));
        }
    }
    Ok(Difference::Behind(behind))
}

/// A key for a message: table and record.
fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', " ").chars().take(100).collect()
}

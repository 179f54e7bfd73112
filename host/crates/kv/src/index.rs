//! sled, the index: opened, compared with the journal, and made again when it
//! differs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::export::State;

/// Records put into a new index at a time.
const BATCH: usize = 2_000;
/// How often, and for how long, an engine is waited for that has not let go.
const LOCK_WAITS: usize = 1_000;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// The index, which holds exactly this.
pub(crate) struct Opened {
    pub(crate) db: sled::Db,
    /// Why it was made again, if it was.
    pub(crate) rebuilt: Option<String>,
}

fn config(folder: &Path, cache_bytes: u64) -> sled::Config {
    // Flushed at checkpoints; until then the journal is what counts.
    sled::Config::new().path(folder).cache_capacity(cache_bytes).flush_every_ms(None)
}

/// Opens the index at `folder`, and makes it again unless it holds `state`.
pub(crate) fn open(folder: &Path, cache_bytes: u64, state: &State) -> Result<Opened, Error> {
    let had_files = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    let reason = match attempt(folder, cache_bytes) {
        Ok(db) => match difference(&db, state) {
            None => return Ok(Opened { db, rebuilt: None }),
            Some(_) if !had_files && state.is_empty() => return Ok(Opened { db, rebuilt: None }),
            Some(reason) => reason,
        },
        Err(reason) => reason,
    };
    let failed = |error: std::io::Error| Error::storage("removing the index of the records", error);
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let db =
        attempt(folder, cache_bytes).map_err(|reason| Error::storage("making the index of the records", reason))?;
    fill(&db, state).map_err(|error| Error::storage("making the index of the records", error))?;
    Ok(Opened { db, rebuilt: had_files.then_some(reason) })
}

/// Only compares; `None` when the index holds `state`.
pub(crate) fn compare(folder: &Path, cache_bytes: u64, state: &State) -> Option<String> {
    match attempt(folder, cache_bytes) {
        Ok(db) => difference(&db, state),
        Err(reason) => Some(reason),
    }
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

fn difference(db: &sled::Db, state: &State) -> Option<String> {
    let compared = catch_unwind(AssertUnwindSafe(|| {
        let mut expected = state.iter();
        for entry in db.iter() {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(format!("it cannot be read: {error}")),
            };
            match expected.next() {
                Some((known, held)) if known.as_slice() == &key[..] && held.as_slice() == &value[..] => {}
                _ => return Some(format!("it differs from the journal at {}", shown(&key))),
            }
        }
        expected.next().map(|(key, _)| format!("it lacks {}", shown(key)))
    }));
    compared.unwrap_or_else(|_| Some("it cannot be read: the engine panicked".to_owned()))
}

/// A key for a message: table and record.
fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', " ").chars().take(100).collect()
}

fn fill(db: &sled::Db, state: &State) -> sled::Result<()> {
    let mut batch = sled::Batch::default();
    for (at, (key, value)) in state.iter().enumerate() {
        batch.insert(key.as_slice(), value.as_slice());
        if (at + 1) % BATCH == 0 {
            db.apply_batch(std::mem::take(&mut batch))?;
        }
    }
    db.apply_batch(batch)
}

//! Opening, reading, and committing.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::batch::{Batch, Table};
use crate::commit::Committer;
use crate::error::Error;

/// The newest format this program reads and the one it writes.
const FORMAT: u32 = 1;
const FORMAT_PREFIX: &str = "lamina-kv ";

/// The store's settings.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Memory for the engine's page cache, in bytes. Default 64 MiB.
    pub cache_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}

/// All records. Clones share them.
#[derive(Clone)]
pub struct Store {
    db: sled::Db,
    committer: Committer,
}

impl Store {
    /// Opens or makes a store in this directory. Blocks.
    ///
    /// Refuses a directory of a newer format, and one that another process has
    /// open; neither is changed.
    pub fn open(dir: &Path, config: Config) -> Result<Self, Error> {
        let storage =
            |error: std::io::Error| Error::Storage { doing: "making the data directory", reason: error.to_string() };
        fs::create_dir_all(dir).map_err(storage)?;
        let format = dir.join("format");
        let is_new = match fs::read_to_string(&format) {
            Ok(text) => check_format(&text).map(|()| false)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(storage(error)),
        };
        let folder = dir.join("sled");
        let engine = sled::Config::new().path(&folder).cache_capacity(config.cache_bytes).flush_every_ms(None);
        let db = engine.open().map_err(|error| open_error(dir, &error))?;
        let committer = Committer::start(db.clone(), &folder)?;
        if is_new {
            write_format(dir, &format).map_err(storage)?;
        }
        Ok(Self { db, committer })
    }

    /// The record of this key.
    pub fn get<V: DeserializeOwned>(&self, table: &Table<V>, key: &str) -> Result<Option<V>, Error> {
        let bytes = self.db.get(table.key(key)).map_err(|error| read_error(&error))?;
        bytes.map(|bytes| decode(table, key, &bytes)).transpose()
    }

    /// All records of a table, in the order of their keys.
    pub fn scan<V: DeserializeOwned>(&self, table: &Table<V>) -> Result<Vec<(String, V)>, Error> {
        let prefix = table.key("");
        let record = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry.map_err(|error| read_error(&error))?;
            let key = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            let value = decode(table, &key, &value)?;
            Ok((key, value))
        };
        self.db.scan_prefix(&prefix).map(record).collect()
    }

    /// Makes a batch visible and durable: on the disk when it returns. Readers
    /// may see it shortly before. Dropped half-way, the batch is still written.
    pub async fn commit(&self, batch: Batch) -> Result<(), Error> {
        if batch.writes == 0 {
            return Ok(());
        }
        self.committer.commit(batch.inner).await
    }
}

fn decode<V: DeserializeOwned>(table: &Table<V>, key: &str, bytes: &[u8]) -> Result<V, Error> {
    let shape =
        |error: serde_json::Error| Error::Shape { table: table.name, key: key.to_owned(), reason: error.to_string() };
    serde_json::from_slice(bytes).map_err(shape)
}

fn read_error(error: &sled::Error) -> Error {
    Error::Storage { doing: "reading records", reason: error.to_string() }
}

fn open_error(dir: &Path, error: &sled::Error) -> Error {
    match error {
        // sled's own lock on its file.
        sled::Error::Io(io) if io.to_string().contains("could not acquire lock") => {
            Error::InUse(dir.display().to_string())
        }
        error => Error::Storage { doing: "opening the records", reason: error.to_string() },
    }
}

fn check_format(text: &str) -> Result<(), Error> {
    let number = text.trim_end().strip_prefix(FORMAT_PREFIX).and_then(|number| number.parse().ok());
    match number {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(Error::Newer { found, known: FORMAT }),
        _ => Err(Error::Format(text.chars().take(80).collect())),
    }
}

fn write_format(dir: &Path, path: &Path) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    writeln!(file, "{FORMAT_PREFIX}{FORMAT}")?;
    file.sync_all()?;
    fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Table<u32> = Table::new("numbers");
    const NUMBERS2: Table<u32> = Table::new("numbers2");
    const TEXTS: Table<String> = Table::new("texts");

    fn open(dir: &Path) -> Result<Store, Error> {
        Store::open(dir, Config::default())
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        let mut batch = Batch::new();
        for (key, value) in [("b", 2), ("a", 1), ("c", 3)] {
            batch.put(&NUMBERS, key, &value).unwrap();
        }
        batch.put(&NUMBERS2, "x", &9).unwrap();
        store.commit(batch).await.unwrap();
        let mut batch = Batch::new();
        batch.remove(&NUMBERS, "b");
        store.commit(batch).await.unwrap();
        drop(store);
        // The commit thread lets go of the lock a moment later.
        let store = (0..100)
            .find_map(|_| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                open(dir.path()).ok()
            })
            .unwrap();
        assert_eq!(store.scan(&NUMBERS).unwrap(), [("a".to_owned(), 1), ("c".to_owned(), 3)]);
        assert_eq!(store.get(&NUMBERS2, "x").unwrap(), Some(9));
        assert_eq!(store.get(&NUMBERS, "b").unwrap(), None);
    }

    #[tokio::test]
    async fn a_value_too_large_is_refused_and_nothing_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        let mut batch = Batch::new();
        let error = batch.put(&TEXTS, "k", &"x".repeat(VALUE_MAX)).unwrap_err();
        assert!(matches!(error, Error::TooLarge { max: VALUE_MAX, .. }));
        store.commit(batch).await.unwrap();
        assert_eq!(store.get(&TEXTS, "k").unwrap(), None);
    }

    const VALUE_MAX: usize = crate::batch::VALUE_BYTES_MAX;

    #[tokio::test]
    async fn many_writers_share_the_flush() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        let write = |number: u32| {
            let store = store.clone();
            async move {
                let mut batch = Batch::new();
                batch.put(&NUMBERS, &number.to_string(), &number).unwrap();
                store.commit(batch).await
            }
        };
        let mut writers = tokio::task::JoinSet::new();
        (0..200).for_each(|number| drop(writers.spawn(write(number))));
        while let Some(written) = writers.join_next().await {
            written.unwrap().unwrap();
        }
        assert_eq!(store.scan(&NUMBERS).unwrap().len(), 200);
    }

    #[test]
    fn a_directory_in_use_or_newer_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        assert!(matches!(open(dir.path()), Err(Error::InUse(_))));
        drop(store);
        for (text, newer) in [("lamina-kv 2\n", true), ("other\n", false), ("", false)] {
            fs::write(dir.path().join("format"), text).unwrap();
            match open(dir.path()) {
                Err(Error::Newer { found: 2, known: 1 }) => assert!(newer),
                Err(Error::Format(_)) => assert!(!newer),
                other => panic!("{text}: {:?}", other.err()),
            }
        }
    }
}

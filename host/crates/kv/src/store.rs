//! Opening, reading, and committing.

use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::commit::Committer;
use crate::disk::{Directory, Syncer};
use crate::error::Error;
use crate::table::Table;
use crate::txn::Txn;

/// The store's settings.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Memory for the engine's page cache, in bytes. Default 64 MiB.
    pub cache_bytes: u64,
    /// Transactions that may wait for the commit thread; past it their callers
    /// wait. Default 1,024.
    pub queue_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, queue_max: 1_024 }
    }
}

/// All records. Clones share them. Dropping the last one waits for the
/// transactions under way and gives the directory free.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// In the order in which it must be taken apart.
struct Shared {
    committer: Committer,
    db: sled::Db,
    _directory: Directory,
}

impl Store {
    /// Opens or makes a store in this directory. Blocks.
    ///
    /// Refuses a directory of a newer or unknown format, and one that another
    /// process has open; neither is changed.
    pub fn open(dir: &Path, config: Config) -> Result<Self, Error> {
        let directory = Directory::open(dir)?;
        let engine = sled::Config::new().path(&directory.engine).cache_capacity(config.cache_bytes);
        let db = engine.open().map_err(|error| Error::storage("opening the records", error))?;
        let syncer = Syncer::new(&directory.engine).map_err(|error| Error::storage("opening the records", error))?;
        let committer = Committer::start(db.clone(), syncer, config.queue_max)?;
        Ok(Self { shared: Arc::new(Shared { committer, db, _directory: directory }) })
    }

    /// The record of this key. May be one whose transaction is not yet on the
    /// disk, as may those of a scan.
    pub fn get<V: DeserializeOwned>(&self, table: &Table<V>, key: &str) -> Result<Option<V>, Error> {
        let bytes = self.shared.db.get(table.key(key)).map_err(|error| Error::storage("reading records", error))?;
        bytes.map(|bytes| table.decode(key, &bytes)).transpose()
    }

    /// All records of a table, in the order of their keys' bytes.
    pub fn scan<V: DeserializeOwned>(&self, table: &Table<V>) -> Result<Vec<(String, V)>, Error> {
        let prefix = table.key("");
        let record = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry.map_err(|error| Error::storage("reading records", error))?;
            let key = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            let value = table.decode(&key, &value)?;
            Ok((key, value))
        };
        self.shared.db.scan_prefix(&prefix).map(record).collect()
    }

    /// Runs a transaction over any of the tables: serial with all others, there
    /// whole or not at all, and on the disk when this returns. If the closure
    /// fails or panics nothing is written. It runs on the commit thread and must
    /// not block.
    ///
    /// Dropped half-way: before there was room in the queue nothing happens,
    /// after it the transaction is still made.
    pub async fn commit<R, E>(&self, change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.shared.committer.commit(change).await
    }

    /// Ends the transactions that wait and refuses later ones. Blocks. Reads
    /// still work; the directory is free when the last handle is dropped.
    pub fn close(&self) {
        self.shared.committer.close();
    }
}

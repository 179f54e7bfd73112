//! Opening, reading, and committing.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use lamina_disk::Folder;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::checkpoint::{Checkpointed, Checkpointer, JOBS_MAX, Listeners};
use crate::commit::Committer;
use crate::disk::{Directory, FORMAT, JOURNAL, Syncer};
use crate::error::Error;
use crate::feed::{Feed, Watch};
use crate::frame::{GroupWriter, MacKey};
use crate::gather::Gathering;
use crate::pending::{Pending, STUCK};
use crate::position::Position;
use crate::seal::Keyring;
use crate::spare::{Left, Spare};
use crate::table::Table;
use crate::txn::Txn;
use crate::writer::{Journal, Writer};
use crate::{index, migrate, recover};

/// How often it is looked whether a thread has ended.
const STEP: Duration = Duration::from_millis(2);

/// The store's settings.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Memory for the index's page cache, in bytes. Default 64 MiB.
    pub cache_bytes: u64,
    /// Transactions that may wait for the disk; past it their callers wait for their
    /// turn. Default 1,024.
    pub queue_max: usize,
    /// Bytes that the journal grows by before a checkpoint is made; twice the export
    /// counts when that is more. Default 64 MiB.
    pub checkpoint_bytes: u64,
    /// Bytes of the journal before a checkpoint that are kept, for incremental
    /// backups. Default 16 MiB.
    pub retain_bytes: u64,
    /// Length of a journal file that is made ready beside the transactions. Default 16
    /// MiB.
    pub spare_bytes: u64,
    /// How far a journal file grows before the next one is made ready: a store that is
    /// written little has none. Default 1 MiB.
    pub spare_after_bytes: u64,
    /// Journal files that a checkpoint leaves to be written over; the others it removes.
    /// Default 6: as many as are written from one checkpoint to the end of the next.
    pub spare_files_max: usize,
    /// The tables whose values are sealed, for [`Store::reseal`]. Default: none.
    pub sealed: &'static [&'static str],
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            queue_max: 1_024,
            checkpoint_bytes: 64 << 20,
            retain_bytes: 16 << 20,
            spare_bytes: 16 << 20,
            spare_after_bytes: 1 << 20,
            spare_files_max: 6,
            sealed: &[],
        }
    }
}

/// What the records are believed by, and sealed with.
#[derive(Clone)]
pub struct Keys {
    /// Authenticates the journal and the exports.
    pub journal: [u8; 32],
    /// Seals values.
    pub secrets: Keyring,
}

/// What opening came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The last transaction.
    pub sequence: u64,
    /// Transactions that were read from the journal, after the newest export.
    pub replayed: u64,
    /// Bytes of a write that was cut off, and acknowledged to nobody.
    pub torn_bytes: u64,
    /// Records in which the index was behind the journal, as it is after a kill.
    pub behind: u64,
    /// Why the index was made again, if it was.
    pub rebuilt: Option<String>,
    /// The older format that the directory had.
    pub migrated_from: Option<u32>,
}

/// All records. Clones share them. Dropping the last one waits for the
/// transactions under way and gives the directory free.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// In the order in which it must be taken apart.
pub(crate) struct Shared {
    committer: Committer,
    /// The index's and the one that makes checkpoints, in the order in which they end.
    threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) pending: Pending,
    pub(crate) db: index::Engine,
    pub(crate) keys: Keyring,
    pub(crate) journal: Folder,
    pub(crate) engine: std::path::PathBuf,
    pub(crate) position: Arc<Position>,
    pub(crate) config: Config,
    listeners: Listeners,
    feed: Feed,
    _directory: Directory,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
        if self.pending.broken().is_some() {
            self.db.forget();
        }
    }
}

impl Shared {
    fn close(&self) {
        self.committer.close();
        self.pending.close();
        // Each ends when the one before it has.
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return;
        }
        let mut left = STUCK;
        for thread in threads {
            while !thread.is_finished() && !left.is_zero() {
                left = left.saturating_sub(STEP);
                std::thread::sleep(STEP);
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                // What it still had to do the next start does from the journal.
                tracing::error!("the index's engine does not answer and is left alone");
            }
        }
        // What an engine still has to write when it is dropped must not hold that up.
        if self.pending.broken().is_none()
            && let Err(error) = self.pending.flush(&self.db)
        {
            tracing::error!(%error, "the index of the records was not flushed; it is made again at the next start");
        }
    }
}

impl Store {
    /// Opens or makes a store. `path` is the path of `data`, for the lock, the
    /// index and messages. Blocks.
    ///
    /// Refuses a directory of a newer or unknown format, one that another process
    /// has open, and one whose journal or export is damaged; none is changed.
    pub fn open(data: &Folder, path: &Path, keys: Keys, config: Config) -> Result<(Self, Opened), Error> {
        let directory = Directory::take(data, path)?;
        let key = MacKey::new(&keys.journal);
        let mut opened = Opened::default();
        match directory.format {
            None => migrate::begin(data, &directory)?,
            Some(FORMAT) => {}
            Some(older) => {
                migrate::from_format_1(data, &directory, &keys, &config)?;
                opened.migrated_from = Some(older);
            }
        }
        let storage = |error: std::io::Error| Error::storage("opening the records", error);
        let journal = data.folder(JOURNAL).map_err(storage)?;
        let recovered = recover::recover(&journal, &key, true)?;
        let index::Opened { db, behind, rebuilt } = index::open(&directory.engine, config.cache_bytes, &recovered)?;
        drop((recovered.state, recovered.touched));
        let tail = recovered.tail;
        // A migration means to have it made again.
        (opened.sequence, opened.rebuilt) = (tail.sequence, rebuilt.filter(|_| opened.migrated_from.is_none()));
        (opened.replayed, opened.torn_bytes, opened.behind) = (recovered.replayed, recovered.torn_bytes, behind);
        let sizes = (recovered.journal_bytes, recovered.export_bytes);
        let position = Arc::new(Position::new(tail.first, tail.at, tail.sequence, sizes, config.checkpoint_bytes));
        let (listeners, feed) = (Listeners::default(), Feed::new());
        let (jobs, waiting) = mpsc::channel(JOBS_MAX);
        let pending = Pending::new(tail.sequence);
        let checkpointer = Checkpointer {
            db: db.clone(),
            syncer: Syncer::new(&directory.engine).map_err(storage)?,
            folder: journal.clone(),
            key: key.clone(),
            position: position.clone(),
            pending: pending.clone(),
            listeners: listeners.clone(),
            left: Left { bytes: config.spare_bytes, files_max: config.spare_files_max },
            retain_bytes: config.retain_bytes,
        };
        let checkpointer = checkpointer.start(waiting)?;
        let indexer = pending.start(db.clone(), jobs, position.clone())?;
        let writer = Arc::new(Writer {
            key,
            folder: journal.clone(),
            position: position.clone(),
            feed: feed.clone(),
            pending: pending.clone(),
            gathering: Gathering::new(config.queue_max),
        });
        let spare = Spare::new(config.spare_bytes, config.spare_after_bytes);
        let end = Journal { tail, spare, buffer: GroupWriter::default() };
        let committer = Committer::start(db.clone(), keys.secrets.clone(), writer, end)?;
        let shared = Shared {
            committer,
            threads: Mutex::new(vec![indexer, checkpointer]),
            pending,
            db: index::Engine::new(db),
            keys: keys.secrets,
            journal,
            engine: directory.engine.clone(),
            position,
            config,
            listeners,
            feed,
            _directory: directory,
        };
        Ok((Self { shared: Arc::new(shared) }, opened))
    }

    /// The record of this key.
    pub fn get<V: DeserializeOwned>(&self, table: &Table<V>, key: &str) -> Result<Option<V>, Error> {
        let stored = table.key(key);
        // In this order: what is no longer pending is in the index.
        if let Some(pending) = self.shared.pending.get(&stored) {
            return pending.map(|bytes| table.decode(&self.shared.keys, key, &bytes)).transpose();
        }
        let bytes = self.shared.db.get(stored).map_err(|error| Error::storage("reading records", error))?;
        bytes.map(|bytes| table.decode(&self.shared.keys, key, &bytes)).transpose()
    }

    /// All records of a table, in the order of their keys' bytes.
    pub fn scan<V: DeserializeOwned>(&self, table: &Table<V>) -> Result<Vec<(String, V)>, Error> {
        self.scan_page(table, None, usize::MAX)
    }

    /// So many records of a table, in the order of their keys' bytes, from the first
    /// whose key comes after this one.
    pub fn scan_page<V: DeserializeOwned>(
        &self,
        table: &Table<V>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, V)>, Error> {
        let prefix = table.key("");
        let from = table.key(after.unwrap_or_default());
        // In this order: what is no longer pending is in the index.
        let mut pending = self.shared.pending.range(&from, &prefix, limit.saturating_add(1));
        let mut index = self.shared.db.range(from.as_slice()..).peekable();
        let mut records = Vec::new();
        while records.len() < limit {
            let indexed = match index.peek() {
                Some(Ok((key, _))) if key.starts_with(&prefix) => Some(key.clone()),
                Some(Err(error)) => return Err(Error::storage("reading records", error)),
                Some(Ok(_)) | None => None,
            };
            let newer = pending.first_key_value().map(|(key, _)| key.clone());
            // Of one key that both have the pending value counts.
            let (key, value) = match (indexed, newer) {
                (None, None) => break,
                (Some(indexed), newer) if newer.as_ref().is_none_or(|newer| indexed[..] < newer[..]) => {
                    let value = index.next().transpose().map_err(|error| Error::storage("reading records", error))?;
                    (Bytes::copy_from_slice(&indexed), value.map(|(_, value)| Bytes::copy_from_slice(&value)))
                }
                (indexed, Some(newer)) => {
                    if indexed.is_some_and(|indexed| indexed[..] == newer[..]) {
                        index.next();
                    }
                    let value = pending.remove(&newer).flatten();
                    (newer, value)
                }
                (Some(_), None) => break,
            };
            let Some(value) = value else { continue };
            if after.is_some() && key == from {
                continue;
            }
            let key = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            let value = table.decode(&self.shared.keys, &key, &value)?;
            records.push((key, value));
        }
        Ok(records)
    }

    /// Runs a transaction over any of the tables: serial with all others, there
    /// whole or not at all, and on the disk when this returns. If the closure
    /// fails or panics nothing is written. All others wait while it runs, on the
    /// caller's thread: it must not block.
    ///
    /// Dropped half-way: before it ran nothing happens, after it the transaction is
    /// still made.
    pub async fn commit<R, E>(&self, change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.shared.committer.commit(change).await
    }

    /// The last transaction that was acknowledged; 0 when there was none.
    pub fn sequence(&self) -> u64 {
        self.shared.position.now().sequence
    }

    /// Follows the transactions from now on, in order.
    pub fn watch(&self) -> Watch {
        self.shared.feed.watch(|| self.sequence())
    }

    /// Makes an export of all records, and drops the journal before it. Comes by
    /// itself when the journal has grown enough. Dropped half-way, it is made all the
    /// same.
    pub async fn checkpoint(&self) -> Result<Checkpointed, Error> {
        self.shared.committer.checkpoint().await
    }

    /// Has this called after each checkpoint, on the thread that makes them, with
    /// the last transaction in the export.
    pub fn on_checkpoint(&self, listener: impl Fn(u64) + Send + Sync + 'static) {
        self.shared.listeners.add(listener);
    }

    /// Makes a key the one that seals from now on; see [`Store::reseal`].
    pub fn add_key(&self, key: [u8; 32]) {
        self.shared.keys.add(key);
    }

    /// Ends the transactions that wait and refuses later ones. Blocks. Reads
    /// still work; the directory is free when the last handle is dropped.
    pub fn close(&self) {
        self.shared.close();
    }
}

//! Checkpoints: an export of all records, made beside the transactions, and the
//! journal before it dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use lamina_disk::Folder;
use tokio::sync::{mpsc, oneshot};

use crate::disk::Syncer;
use crate::error::Error;
use crate::export::Writer as ExportWriter;
use crate::frame::{Mac, MacKey};
use crate::index;
use crate::journal::{Listing, export_name, journal_name};
use crate::pending::Pending;
use crate::position::Position;
use crate::spare::{self, Left};

/// Who waits for a checkpoint.
pub(crate) type Reply = oneshot::Sender<Result<Checkpointed, Error>>;

/// Checkpoints that may wait for the one under way.
pub(crate) const JOBS_MAX: usize = 4;

/// One checkpoint: the journal goes on in a file of its own after this transaction.
pub(crate) struct Job {
    pub(crate) sequence: u64,
    pub(crate) chain: Mac,
    pub(crate) reply: Option<Reply>,
}

impl Job {
    /// It is not made, for this reason.
    pub(crate) fn fail(self, error: Error) {
        match self.reply {
            Some(reply) => {
                let _ = reply.send(Err(error));
            }
            None => tracing::warn!(%error, "a checkpoint was not made and is tried again later"),
        }
    }
}

/// A checkpoint that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpointed {
    /// Every transaction up to this one is in the export.
    pub sequence: u64,
    /// The export's size.
    pub bytes: u64,
}

/// Told of each checkpoint's sequence number.
type Listener = Box<dyn Fn(u64) + Send + Sync>;

/// Who is told of checkpoints.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Listener>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: impl Fn(u64) + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    fn tell(&self, sequence: u64) {
        for listener in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(sequence);
        }
    }
}

/// The thread that makes them, one at a time.
pub(crate) struct Checkpointer {
    pub(crate) db: sled::Db,
    pub(crate) syncer: Syncer,
    pub(crate) folder: Folder,
    pub(crate) key: MacKey,
    pub(crate) position: Arc<Position>,
    pub(crate) pending: Pending,
    pub(crate) listeners: Listeners,
    /// Journal files to be written over.
    pub(crate) left: Left,
    /// Bytes of older journal files that are kept.
    pub(crate) retain_bytes: u64,
}

impl Checkpointer {
    /// Ends when the sender of jobs is dropped.
    pub(crate) fn start(mut self, mut jobs: mpsc::Receiver<Job>) -> Result<JoinHandle<()>, Error> {
        let run = move || {
            while let Some(Job { sequence, chain, reply }) = jobs.blocking_recv() {
                let made = catch_unwind(AssertUnwindSafe(|| self.make(sequence, &chain, reply.is_none())));
                let made = made.unwrap_or_else(|_| Err(Error::storage("making a checkpoint", "the engine panicked")));
                self.position.ended(made.as_ref().ok().map(|made| made.bytes));
                match (made, reply) {
                    (made, Some(reply)) => {
                        let _ = reply.send(made);
                    }
                    (Err(error), None) => tracing::warn!(%error, "a checkpoint was not made and is tried again later"),
                    (Ok(_), None) => {}
                }
            }
        };
        let thread = thread::Builder::new().name("lamina-checkpoint".into()).spawn(run);
        thread.map_err(|error| Error::storage("starting the checkpoint thread", error))
    }

    fn make(&mut self, sequence: u64, chain: &Mac, reuses: bool) -> Result<Checkpointed, Error> {
        let failed = |error: std::io::Error| Error::storage("writing an export", error);
        let mut writer = ExportWriter::begin(&self.folder, &self.key, sequence, chain).map_err(failed)?;
        // Transactions go on meanwhile. What the export holds of them already the
        // journal after it says again.
        for entry in index::records(&self.db) {
            let (key, value) = entry.map_err(|error| Error::storage("reading records", error))?;
            writer.record(&key, &value).map_err(failed)?;
        }
        let bytes = writer.finish(&self.folder, &export_name(sequence)).map_err(failed)?;
        self.pending.flush(&self.db)?;
        self.syncer.sync().map_err(|error| Error::storage("syncing the index of the records", error))?;
        let dropped = self.position.unless_held(|| self.drop_older(sequence, reuses)).unwrap_or(Ok(()));
        dropped.map_err(|error| Error::storage("dropping what an export replaces", error))?;
        self.listeners.tell(sequence);
        Ok(Checkpointed { sequence, bytes })
    }

    /// Removes older exports and journal files, of which the newest stay. With `reuses`
    /// some are left for the journal to be written over; without, none that ever was.
    fn drop_older(&self, sequence: u64, reuses: bool) -> std::io::Result<()> {
        let listing = Listing::of(&self.folder)?;
        for older in listing.exports.iter().filter(|older| **older < sequence) {
            self.folder.remove(&export_name(*older))?;
        }
        let (mut kept, mut dropped) = (0, Vec::new());
        for first in listing.journals.iter().rev().filter(|first| **first <= sequence) {
            let name = journal_name(*first);
            kept += self.folder.metadata(&name)?.map_or(0, |metadata| metadata.len());
            if kept > self.retain_bytes {
                dropped.push(name);
            }
        }
        // The oldest first: what is kept has no gap, wherever this ends.
        if !reuses {
            spare::remove_left(&self.folder)?;
        }
        for name in dropped.iter().rev() {
            if !reuses || !self.left.take(&self.folder, name)? {
                self.folder.remove(name)?;
            }
        }
        self.folder.sync_dir(".")
    }
}

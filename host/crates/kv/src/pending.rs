//! What is on the disk and not yet in the index: the index is brought up to the
//! journal beside the transactions, by a thread of its own, and readers look here
//! first.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use crate::checkpoint::Job;
use crate::error::Error;

/// Groups that may wait for the index; past it the next one waits.
pub(crate) const GROUPS_MAX: usize = 8;

/// A group's writes.
pub(crate) type Written = Arc<HashMap<Vec<u8>, Option<Vec<u8>>>>;

/// See the module. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Default)]
struct State {
    /// Each key's newest value, and the group that wrote it.
    newest: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// Why the index takes no more.
    broken: Option<Error>,
}

/// Work of the thread, in the order of the journal.
pub(crate) enum Task {
    /// Puts a group's writes into the index.
    Apply {
        /// Its last transaction.
        sequence: u64,
        /// What it wrote.
        written: Written,
    },
    /// A checkpoint, whose export must hold all before it.
    Checkpoint(Job),
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a group that is on the disk.
    pub(crate) fn add(&self, sequence: u64, written: &Written) {
        let mut state = self.lock();
        for (key, value) in &**written {
            state.newest.insert(key.clone(), (sequence, value.clone()));
        }
    }

    /// The newest value of a key that is not in the index yet; `None` when the index
    /// has it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        self.lock().newest.get(key).map(|(_, value)| value.clone())
    }

    /// All such values of keys from this one on that begin with `prefix`.
    pub(crate) fn range(&self, from: &[u8], prefix: &[u8]) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let state = self.lock();
        let newest = state.newest.range(from.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        newest.map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }

    /// Why the index takes no more, if it does not.
    pub(crate) fn broken(&self) -> Option<Error> {
        self.lock().broken.clone()
    }

    /// Waits until the index holds all that was added so far, or takes no more.
    /// Blocks.
    pub(crate) fn settle(&self) {
        let mut state = self.lock();
        while !state.newest.is_empty() && state.broken.is_none() {
            state = self.0.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn applied(&self, sequence: u64, written: &Written) {
        let mut state = self.lock();
        for key in written.keys() {
            // A later group may have written it again.
            if state.newest.get(key).is_some_and(|(newest, _)| *newest == sequence) {
                state.newest.remove(key);
            }
        }
        if state.newest.is_empty() {
            self.0.settled.notify_all();
        }
    }

    fn fail(&self, error: Error) {
        self.lock().broken.get_or_insert(error);
        self.0.settled.notify_all();
    }

    /// Starts the thread, which ends when the sender of tasks is dropped.
    pub(crate) fn start(
        &self,
        db: sled::Db,
        mut tasks: mpsc::Receiver<Task>,
        jobs: mpsc::Sender<Job>,
    ) -> Result<JoinHandle<()>, Error> {
        let this = self.clone();
        let run = move || {
            while let Some(task) = tasks.blocking_recv() {
                match task {
                    // In the journal already: what fails here is made again at the next
                    // start.
                    Task::Apply { .. } if this.broken().is_some() => {}
                    Task::Apply { sequence, written } => match apply(&db, &written) {
                        Ok(()) => this.applied(sequence, &written),
                        Err(error) => this.fail(error),
                    },
                    Task::Checkpoint(job) => {
                        if let Some(error) = this.broken() {
                            job.fail(error);
                        } else if let Err(error) = jobs.blocking_send(job) {
                            error.0.fail(Error::Closed);
                        }
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("lamina-index".into()).spawn(run);
        thread.map_err(|error| Error::storage("starting the index's thread", error))
    }
}

fn apply(db: &sled::Db, written: &Written) -> Result<(), Error> {
    let doing = "writing the index of the records";
    let mut batch = sled::Batch::default();
    for (key, value) in &**written {
        match value {
            Some(value) => batch.insert(key.as_slice(), value.as_slice()),
            None => batch.remove(key.as_slice()),
        }
    }
    let applied = catch_unwind(AssertUnwindSafe(|| db.apply_batch(batch)));
    applied.map_err(|_| Error::storage(doing, "the engine panicked"))?.map_err(|error| Error::storage(doing, error))
}

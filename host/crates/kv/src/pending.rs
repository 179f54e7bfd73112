//! What is on the disk and not yet in the index: the index is brought up to the
//! journal beside the transactions, by a thread of its own, and readers look here
//! first.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::checkpoint::Job;
use crate::error::Error;

/// Groups that may wait for the index; past it the next one waits.
pub(crate) const GROUPS_MAX: usize = 256;
/// Bytes that may wait for the index, and one group more.
const BYTES_MAX: usize = 32 << 20;
/// How long the index's thread lets groups gather: its engine syncs for each batch,
/// and would hold up the journal's syncs if it did for each group.
const GATHER: Duration = Duration::from_millis(10);
/// After so long the index's engine is not waited for any more.
pub(crate) const STUCK: Duration = Duration::from_secs(20);

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
    bytes: usize,
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

    /// Adds a group that is on the disk. Waits while too much is pending.
    pub(crate) fn add(&self, sequence: u64, written: &Written) {
        let mut state = self.lock();
        if state.bytes > BYTES_MAX {
            state = self.wait(state, |state| state.bytes > BYTES_MAX);
        }
        for (key, value) in &**written {
            state.bytes += size(key, value.as_deref());
            if let Some((_, old)) = state.newest.insert(key.clone(), (sequence, value.clone())) {
                state.bytes -= size(key, old.as_deref());
            }
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
        let state = self.lock();
        drop(self.wait(state, |state| !state.newest.is_empty()));
    }

    /// Waits while it is so and the index takes more. An index that does not get on
    /// counts as broken: its engine may never answer after a failed sync.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, is_so: impl Fn(&State) -> bool) -> MutexGuard<'a, State> {
        let waits = |state: &mut State| is_so(state) && state.broken.is_none();
        let waited = self.0.settled.wait_timeout_while(state, STUCK, waits);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            state
                .broken
                .get_or_insert(Error::storage("writing the index of the records", "its engine does not answer"));
            self.0.settled.notify_all();
        }
        state
    }

    /// Hands a task to the index's thread; waits while it has too many.
    pub(crate) fn send(&self, tasks: &mpsc::Sender<Task>, mut task: Task) -> Result<(), (Error, Task)> {
        let mut left = STUCK;
        loop {
            task = match tasks.try_send(task) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(task)) => return Err((Error::Closed, task)),
                Err(mpsc::error::TrySendError::Full(task)) => task,
            };
            let Some(rest) = left.checked_sub(GATHER) else {
                let error = Error::storage("writing the index of the records", "its engine does not answer");
                self.fail(error.clone());
                return Err((error, task));
            };
            left = rest;
            thread::sleep(GATHER);
        }
    }

    /// Flushes the index; an engine that does not answer is left alone.
    pub(crate) fn flush(&self, db: &sled::Db) -> Result<(), Error> {
        let doing = "flushing the index of the records";
        let (done, ended) = std::sync::mpsc::sync_channel(1);
        let db = db.clone();
        let flush = move || {
            let _ = done.send(db.flush().map_err(|error| error.to_string()));
        };
        let thread = thread::Builder::new().name("lamina-flush".into()).spawn(flush);
        thread.map_err(|error| Error::storage(doing, error))?;
        let flushed = match ended.recv_timeout(STUCK) {
            Ok(flushed) => flushed.map(|_| ()).map_err(|reason| Error::storage(doing, reason)),
            Err(_) => Err(Error::storage(doing, "its engine does not answer")),
        };
        flushed.inspect_err(|error| self.fail(error.clone()))
    }

    /// Puts groups into the index at once. They are in the journal already: what fails
    /// here is made again at the next start.
    fn apply(&self, db: &sled::Db, groups: &[(u64, Written)]) {
        if groups.is_empty() || self.broken().is_some() {
            return;
        }
        match put(db, groups) {
            Ok(()) => groups.iter().for_each(|(sequence, written)| self.applied(*sequence, written)),
            Err(error) => self.fail(error),
        }
    }

    fn applied(&self, sequence: u64, written: &Written) {
        let mut state = self.lock();
        for key in written.keys() {
            // A later group may have written it again.
            if state.newest.get(key).is_some_and(|(newest, _)| *newest == sequence)
                && let Some((_, value)) = state.newest.remove(key)
            {
                state.bytes -= size(key, value.as_deref());
            }
        }
        self.0.settled.notify_all();
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
                let mut groups = Vec::new();
                let mut job = None;
                let mut take = |task| match task {
                    Task::Apply { sequence, written } => groups.push((sequence, written)),
                    Task::Checkpoint(due) => job = Some(due),
                };
                let is_group = matches!(task, Task::Apply { .. });
                take(task);
                if is_group {
                    thread::sleep(GATHER);
                    while let Ok(task) = tasks.try_recv() {
                        let is_group = matches!(task, Task::Apply { .. });
                        take(task);
                        if !is_group {
                            break;
                        }
                    }
                }
                this.apply(&db, &groups);
                match (job, this.broken()) {
                    (None, _) => {}
                    (Some(job), Some(error)) => job.fail(error),
                    (Some(job), None) => {
                        if let Err(error) = jobs.blocking_send(job) {
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

fn put(db: &sled::Db, groups: &[(u64, Written)]) -> Result<(), Error> {
    let doing = "writing the index of the records";
    let mut newest: HashMap<&[u8], Option<&[u8]>> = HashMap::new();
    for (_, written) in groups {
        newest.extend(written.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
    }
    let mut batch = sled::Batch::default();
    for (key, value) in newest {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    let applied = catch_unwind(AssertUnwindSafe(|| db.apply_batch(batch)));
    applied.map_err(|_| Error::storage(doing, "the engine panicked"))?.map_err(|error| Error::storage(doing, error))
}

fn size(key: &[u8], value: Option<&[u8]>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len)
}

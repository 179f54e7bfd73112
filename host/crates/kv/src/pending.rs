//! What is on the disk and not yet in the index: the index is brought up to the
//! journal beside the transactions, by a thread of its own, and readers look here
//! first.
//!
//! It comes late on purpose: of a record that changes often the index gets one value
//! and not each, and its engine's writes do not hold up the journal's syncs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::checkpoint::{JOBS_MAX, Job};
use crate::error::Error;
use crate::index;
use crate::position::Position;

/// Bytes at which the index is brought up to the journal.
const DUE_BYTES: usize = 16 << 20;
/// After so long it is, however little waits.
const DUE: Duration = Duration::from_secs(5);
/// Bytes that may wait for the index, and one group more; past it the next one
/// waits.
const BYTES_MAX: usize = 32 << 20;
/// Records that are put into the index between two looks.
const CHUNK: usize = 256;
/// From one look to the next when the index takes no more.
const BROKEN_PAUSE: Duration = Duration::from_millis(10);
/// After so long without progress the index's engine is not waited for any more.
pub(crate) const STUCK: Duration = Duration::from_secs(20);

/// What a group wrote. Clones of keys and values share their bytes.
pub(crate) type Written = HashMap<Bytes, Option<Bytes>>;

/// See the module. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Said when there may be something to do for the thread.
    due: Condvar,
    /// Said when the index got on, or takes no more.
    settled: Condvar,
    /// Whether the index takes no more.
    is_broken: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Groups that are not in `newest` yet, in order.
    recent: VecDeque<(u64, Arc<Written>)>,
    /// Whether the thread was asked to bring them there.
    unsorted: bool,
    /// Each key's newest value, and the group that wrote it.
    newest: BTreeMap<Bytes, (u64, Option<Bytes>)>,
    bytes: usize,
    /// The last transaction that was added.
    added: u64,
    /// Every transaction up to this one is in the index.
    applied: u64,
    /// The transaction that somebody waits for.
    wanted: u64,
    /// How often the index got on.
    steps: u64,
    /// Checkpoints, whose exports must hold all that is added now.
    jobs: VecDeque<Job>,
    closed: bool,
    /// Why the index takes no more.
    broken: Option<Error>,
}

/// Records of a chunk: key, group, value.
type Chunk = Vec<(Bytes, u64, Option<Bytes>)>;

impl Pending {
    /// Nothing is pending after this transaction.
    pub(crate) fn new(sequence: u64) -> Self {
        let state = State { added: sequence, applied: sequence, ..State::default() };
        Self(Arc::new(Shared { state: Mutex::new(state), ..Shared::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a group that is on the disk. Waits while too much is pending.
    pub(crate) fn add(&self, sequence: u64, written: Arc<Written>) {
        let mut state = self.lock();
        if state.bytes > BYTES_MAX {
            state = self.wait(state, |state| state.bytes > BYTES_MAX);
        }
        let was = (state.is_empty(), state.bytes < DUE_BYTES);
        state.bytes += written.iter().map(|(key, value)| size(key, value.as_ref())).sum::<usize>();
        state.recent.push_back((sequence, written));
        state.added = sequence;
        if was != (state.is_empty(), state.bytes < DUE_BYTES) {
            self.0.due.notify_all();
        }
    }

    /// Has the thread bring what was added last to its place, which the next group
    /// can do without: while that is on its way to the disk a processor is free.
    pub(crate) fn sort_soon(&self) {
        let mut state = self.lock();
        if state.recent.is_empty() {
            return;
        }
        state.unsorted = true;
        drop(state);
        self.0.due.notify_all();
    }

    /// The newest value of a key that is not in the index yet; `None` when the index
    /// has it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let state = self.lock();
        let recent = state.recent.iter().rev().find_map(|(_, written)| written.get(key));
        recent.or_else(|| state.newest.get(key).map(|(_, value)| value)).cloned()
    }

    /// Such values of keys from this one on that begin with `prefix`, and as many
    /// removals as lie between them; no more values than `limit`.
    pub(crate) fn range(&self, from: &[u8], prefix: &[u8], limit: usize) -> BTreeMap<Bytes, Option<Bytes>> {
        let (mut found, mut values) = (BTreeMap::new(), 0);
        let mut state = self.lock();
        state.sort();
        let from = (Bound::Included(from), Bound::Unbounded);
        for (key, (_, value)) in state.newest.range::<[u8], _>(from).take_while(|(key, _)| key.starts_with(prefix)) {
            if values == limit {
                break;
            }
            values += usize::from(value.is_some());
            found.insert(key.clone(), value.clone());
        }
        found
    }

    /// Why the index takes no more, if it does not.
    pub(crate) fn broken(&self) -> Option<Error> {
        // Each transaction asks.
        if self.0.is_broken.load(Ordering::Acquire) { self.lock().broken.clone() } else { None }
    }

    /// Waits until the index holds all that was added so far, or takes no more.
    /// Blocks.
    pub(crate) fn settle(&self) {
        let mut state = self.lock();
        let upto = state.added;
        state.wanted = state.wanted.max(upto);
        self.0.due.notify_all();
        drop(self.wait(state, |state| state.applied < upto));
    }

    /// Waits while it is so and the index takes more. An index that does not get on
    /// counts as broken: its engine may never answer after a failed sync.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State>, is_so: impl Fn(&State) -> bool) -> MutexGuard<'a, State> {
        loop {
            let steps = state.steps;
            let waits = |state: &mut State| is_so(state) && state.broken.is_none();
            let waited = self.0.settled.wait_timeout_while(state, STUCK, waits);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if !timeout.timed_out() {
                return state;
            }
            if state.steps == steps {
                self.broke(&mut state, silent());
                return state;
            }
        }
    }

    /// Hands a checkpoint to the thread, unless too many wait there.
    pub(crate) fn checkpoint(&self, job: Job) -> Result<(), (Error, Job)> {
        let mut state = self.lock();
        if let Some(error) = &state.broken {
            return Err((error.clone(), job));
        }
        if state.jobs.len() >= JOBS_MAX {
            return Err((too_many(), job));
        }
        state.jobs.push_back(job);
        self.0.due.notify_all();
        Ok(())
    }

    /// Has the thread end when it has put in what is pending.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.0.due.notify_all();
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
        flushed.inspect_err(|error| self.broke(&mut self.lock(), error.clone()))
    }

    fn broke(&self, state: &mut State, error: Error) {
        state.broken.get_or_insert(error);
        self.0.is_broken.store(true, Ordering::Release);
        self.0.settled.notify_all();
    }

    /// Starts the thread, which ends after [`Pending::close`]. Checkpoints go on to
    /// `jobs`.
    pub(crate) fn start(
        &self,
        db: sled::Db,
        jobs: mpsc::Sender<Job>,
        position: Arc<Position>,
    ) -> Result<JoinHandle<()>, Error> {
        let this = self.clone();
        let run = move || this.run(&db, &jobs, &position);
        let thread = thread::Builder::new().name("lamina-index".into()).spawn(run);
        thread.map_err(|error| Error::storage("starting the index's thread", error))
    }

    fn run(&self, db: &sled::Db, jobs: &mpsc::Sender<Job>, position: &Position) {
        loop {
            let mut state = self.lock();
            let is_idle = |state: &mut State| state.is_empty() && !state.must_act();
            state = self.0.due.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
            let gathers = |state: &mut State| {
                if std::mem::take(&mut state.unsorted) {
                    state.sort();
                }
                state.bytes < DUE_BYTES && !state.must_act()
            };
            (state, _) = self.0.due.wait_timeout_while(state, DUE, gathers).unwrap_or_else(PoisonError::into_inner);
            let (upto, due, closed) = (state.added, std::mem::take(&mut state.jobs), state.closed);
            drop(state);
            // What fails is in the journal, and is put in at the next start.
            if self.broken().is_none()
                && let Err(error) = self.apply(db, upto)
            {
                self.broke(&mut self.lock(), error);
            }
            for job in due {
                // Never waited for: the index must get on while an export is made.
                let sent = match self.broken() {
                    Some(error) => Err((error, job)),
                    None => jobs.try_send(job).map_err(|error| match error {
                        TrySendError::Full(job) => (too_many(), job),
                        TrySendError::Closed(job) => (Error::Closed, job),
                    }),
                };
                if let Err((error, job)) = sent {
                    position.put_off();
                    job.fail(error);
                }
            }
            if closed {
                return;
            }
            if self.broken().is_some() {
                // Whoever comes is answered, and no more is done.
                thread::sleep(BROKEN_PAUSE);
            }
        }
    }

    /// Puts all into the index that was added up to this transaction, and is not
    /// overwritten by a later one.
    fn apply(&self, db: &sled::Db, upto: u64) -> Result<(), Error> {
        let mut after = None;
        loop {
            let chunk = self.chunk(after, upto);
            index::write(db, chunk.iter().map(|(key, _, value)| (key, value.as_ref())))?;
            self.applied(&chunk);
            if chunk.len() < CHUNK {
                break;
            }
            after = chunk.into_iter().next_back().map(|(key, ..)| key);
        }
        if self.lock().applied < upto {
            index::reached(db, upto)?;
            let mut state = self.lock();
            state.applied = upto;
            state.steps += 1;
            self.0.settled.notify_all();
        }
        Ok(())
    }

    fn chunk(&self, after: Option<Bytes>, upto: u64) -> Chunk {
        let mut state = self.lock();
        state.sort();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let due = state.newest.range((from, Bound::Unbounded)).filter(|(_, (sequence, _))| *sequence <= upto);
        due.take(CHUNK).map(|(key, (sequence, value))| (key.clone(), *sequence, value.clone())).collect()
    }

    fn applied(&self, chunk: &Chunk) {
        let mut state = self.lock();
        for (key, sequence, _) in chunk {
            // A later group may have written it again.
            if state.newest.get(key).is_some_and(|(newest, _)| newest == sequence)
                && let Some((_, value)) = state.newest.remove(key)
            {
                state.bytes -= size(key, value.as_ref());
            }
        }
        state.steps += 1;
        self.0.settled.notify_all();
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.newest.is_empty()
    }

    fn sort(&mut self) {
        while let Some((sequence, written)) = self.recent.pop_front() {
            for (key, value) in &*written {
                if let Some((_, old)) = self.newest.insert(key.clone(), (sequence, value.clone())) {
                    self.bytes -= size(key, old.as_ref());
                }
            }
        }
    }

    fn must_act(&self) -> bool {
        self.closed || self.wanted > self.applied || !self.jobs.is_empty()
    }
}

fn too_many() -> Error {
    Error::storage("making a checkpoint", "too many wait already")
}

fn silent() -> Error {
    Error::storage("writing the index of the records", "its engine does not answer")
}

fn size(key: &[u8], value: Option<&Bytes>) -> usize {
    key.len() + value.map_or(0, Bytes::len)
}

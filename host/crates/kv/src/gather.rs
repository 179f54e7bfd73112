//! The group that is gathered while the one before it is written.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::answer::Owed;
use crate::checkpoint::Reply;
use crate::error::Error;
use crate::frame::GroupWriter;
use crate::pending::Written;

/// Bytes at which a group takes no more transactions: with the one that passes it, far
/// below what is read back.
const GROUP_BYTES: usize = 32 << 20;
/// How long one more transaction may take to come, until a group is not waited for any
/// longer: about half of what the sync of another group would cost.
const PATIENCE: Duration = Duration::from_micros(80);
/// Checkpoints that may be asked for at once.
const ASKED_MAX: usize = 16;

/// See the module.
pub(crate) struct Gathering {
    state: Mutex<State>,
    /// Said when there may be something to write, or nothing any more.
    ready: Condvar,
    /// Said when a group was taken.
    taken: Notify,
    /// Transactions at which a group takes no more.
    count_max: usize,
}

/// Who is expected back: callers of the last group who make another transaction as
/// soon as they have their answer. Were they not waited for, they would be in one
/// group and those who came meanwhile in the next, and both would pay for their own
/// sync for ever.
#[derive(Debug)]
pub(crate) struct Returning {
    /// How many transactions the last group had.
    last: usize,
    /// How many had come by the time its callers were told.
    waiting: usize,
    /// How many of the callers come back, in parts of [`Returning::ALL`].
    share: usize,
}

impl Default for Returning {
    fn default() -> Self {
        Self { last: 0, waiting: 0, share: Self::ALL }
    }
}

impl Returning {
    const ALL: usize = 16;

    /// The callers of a group of so many are about to be told; so many wait already.
    pub(crate) fn told(&mut self, last: usize, waiting: usize) {
        (self.last, self.waiting) = (last, waiting);
    }

    fn expected(&self) -> usize {
        self.waiting + self.last * self.share / Self::ALL
    }

    /// Learns of how many there were at last. When all came who were expected, more are
    /// the next time.
    fn came(&mut self, count: usize) {
        let back = count.saturating_sub(self.waiting) * Self::ALL / self.last.max(1);
        self.share = if count >= self.expected() { self.share + 1 } else { back }.min(Self::ALL);
    }
}

/// What its lock holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) gathered: Gathered,
    /// What the group wrote that is being written: no reader sees it yet, and every
    /// later transaction does.
    pub(crate) under_way: Option<Arc<Written>>,
    /// How many transactions are waited for.
    expected: usize,
    /// Who asked for a checkpoint of what is gathered.
    asked: Vec<Reply>,
    /// Why no more is taken.
    broken: Option<Error>,
    closed: bool,
}

/// A group's transactions.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) group: GroupWriter,
    pub(crate) written: Written,
    /// How many there are, those included that wrote nothing.
    pub(crate) count: usize,
    pub(crate) ending: Owed,
}

impl State {
    /// Why no transaction is taken, if none is.
    pub(crate) fn refused(&self) -> Option<Error> {
        self.broken.clone().or_else(|| self.closed.then_some(Error::Closed))
    }

    /// Whether this was the transaction that somebody waits for.
    pub(crate) fn is_awaited(&self) -> bool {
        self.gathered.count == self.expected || (self.gathered.count == 1 && self.expected == 0)
    }

    fn is_idle(&self) -> bool {
        self.gathered.count == 0 && self.asked.is_empty()
    }
}

impl Gathering {
    /// Groups of so many transactions at most.
    pub(crate) fn new(count_max: usize) -> Self {
        let (state, ready, taken) = (Mutex::default(), Condvar::new(), Notify::new());
        Self { state, ready, taken, count_max: count_max.max(1) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next transaction must wait for the group to be taken.
    pub(crate) fn is_full(&self, state: &State) -> bool {
        state.gathered.group.len() >= GROUP_BYTES || state.gathered.count >= self.count_max
    }

    /// Waits until a group was taken, unless the one that is gathered takes more.
    pub(crate) async fn room(&self) {
        let taken = self.taken.notified();
        tokio::pin!(taken);
        taken.as_mut().enable();
        if self.is_full(&self.lock()) {
            taken.await;
        }
    }

    /// Says that there is something to write.
    pub(crate) fn say(&self) {
        self.ready.notify_one();
    }

    /// Waits for something to write; so long at most.
    pub(crate) fn wait_for(&self, time: Duration) {
        let nothing = |state: &mut State| state.is_idle() && !state.closed;
        drop(self.ready.wait_timeout_while(self.lock(), time, nothing).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits for something to write. `false` when nothing comes any more.
    pub(crate) fn wait(&self) -> bool {
        let nothing = |state: &mut State| state.is_idle() && !state.closed;
        let state = self.ready.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
        !state.is_idle()
    }

    /// How many transactions the group has.
    pub(crate) fn count(&self) -> usize {
        self.lock().gathered.count
    }

    /// Lets those who were told of the last group come back.
    pub(crate) fn gather(&self, returning: &mut Returning) {
        let expected = returning.expected();
        let mut state = self.lock();
        state.expected = expected;
        loop {
            let before = state.gathered.count;
            if before >= expected || state.closed {
                break;
            }
            // Asleep: those who come need the processor.
            let few = |state: &mut State| state.gathered.count < expected && !state.closed;
            state = self.ready.wait_timeout_while(state, PATIENCE, few).unwrap_or_else(PoisonError::into_inner).0;
            if state.gathered.count == before {
                break;
            }
        }
        state.expected = 0;
        returning.came(state.gathered.count);
    }

    /// Takes the group, whose writes are under way from now on; `None` when it is
    /// empty. The next one is gathered in `buffer`.
    pub(crate) fn take(&self, buffer: &mut GroupWriter) -> Option<(Gathered, Arc<Written>)> {
        let mut state = self.lock();
        if state.gathered.count == 0 {
            return None;
        }
        let empty = Gathered { group: std::mem::take(buffer), ..Gathered::default() };
        let mut gathered = std::mem::replace(&mut state.gathered, empty);
        state.gathered.written.reserve(gathered.count);
        state.gathered.ending.reserve(gathered.count);
        let written = Arc::new(std::mem::take(&mut gathered.written));
        state.under_way = Some(written.clone());
        drop(state);
        self.taken.notify_waiters();
        Some((gathered, written))
    }

    /// The group under way is where readers see it.
    pub(crate) fn done(&self) {
        self.lock().under_way = None;
    }

    /// The group under way will not be there: nor may be what was gathered upon
    /// it, which is told. After an unknown end no more is taken.
    pub(crate) fn undone(&self, error: &Error) {
        let mut state = self.lock();
        state.under_way = None;
        if !matches!(error, Error::Full { .. }) {
            state.broken.get_or_insert(error.clone());
        }
        let gathered = std::mem::take(&mut state.gathered);
        drop(state);
        self.taken.notify_waiters();
        if let Some(others) = gathered.ending.end(Err(error.clone())) {
            others.wake();
        }
    }

    /// Asks for a checkpoint.
    pub(crate) fn ask(&self, reply: Reply) -> Result<(), Error> {
        let mut state = self.lock();
        if let Some(error) = state.refused() {
            return Err(error);
        }
        if state.asked.len() >= ASKED_MAX {
            return Err(Error::storage("making a checkpoint", "too many wait already"));
        }
        state.asked.push(reply);
        drop(state);
        self.say();
        Ok(())
    }

    /// Who has asked.
    pub(crate) fn asked(&self) -> Vec<Reply> {
        std::mem::take(&mut self.lock().asked)
    }

    /// Why no more is taken, if it is not known what is on the disk.
    pub(crate) fn broken(&self) -> Option<Error> {
        self.lock().broken.clone()
    }

    /// Takes no more: it is not known what is on the disk.
    pub(crate) fn break_off(&self, error: Error) {
        self.lock().broken.get_or_insert(error);
    }

    /// Takes no more transactions.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

//! The group that is gathered while the one before it is written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
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
/// How often others get the processor while a group is gathered: some hundred
/// microseconds, less than the sync that another group would cost.
const PATIENCE: usize = 100;
/// Checkpoints that may be asked for at once.
const ASKED_MAX: usize = 16;

/// See the module.
#[derive(Default)]
pub(crate) struct Gathering {
    state: Mutex<State>,
    /// Said when there may be something to write, or nothing any more.
    ready: Condvar,
    /// Said when a group was taken.
    taken: Notify,
    /// How many transactions the group has, for those who only look.
    count: AtomicUsize,
    usual: AtomicUsize,
}

/// What its lock holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) gathered: Gathered,
    /// What the group wrote that is being written: no reader sees it yet, and every
    /// later transaction does.
    pub(crate) under_way: Option<Arc<Written>>,
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

    fn is_idle(&self) -> bool {
        self.gathered.count == 0 && self.asked.is_empty()
    }
}

impl Gathering {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next transaction must wait for a group to be taken.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().gathered.group.len() >= GROUP_BYTES
    }

    /// Waits until a group was taken, or may have been.
    pub(crate) async fn room(&self) {
        let taken = self.taken.notified();
        tokio::pin!(taken);
        taken.as_mut().enable();
        if self.is_full() {
            taken.await;
        }
    }

    /// Says that the group has so many transactions. Called with the lock held, for the
    /// order; then, without it, [`Gathering::say`].
    pub(crate) fn gathered(&self, count: usize) {
        self.count.store(count, Ordering::Relaxed);
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

    /// Lets those who were woken by the last group come back: until the group is as
    /// large as groups are of late, or after a moment.
    pub(crate) fn gather(&self) {
        for _ in 0..PATIENCE {
            if self.count.load(Ordering::Relaxed) >= self.usual.load(Ordering::Relaxed) {
                break;
            }
            thread::yield_now();
        }
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
        let written = Arc::new(std::mem::take(&mut gathered.written));
        state.under_way = Some(written.clone());
        self.count.store(0, Ordering::Relaxed);
        drop(state);
        self.taken.notify_waiters();
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store(gathered.count.max(usual - usual.div_ceil(4)), Ordering::Relaxed);
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
        self.count.store(0, Ordering::Relaxed);
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

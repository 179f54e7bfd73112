//! Transactions: each is run by its caller's own thread, one after the other under
//! one lock, into the group that is gathered; [`Writer`] brings groups to the disk.
//!
//! One lock, because that makes transactions serial without conflicts.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::checkpoint::Checkpointed;
use crate::error::Error;
use crate::gather::{Gathered, State};
use crate::seal::Keyring;
use crate::txn::{Making, Txn};
use crate::writer::{Journal, Writer};

/// What a transaction came to, and whether it is on the disk.
type Run<R, E> = (Result<R, E>, Answer);

/// Where transactions are run.
pub(crate) struct Committer {
    db: sled::Db,
    keys: Keyring,
    writer: Arc<Writer>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the thread that writes.
    pub(crate) fn start(db: sled::Db, keys: Keyring, writer: Arc<Writer>, journal: Journal) -> Result<Self, Error> {
        let run = {
            let writer = writer.clone();
            move || writer.run(journal)
        };
        let thread = thread::Builder::new().name("lamina-journal".into()).spawn(run);
        let thread = thread.map_err(|error| Error::storage("starting the journal's thread", error))?;
        Ok(Self { db, keys, writer, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) async fn commit<R, E>(
        &self,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut change = Some(change);
        let (result, answer) = loop {
            // In the poll that goes on to wait: the answer is told its task's waker.
            let run = poll_fn(|context| Poll::Ready(self.run(&mut change, context.waker()))).await?;
            match run {
                Some(run) => break run,
                None => self.writer.gathering.room().await,
            }
        };
        let synced = answer.await;
        result.and_then(|value| synced.map(|()| value).map_err(E::from))
    }

    /// Runs a transaction into the group that is gathered; `None`, and the transaction
    /// is still there, when that takes no more.
    fn run<R, E: From<Error>>(
        &self,
        change: &mut Option<impl FnOnce(&mut Txn<'_>) -> Result<R, E>>,
        waker: &Waker,
    ) -> Result<Option<Run<R, E>>, E> {
        let gathering = &self.writer.gathering;
        let mut state = gathering.lock();
        if let Some(error) = state.refused().or_else(|| self.writer.pending.broken()) {
            return Err(error.into());
        }
        if gathering.is_full(&state) {
            return Ok(None);
        }
        let Some(change) = change.take() else { return Ok(None) };
        let State { gathered, under_way, .. } = &mut *state;
        let Gathered { group, written, ending, count } = gathered;
        let (db, keys, pending) = (&self.db, &self.keys, &self.writer.pending);
        let under_way = under_way.as_deref();
        let result = transact(&mut Making { db, keys, pending, under_way, written, group }, change);
        let answer = ending.answer(waker);
        *count += 1;
        let is_awaited = state.is_awaited();
        drop(state);
        if is_awaited {
            gathering.say();
        }
        Ok(Some((result, answer)))
    }

    pub(crate) async fn checkpoint(&self) -> Result<Checkpointed, Error> {
        let (reply, answer) = oneshot::channel();
        self.writer.gathering.ask(reply)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Lets the transactions that wait end and refuses later ones. Blocks.
    pub(crate) fn close(&self) {
        self.writer.gathering.close();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

fn transact<R, E: From<Error>>(
    making: &mut Making<'_>,
    change: impl FnOnce(&mut Txn<'_>) -> Result<R, E>,
) -> Result<R, E> {
    let mut txn = Txn::new(making);
    match catch_unwind(AssertUnwindSafe(|| change(&mut txn))) {
        Ok(Ok(value)) => {
            let writes = txn.into_writes();
            making.take(writes);
            Ok(value)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Unended.into()),
    }
}

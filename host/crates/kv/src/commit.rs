//! Transactions: each is run by its caller's own thread, one after the other under
//! one lock, into the group that is gathered; [`Writer`] brings groups to the disk.
//!
//! One lock, because that makes transactions serial without conflicts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{Semaphore, oneshot};

use crate::answer::Answer;
use crate::checkpoint::Checkpointed;
use crate::error::Error;
use crate::gather::{Gathered, State};
use crate::seal::Keyring;
use crate::txn::{Making, Txn};
use crate::writer::{Journal, Writer};

/// Where transactions are run.
pub(crate) struct Committer {
    db: sled::Db,
    keys: Keyring,
    writer: Arc<Writer>,
    /// For as many transactions as may wait for the disk.
    room: Semaphore,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the thread that writes.
    pub(crate) fn start(
        db: sled::Db,
        keys: Keyring,
        writer: Arc<Writer>,
        journal: Journal,
        queue_max: usize,
    ) -> Result<Self, Error> {
        let run = {
            let writer = writer.clone();
            move || writer.run(journal)
        };
        let thread = thread::Builder::new().name("lamina-journal".into()).spawn(run);
        let thread = thread.map_err(|error| Error::storage("starting the journal's thread", error))?;
        let room = Semaphore::new(queue_max.max(1));
        Ok(Self { db, keys, writer, room, thread: Mutex::new(Some(thread)) })
    }

    pub(crate) async fn commit<R, E>(
        &self,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let _room = self.room.acquire().await.map_err(|_| Error::Closed)?;
        while self.writer.gathering.is_full() {
            self.writer.gathering.room().await;
        }
        let (result, answer) = self.run(change)?;
        let synced = answer.await;
        result.and_then(|value| synced.map(|()| value).map_err(E::from))
    }

    /// Runs a transaction into the group that is gathered.
    fn run<R, E: From<Error>>(
        &self,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, E>,
    ) -> Result<(Result<R, E>, Answer), E> {
        let mut state = self.writer.gathering.lock();
        if let Some(error) = state.refused().or_else(|| self.writer.pending.broken()) {
            return Err(error.into());
        }
        let State { gathered, under_way, .. } = &mut *state;
        let Gathered { group, written, ending, count } = gathered;
        let (db, keys, pending) = (&self.db, &self.keys, &self.writer.pending);
        let under_way = under_way.as_deref();
        let result = transact(&mut Making { db, keys, pending, under_way, written, group }, change);
        let answer = ending.answer();
        *count += 1;
        let count = *count;
        self.writer.gathering.gathered(count);
        drop(state);
        if count == 1 {
            self.writer.gathering.say();
        }
        Ok((result, answer))
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

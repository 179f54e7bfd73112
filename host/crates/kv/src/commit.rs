//! The one thread that writes: it runs the transactions that wait, one after
//! the other, flushes and syncs once for all of them, and then wakes their
//! callers.
//!
//! One thread, because that makes transactions serial without conflicts, and
//! because concurrent flushes of the engine can hang (sled #1241).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::disk::Syncer;
use crate::error::Error;
use crate::txn::Txn;

/// Transactions that share a flush at most.
const GROUP_MAX: usize = 256;

/// Runs one transaction, or answers its caller that the store no longer takes
/// any.
type Work = Box<dyn FnOnce(Result<&sled::Db, Error>) -> Applied + Send>;

/// A transaction that ran.
struct Applied {
    /// Set when the engine failed while it was written.
    broken: Option<Error>,
    /// Wakes the caller.
    finish: Box<dyn FnOnce(Result<(), Error>)>,
}

/// The way to the thread.
pub(crate) struct Committer {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    pub(crate) fn start(db: sled::Db, mut syncer: Syncer, queue_max: usize) -> Result<Self, Error> {
        // What the engine made at its first start must survive as well.
        sync(&db, &mut syncer)?;
        let (queue, waiting) = mpsc::channel(queue_max.max(1));
        let thread = thread::Builder::new().name("lamina-commit".into()).spawn(move || run(&db, syncer, waiting));
        let thread = thread.map_err(|error| Error::storage("starting the commit thread", error))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(crate) async fn commit<R, E>(
        &self,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or(Error::Closed)?;
        let (done, answer) = oneshot::channel();
        let work: Work = Box::new(move |db| {
            let (result, broken) = match db {
                Ok(db) => transact(db, change),
                Err(error) => (Err(error.into()), None),
            };
            let finish = move |synced: Result<(), Error>| {
                let result = result.and_then(|value| synced.map(|()| value).map_err(E::from));
                // A caller that left does not undo its write.
                let _ = done.send(result);
            };
            Applied { broken, finish: Box::new(finish) }
        });
        queue.send(work).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Lets the transactions that wait end and refuses later ones. Blocks.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The transaction's result, and the error that broke the engine, if one did.
fn transact<R, E: From<Error>>(
    db: &sled::Db,
    change: impl FnOnce(&mut Txn<'_>) -> Result<R, E>,
) -> (Result<R, E>, Option<Error>) {
    let mut txn = Txn::new(db);
    match catch_unwind(AssertUnwindSafe(|| change(&mut txn))) {
        Ok(Ok(value)) => match txn.apply() {
            Ok(()) => (Ok(value), None),
            Err(error) => (Err(error.clone().into()), Some(error)),
        },
        Ok(Err(error)) => (Err(error), None),
        Err(_) => (Err(Error::Unended.into()), None),
    }
}

fn run(db: &sled::Db, mut syncer: Syncer, mut waiting: mpsc::Receiver<Work>) {
    let mut broken: Option<Error> = None;
    let mut group = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while group.len() < GROUP_MAX
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let mut applied = Vec::with_capacity(group.len());
        for work in group.drain(..) {
            let done = work(broken.as_ref().map_or(Ok(db), |error| Err(error.clone())));
            broken = broken.or_else(|| done.broken.clone());
            applied.push(done);
        }
        // After a failed sync the kernel may have dropped what it could not
        // write, so that a later one would succeed without it: never go on.
        if broken.is_none() {
            broken = sync(db, &mut syncer).err();
        }
        let synced = broken.as_ref().map_or(Ok(()), |error| Err(error.clone()));
        for Applied { finish, .. } in applied {
            finish(synced.clone());
        }
    }
}

fn sync(db: &sled::Db, syncer: &mut Syncer) -> Result<(), Error> {
    db.flush().map_err(|error| Error::storage("flushing records", error))?;
    syncer.sync().map_err(|error| Error::storage("syncing records", error))
}

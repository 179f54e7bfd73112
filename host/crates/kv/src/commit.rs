//! The one thread that writes: it runs the transactions that wait, one after the
//! other, appends what they wrote to the journal as one group, syncs once, puts it
//! into the index, and then wakes their callers.
//!
//! One thread, because that makes transactions serial without conflicts.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::{Checkpointed, Job};
use crate::error::Error;
use crate::feed::{Committed, Feed};
use crate::frame::{GroupWriter, MacKey};
use crate::journal::{Failed, Tail};
use crate::pending::{Pending, Task, Written};
use crate::position::Position;
use crate::seal::Keyring;
use crate::txn::{Making, Txn};

/// Transactions that share a sync at most.
const GROUP_MAX: usize = 256;
/// Bytes at which a group takes no more of them: with the one that passes it, far
/// below what is read back.
const GROUP_BYTES: usize = 32 << 20;
/// How often others get the processor before a group is closed that has fewer
/// transactions than the one before: some hundred microseconds, less than the sync
/// that another group would cost.
const PATIENCE: usize = 200;
/// Bytes at which the journal goes on in another file, should no checkpoint have
/// come before.
const FILE_BYTES: u64 = 256 << 20;

/// Runs one transaction, or answers its caller that the store takes none.
type Work = Box<dyn FnOnce(Result<&mut Making<'_>, Error>) -> Finish + Send>;
/// Wakes the caller.
type Finish = Box<dyn FnOnce(Result<(), Error>)>;
/// Who waits for a checkpoint.
pub(crate) type Reply = oneshot::Sender<Result<Checkpointed, Error>>;

enum Message {
    Work(Work),
    Checkpoint(Reply),
}

/// The way to the thread.
pub(crate) struct Committer {
    queue: Mutex<Option<mpsc::Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
pub(crate) struct Writer {
    pub(crate) db: sled::Db,
    pub(crate) keys: Keyring,
    pub(crate) key: MacKey,
    pub(crate) tail: Tail,
    pub(crate) folder: lamina_disk::Folder,
    pub(crate) position: Arc<Position>,
    pub(crate) feed: Feed,
    pub(crate) pending: Pending,
    /// To the index's thread.
    pub(crate) tasks: mpsc::Sender<Task>,
    /// How many transactions the last group had.
    pub(crate) usual: usize,
}

impl Committer {
    pub(crate) fn start(writer: Writer, queue_max: usize) -> Result<Self, Error> {
        let (queue, waiting) = mpsc::channel(queue_max.max(1));
        let thread = thread::Builder::new().name("lamina-commit".into()).spawn(move || writer.run(waiting));
        let thread = thread.map_err(|error| Error::storage("starting the commit thread", error))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    fn queue(&self) -> Result<mpsc::Sender<Message>, Error> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
    }

    pub(crate) async fn commit<R, E>(
        &self,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let queue = self.queue()?;
        let (done, answer) = oneshot::channel();
        let work: Work = Box::new(move |making| {
            let result = match making {
                Ok(making) => transact(making, change),
                Err(error) => Err(error.into()),
            };
            Box::new(move |synced: Result<(), Error>| {
                let result = result.and_then(|value| synced.map(|()| value).map_err(E::from));
                // A caller that left does not undo its write.
                let _ = done.send(result);
            })
        });
        queue.send(Message::Work(work)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    pub(crate) async fn checkpoint(&self) -> Result<Checkpointed, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue()?.send(Message::Checkpoint(reply)).await.map_err(|_| Error::Closed)?;
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

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut broken: Option<Error> = None;
        let mut group = GroupWriter::default();
        while let Some(message) = waiting.blocking_recv() {
            broken = broken.or_else(|| self.pending.broken());
            match message {
                Message::Work(first) => {
                    let asked = self.group(first, &mut waiting, &mut group, &mut broken);
                    if broken.is_none() && (asked.is_some() || self.position.is_due()) {
                        self.checkpoint(asked, &mut broken);
                    } else if broken.is_none() && self.tail.at >= FILE_BYTES {
                        let _ = self.rotate(&mut broken);
                    }
                }
                Message::Checkpoint(reply) if broken.is_none() => self.checkpoint(Some(reply), &mut broken),
                Message::Checkpoint(reply) => {
                    let _ = reply.send(Err(broken.clone().unwrap_or(Error::Closed)));
                }
            }
        }
        // The end of this file is not the end of the journal then: damage there will
        // not look like a write that was cut off.
        if broken.is_none() && !self.tail.is_empty() {
            let _ = self.rotate(&mut broken);
        }
    }

    /// Runs the transactions that wait; a checkpoint that was asked for meanwhile
    /// comes after them.
    fn group(
        &mut self,
        first: Work,
        waiting: &mut mpsc::Receiver<Message>,
        group: &mut GroupWriter,
        broken: &mut Option<Error>,
    ) -> Option<Reply> {
        group.begin(self.tail.sequence + 1);
        let (db, keys, pending) = (&self.db, &self.keys, &self.pending);
        let mut making = Making { db, keys, pending, written: HashMap::new(), group, followed: Vec::new() };
        let mut finishes = vec![first(state(broken, &mut making))];
        let mut asked = None;
        let mut patience = PATIENCE;
        while finishes.len() < GROUP_MAX && making.group.len() < GROUP_BYTES {
            match waiting.try_recv() {
                Ok(Message::Work(next)) => finishes.push(next(state(broken, &mut making))),
                Ok(Message::Checkpoint(reply)) => {
                    asked = Some(reply);
                    break;
                }
                // Those who were woken by the last group are on their way back.
                Err(mpsc::error::TryRecvError::Empty) if finishes.len() < self.usual && patience > 0 => {
                    patience -= 1;
                    thread::yield_now();
                }
                Err(_) => break,
            }
        }
        self.usual = finishes.len();
        let Making { written, followed, .. } = making;
        let synced = match broken {
            Some(error) => Err(error.clone()),
            None if group.count() == 0 => Ok(()),
            None => self.write(group, written),
        };
        let synced = synced.map_err(|error| {
            if !matches!(error, Error::Full { .. }) {
                broken.get_or_insert(error.clone());
            }
            error
        });
        // A watcher that came meanwhile must not miss them.
        if synced.is_ok() && self.feed.is_followed() {
            self.follow(followed);
        }
        for finish in finishes {
            finish(synced.clone());
        }
        asked
    }

    fn write(&mut self, group: &mut GroupWriter, written: HashMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), Error> {
        let sequence = self.tail.sequence + u64::from(group.count());
        let before = self.tail.mac;
        let (bytes, mac) = group.finish(&self.key, &before);
        match self.tail.append(bytes, sequence, mac) {
            Ok(()) => {}
            Err(Failed::Clean(error)) => return Err(Error::Full { reason: error.to_string() }),
            Err(Failed::Unknown(error)) => return Err(Error::storage("writing records", error)),
        }
        // The index is brought up to it by its own thread; until then readers find it
        // with what is pending.
        let written: Written = Arc::new(written);
        self.pending.add(sequence, &written);
        self.position.appended(self.tail.first, self.tail.at, sequence, bytes.len() as u64);
        let task = Task::Apply { sequence, written };
        self.pending.send(&self.tasks, task).map_err(|(error, _)| error)
    }

    fn follow(&self, followed: Vec<crate::frame::Writes>) {
        let first = self.tail.sequence + 1 - followed.len() as u64;
        for (at, writes) in followed.into_iter().enumerate() {
            self.feed.send(Committed::new(first + at as u64, writes));
        }
    }

    /// Begins a new file. One of which it is not known whether it is there breaks the
    /// store: the journal must not go on in two.
    fn rotate(&mut self, broken: &mut Option<Error>) -> Result<(), Error> {
        match Tail::create(&self.folder, self.tail.sequence, self.tail.mac) {
            Ok(tail) => self.tail = tail,
            Err(failed) => {
                let is_unknown = matches!(failed, Failed::Unknown(_));
                let error = Error::storage("beginning a journal file", failed.into_error());
                if is_unknown {
                    broken.get_or_insert(error.clone());
                }
                return Err(error);
            }
        }
        self.position.rotated(self.tail.first, self.tail.at);
        Ok(())
    }

    /// Begins a new file, and has the export made beside the transactions.
    fn checkpoint(&mut self, reply: Option<Reply>, broken: &mut Option<Error>) {
        let rotated = if self.tail.is_empty() { Ok(()) } else { self.rotate(broken) };
        let job = Job { sequence: self.tail.sequence, chain: self.tail.mac, reply };
        if let Err(error) = rotated {
            self.position.put_off();
            return job.fail(error);
        }
        self.position.begun();
        // Behind all that the index has not got yet.
        if let Err((error, task)) = self.pending.send(&self.tasks, Task::Checkpoint(job)) {
            self.position.put_off();
            if let Task::Checkpoint(job) = task {
                job.fail(error);
            }
        }
    }
}

fn state<'a, 'b>(broken: &Option<Error>, making: &'a mut Making<'b>) -> Result<&'a mut Making<'b>, Error> {
    match broken {
        Some(error) => Err(error.clone()),
        None => Ok(making),
    }
}

//! The one thread that writes: it applies what waits, flushes once for all of
//! it, and then wakes those who wait.
//!
//! One thread, because concurrent flushes can hang (sled #1241); a blocking
//! flush, then `fdatasync` of sled's file, because its flush on Linux is
//! `sync_file_range`, which reaches neither the drive's cache nor the metadata.

use std::fs::File;
use std::path::Path;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// Batches that may wait for the thread; past it writers wait.
const QUEUE_MAX: usize = 1_024;
/// Batches that share a flush at most.
const GROUP_MAX: usize = 256;

struct Request {
    batch: sled::Batch,
    done: oneshot::Sender<Result<(), Error>>,
}

/// The way to the thread; it ends with the last clone.
#[derive(Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Request>,
}

impl Committer {
    pub(crate) fn start(db: sled::Db, folder: &Path) -> Result<Self, Error> {
        let storage =
            |reason: std::io::Error| Error::Storage { doing: "opening sled's files", reason: reason.to_string() };
        // What the engine made at its first start must survive as well.
        db.flush().map_err(|error| flush_error(&error))?;
        let file = File::open(folder.join("db")).map_err(storage)?;
        let directory = File::open(folder).map_err(storage)?;
        directory.sync_all().map_err(storage)?;
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let run = move || run(&db, &file, requests);
        thread::Builder::new().name("lamina-commit".into()).spawn(run).map_err(storage)?;
        Ok(Self { queue })
    }

    pub(crate) async fn commit(&self, batch: sled::Batch) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Request { batch, done }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

fn run(db: &sled::Db, file: &File, mut requests: mpsc::Receiver<Request>) {
    let mut group = Vec::new();
    while let Some(first) = requests.blocking_recv() {
        group.push(first);
        while group.len() < GROUP_MAX
            && let Ok(next) = requests.try_recv()
        {
            group.push(next);
        }
        let applied: Vec<_> = group.drain(..).map(|request| (db.apply_batch(request.batch), request.done)).collect();
        let synced = sync(db, file);
        for (applied, done) in applied {
            let applied =
                applied.map_err(|error| Error::Storage { doing: "writing records", reason: error.to_string() });
            // A writer that left does not undo its write.
            let _ = done.send(applied.and_then(|()| synced.clone()));
        }
    }
}

fn sync(db: &sled::Db, file: &File) -> Result<(), Error> {
    db.flush().map_err(|error| flush_error(&error))?;
    file.sync_data().map_err(|error| Error::Storage { doing: "syncing records", reason: error.to_string() })
}

fn flush_error(error: &sled::Error) -> Error {
    Error::Storage { doing: "flushing records", reason: error.to_string() }
}

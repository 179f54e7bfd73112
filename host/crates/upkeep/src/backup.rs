//! A backup of a platform that runs: a tar, written as fast as it is read.

mod plan;

use std::collections::HashSet;
use std::task::{Context, Poll};

use bytes::Bytes;
use lamina_types::Digest;
use tokio::sync::mpsc;

use self::plan::Plan;
use crate::error::Error;
use crate::upkeep::Upkeep;

/// Chunks that may wait for their reader.
const CHUNKS_MAX: usize = 8;

/// A backup that is being made: its bytes, in order. An error is the last item; what
/// came before it is a tar that says why it is no backup. Dropped, it is given up.
#[derive(Debug)]
pub struct Backup {
    /// The last transaction that is in it.
    pub sequence: u64,
    /// Its size, if nothing fails.
    pub bytes: u64,
    chunks: mpsc::Receiver<Result<Bytes, Error>>,
}

impl Backup {
    /// The next bytes; `None` at the end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.chunks.poll_recv(cx)
    }

    /// The next bytes; `None` at the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.chunks.recv().await
    }
}

impl Upkeep {
    /// Begins a backup of everything that was acknowledged; with `since`, of what
    /// came after that transaction, without the artifacts in `have`. What it reads
    /// is kept until it ends, and nobody waits for it. Dropped half-way, nothing is
    /// left behind.
    pub async fn backup(&self, since: u64, have: HashSet<Digest>) -> Result<Backup, Error> {
        // Before the look at the records: what they refer to then is not removed.
        let hold = self.deps.artifacts.hold();
        let view = self.view(since).await?;
        // After it: an entry is in those records or in the log, or in both.
        self.deps.registry.settle_audit().await;
        let this = self.clone();
        let plan = tokio::task::spawn_blocking(move || Plan::new(this, view, since, &have)).await??;
        let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
        let backup = Backup { sequence: plan.sequence(), bytes: plan.bytes(), chunks };
        tokio::task::spawn_blocking(move || {
            plan.write(&sender);
            drop(hold);
        });
        Ok(backup)
    }
}

//! The audit trail: entries are committed with the change they are about, and
//! moved from there into the log.

use std::sync::Arc;

use lamina_audit::{Entry, Head, Log};
use lamina_kv::{Store, Txn};
use lamina_types::{Actor, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::draft::{Draft, Write};
use crate::error::Error;
use crate::records::{AUDIT, audit_key};
use crate::registry::{Registry, Shared};

/// Entries that may wait for the log; past it, while the log cannot be written, no
/// change is made that it would have to tell of.
const WAITING_MAX: u64 = 10_000;
/// What is kept of a reason.
const REASON_BYTES_MAX: usize = 4 << 10;
/// Entries that are moved at a time.
const MOVED_MAX: usize = 500;

/// Something an auditor asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    action: &'static str,
    detail: Map<String, Value>,
}

impl Event {
    /// One of this name, without detail.
    pub fn new(action: &'static str) -> Self {
        Self { action, detail: Map::new() }
    }

    /// With why it happened, as far as it fits.
    pub fn because(self, reason: &str) -> Self {
        let reason = &reason[..reason.floor_char_boundary(REASON_BYTES_MAX)];
        self.with("reason", reason)
    }

    /// With one fact more. Never a secret: the log is for others to read.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// The log, and who moves entries into it.
pub(crate) struct Trail {
    log: Arc<Log>,
    /// Held while entries are moved.
    moving: Mutex<()>,
}

/// Numbers of entries; with the writer.
#[derive(Clone)]
pub(crate) struct Numbers {
    last: u64,
    log: Arc<Log>,
}

impl Trail {
    /// Blocks.
    pub(crate) fn open(log: Arc<Log>, store: &Store) -> Result<(Self, Numbers), Error> {
        let waiting: Vec<Entry> = store.scan(&AUDIT)?.into_iter().map(|(_, entry)| entry).collect();
        log.append(&waiting)?;
        let (last, _) = log.last();
        Ok((Self { log: log.clone(), moving: Mutex::new(()) }, Numbers { last, log }))
    }
}

impl Numbers {
    /// The entries of a change that is about to be committed.
    pub(crate) fn entries(&mut self, events: Vec<Event>, by: &Actor, now: Timestamp) -> Result<Vec<Entry>, Error> {
        if !events.is_empty() && self.last.saturating_sub(self.log.last().0) >= WAITING_MAX {
            return Err(Error::AuditLogFull { max: WAITING_MAX });
        }
        let entries = events.into_iter().map(|event| {
            self.last += 1;
            Entry {
                n: self.last,
                at: now.millis(),
                principal: by.principal.clone(),
                request: by.request.as_ref().map(ToString::to_string),
                action: event.action.to_owned(),
                detail: event.detail,
            }
        });
        Ok(entries.collect())
    }
}

pub(crate) fn write(entry: Entry) -> Write {
    Box::new(move |txn: &mut Txn<'_>| txn.put(&AUDIT, &audit_key(entry.n), &entry))
}

impl Shared {
    /// Moves what waits into the log. What fails is said and tried again with the
    /// next entry, or at the next start.
    pub(crate) async fn move_entries(&self) {
        let _moving = self.trail.moving.lock().await;
        loop {
            match self.move_some().await {
                Ok(moved) if moved < MOVED_MAX => return,
                Ok(_) => {}
                Err(error) => return tracing::error!(%error, "the audit log could not be written"),
            }
        }
    }

    async fn move_some(&self) -> Result<usize, Error> {
        let entries: Vec<Entry> =
            self.store.scan_page(&AUDIT, None, MOVED_MAX)?.into_iter().map(|(_, entry)| entry).collect();
        let (numbers, log) = (entries.iter().map(|entry| entry.n).collect::<Vec<_>>(), self.trail.log.clone());
        if numbers.is_empty() {
            return Ok(0);
        }
        let appended = tokio::task::spawn_blocking(move || log.append(&entries)).await;
        appended.map_err(|error| Error::Inconsistent(error.to_string()))??;
        let moved = numbers.len();
        let remove = move |txn: &mut Txn<'_>| numbers.iter().try_for_each(|n| txn.remove(&AUDIT, &audit_key(*n)));
        self.store.commit::<(), lamina_kv::Error>(remove).await?;
        Ok(moved)
    }
}

impl Registry {
    /// Puts an entry into the audit log that no change belongs to. Durable when it
    /// returns. Dropped half-way, it is put all the same.
    pub async fn audit(&self, event: Event) -> Result<(), Error> {
        let record = move |draft: &mut Draft<'_>| {
            draft.audit(event);
            Ok(())
        };
        self.write(record).await
    }

    /// As [`Registry::audit`], by a task of the registry's own; a failure is said in
    /// the platform's diagnostics. Must be called inside a tokio runtime.
    pub fn audit_later(&self, event: Event) {
        let this = self.clone();
        self.tasks.spawn(async move {
            if let Err(error) = this.audit(event).await {
                tracing::error!(%error, "the audit log could not be told of something");
            }
        });
    }

    /// Lines of the audit log after this entry, in order, with what waited for it.
    pub async fn audit_lines(&self, after: u64, limit: usize) -> Result<Vec<String>, Error> {
        self.settle_audit().await;
        let log = self.shared.trail.log.clone();
        let lines = tokio::task::spawn_blocking(move || log.read(after, limit)).await;
        Ok(lines.map_err(|error| Error::Inconsistent(error.to_string()))??)
    }

    /// Signs the audit log's head as it is now; `None` while the log is empty.
    pub async fn sign_audit_head(&self) -> Result<Option<Head>, Error> {
        self.settle_audit().await;
        let (log, now) = (self.shared.trail.log.clone(), self.shared.now());
        if log.last().0 == 0 {
            return Ok(None);
        }
        let head = tokio::task::spawn_blocking(move || log.sign(now.millis())).await;
        Ok(Some(head.map_err(|error| Error::Inconsistent(error.to_string()))??))
    }

    /// The key that heads are signed with.
    pub fn audit_public_key(&self) -> [u8; 32] {
        self.shared.trail.log.public_key()
    }

    /// Moves what waits into the audit log.
    pub async fn settle_audit(&self) {
        self.shared.move_entries().await;
    }
}

//! Snapshots of versions that ask for them: an instance of the component that has
//! initialized becomes a component of its own, whose instances begin there. Made in the
//! background, drawn in `host/ARCHITECTURE.md`. The component itself serves while there
//! is none.

mod capture;
mod functions;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lamina_kit::{OnceMap, Tasks};
use lamina_types::{Digest, FunctionName, ResolvedFunction, SnapshotId, Timestamp, Version};
use tokio::sync::{Semaphore, mpsc};
use wasmtime::Engine;

use crate::code::{BundleSlot, Held, Loaded, Room};
use crate::config::Config;
use crate::error::CodeError;
use crate::image::SnapshotKey;
use crate::runtime::{Runtime, Shared};

pub(crate) use functions::Functions;

/// The kind of derived files that snapshots are, and runtimes that are instrumented.
const SNAPSHOTS: &str = "snapshots";

/// Versions whose snapshot is to be made; past it a version is without until its code is
/// loaded again.
const WAITING_MAX: usize = 1_000;
/// Versions of which it is remembered why they have none; past it all are forgotten, and
/// tried once more.
const REFUSED_MAX: usize = 10_000;

/// The largest snapshot: of what an instance holds, and of the image that is made of it.
const SNAPSHOT_BYTES_MAX: u64 = 512 << 20;
/// Ends of which nobody has heard yet; past it they are dropped, and their versions go on
/// saying what they said.
const ENDS_MAX: usize = 1_000;
/// What is logged of a guest's type of an error.
const LOGGED_CHARS_MAX: usize = 100;

/// Why a version has no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSnapshot {
    /// It cannot have one: for its author.
    #[error("{0}")]
    Refused(String),
    /// The same: its own code failed, and says so in its own words.
    #[error("{what}: {error_type}: {message}")]
    Own {
        /// What it was to do.
        what: &'static str,
        /// The type of the error.
        error_type: String,
        /// For its author alone.
        message: String,
    },
    /// It can be tried again.
    #[error("{0}")]
    Failed(String),
}

/// What became of a snapshot that nobody waited for: it was made again, or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// The function.
    pub name: FunctionName,
    /// Its version.
    pub version: Version,
    /// Whether calls are restored from it from now on, or why not: for its author.
    pub end: Result<(), String>,
}

/// Why there is no code from a snapshot.
enum NotRestored {
    Missing,
    Code(CodeError),
}

impl From<CodeError> for NotRestored {
    fn from(error: CodeError) -> Self {
        Self::Code(error)
    }
}

pub(crate) struct Snapshots {
    key: SnapshotKey,
    room: Room,
    bytes_max: usize,
    loaded_max: usize,
    pub(crate) loaded: OnceMap<SnapshotId, Arc<Loaded>>,
    refused: Mutex<HashMap<SnapshotId, Arc<str>>>,
    waiting: Mutex<HashSet<SnapshotId>>,
    /// One is made at a time.
    worker: Semaphore,
    /// By runtime component: dropped when none was made for a while.
    compilers: Mutex<Vec<(Digest, Engine)>>,
    made: AtomicU64,
    ends: mpsc::Sender<SnapshotEnd>,
    /// Until somebody takes it.
    heard: Mutex<Option<mpsc::Receiver<SnapshotEnd>>>,
    tasks: Tasks,
    /// Not waited for.
    idle: Tasks,
}

impl Snapshots {
    pub(crate) fn new(host_key: &[u8; 32], config: &Config) -> Self {
        let (ends, heard) = mpsc::channel(ENDS_MAX);
        Self {
            key: SnapshotKey::derive(host_key),
            room: Room::new(config.snapshots_bytes_max),
            bytes_max: config.snapshots_bytes_max,
            loaded_max: config.images_max,
            loaded: OnceMap::new(config.images_max),
            refused: Mutex::default(),
            waiting: Mutex::default(),
            worker: Semaphore::new(1),
            compilers: Mutex::default(),
            made: AtomicU64::new(0),
            ends,
            heard: Mutex::new(Some(heard)),
            tasks: Tasks::new(),
            idle: Tasks::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<SnapshotId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compilers(&self) -> MutexGuard<'_, Vec<(Digest, Engine)>> {
        self.compilers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<SnapshotId, Arc<str>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, function: &ResolvedFunction, end: Result<(), String>) {
        let end = SnapshotEnd { name: function.name.clone(), version: function.version, end };
        if self.ends.try_send(end).is_err() {
            tracing::warn!(function = %function.name, version = %function.version, "nobody hears what became of a snapshot");
        }
    }

    /// Room for a snapshot, for which those used longest ago go. None for one that has
    /// none even alone.
    fn room(&self, bytes: usize) -> Option<Held> {
        if bytes > self.bytes_max {
            return None;
        }
        // Each round one goes; others may come meanwhile.
        (0..=self.loaded_max).find_map(|round| {
            let is_left = round == 0 || self.loaded.forget_oldest();
            is_left.then(|| self.room.hold(bytes)).flatten()
        })
    }

    /// Waits until none is being made, at most this long.
    pub(crate) async fn settled(&self, grace: Duration) -> bool {
        self.tasks.drain(grace).await
    }
}

impl Runtime {
    /// Makes the snapshot of a version that asks for one, unless it is there. Others
    /// that are being made come first.
    pub async fn snapshot(&self, function: &Arc<ResolvedFunction>) -> Result<(), NoSnapshot> {
        self.shared.clone().snapshot(function).await
    }

    /// What becomes of snapshots that nobody waited for, from now on. `None` for all but
    /// who asks first. It ends with the last clone of the runtime.
    pub fn snapshot_ends(&self) -> Option<mpsc::Receiver<SnapshotEnd>> {
        self.shared.snapshots.heard.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The name that a version's snapshot has among the derived files of kind
    /// `snapshots`; none for a version that asks for none.
    pub fn snapshot_name(&self, function: &ResolvedFunction) -> Option<String> {
        Some(self.shared.snapshots.key.file_name(function.snapshot.as_ref()?))
    }
}

impl Shared {
    /// A snapshot that is loaded.
    pub(crate) fn snapshotted(&self, function: &ResolvedFunction) -> Option<Arc<Loaded>> {
        self.snapshots.loaded.get(function.snapshot.as_ref()?)
    }

    /// A snapshot from the disk; none where there is none.
    pub(crate) async fn restore(&self, function: &ResolvedFunction) -> Result<Option<Arc<Loaded>>, CodeError> {
        let Some(id) = function.snapshot else { return Ok(None) };
        if self.snapshots.refused().contains_key(&id) {
            return Ok(None);
        }
        match self.snapshots.loaded.get_or_make(&id, || self.read_snapshot(id)).await {
            Ok(loaded) => Ok(Some(loaded)),
            Err(NotRestored::Missing) => Ok(None),
            Err(NotRestored::Code(error)) => Err(error),
        }
    }

    /// Asks for a snapshot, from the disk or made; nobody waits for it.
    pub(crate) fn want_snapshot(self: &Arc<Self>, function: &ResolvedFunction) {
        let Some(id) = function.snapshot else { return };
        let snapshots = &self.snapshots;
        if snapshots.refused().contains_key(&id) {
            return;
        }
        let mut waiting = snapshots.waiting();
        if waiting.len() >= WAITING_MAX || !waiting.insert(id) {
            return;
        }
        drop(waiting);
        let (shared, function) = (self.clone(), Arc::new(function.clone()));
        snapshots.tasks.spawn(async move {
            match shared.clone().snapshot(&function).await {
                Ok(()) => shared.snapshots.ended(&function, Ok(())),
                Err(NoSnapshot::Failed(reason)) => {
                    let (name, version) = (&function.name, function.version);
                    tracing::warn!(function = %name, %version, reason, "a snapshot could not be made");
                }
                // It is in the log.
                Err(error) => shared.snapshots.ended(&function, Err(error.to_string())),
            }
            shared.snapshots.waiting().remove(&id);
        });
    }

    async fn snapshot(self: Arc<Self>, function: &Arc<ResolvedFunction>) -> Result<(), NoSnapshot> {
        let failed = |error: CodeError| NoSnapshot::Failed(error.to_string());
        let Some(id) = function.snapshot else {
            return Err(NoSnapshot::Refused("the version does not ask for one".to_owned()));
        };
        let permit = self.snapshots.worker.acquire().await;
        let _permit = permit.map_err(|error| NoSnapshot::Failed(error.to_string()))?;
        if let Some(reason) = self.snapshots.refused().get(&id) {
            return Err(NoSnapshot::Refused(reason.to_string()));
        }
        if self.snapshotted(function).is_some() || self.restore(function).await.map_err(failed)?.is_some() {
            return Ok(());
        }
        if let Err(error) = self.capture(function, id).await {
            match &error {
                NoSnapshot::Refused(reason) => self.refuse_snapshot(function, id, reason, reason),
                NoSnapshot::Own { what, error_type, .. } => {
                    let error_type: String = error_type.chars().take(LOGGED_CHARS_MAX).collect();
                    self.refuse_snapshot(function, id, &error.to_string(), &format!("{what}: {error_type}"));
                }
                NoSnapshot::Failed(_) => {}
            }
            return Err(error);
        }
        // Through every check of a load.
        match self.restore(function).await.map_err(failed)? {
            Some(_) => Ok(()),
            None => Err(NoSnapshot::Failed("it was made, and is not there".to_owned())),
        }
    }

    /// Remembers that a version cannot have a snapshot. What is logged of the reason holds
    /// nothing that its author wrote.
    fn refuse_snapshot(&self, function: &ResolvedFunction, id: SnapshotId, reason: &str, logged: &str) {
        let (name, version) = (&function.name, function.version);
        tracing::warn!(function = %name, %version, reason = logged, "a version runs without a snapshot");
        let mut refused = self.snapshots.refused();
        if refused.len() >= REFUSED_MAX {
            refused.clear();
        }
        refused.insert(id, reason.into());
    }

    /// Gives up a snapshot whose instance used what it did not hold: the calls from now
    /// on run without.
    pub(crate) fn spoil_snapshot(self: &Arc<Self>, function: &ResolvedFunction) {
        let Some(id) = function.snapshot else { return };
        let reason = "a call used a file or a stream that its init had opened";
        self.refuse_snapshot(function, id, reason, reason);
        self.snapshots.ended(function, Err(reason.to_owned()));
        self.snapshots.loaded.retain(|other| *other != id);
        let (shared, name) = (self.clone(), self.snapshots.key.file_name(&id));
        self.snapshots.tasks.spawn(async move {
            let _ = shared.loader.artifacts.remove_derived(SNAPSHOTS, &name).await;
        });
    }

    async fn read_snapshot(&self, id: SnapshotId) -> Result<Arc<Loaded>, NotRestored> {
        let (component, name) = (id.code.component, self.snapshots.key.file_name(&id));
        let sealed = match self.loader.artifacts.get_derived(SNAPSHOTS, &name).await {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Err(NotRestored::Missing),
            Err(error) => {
                tracing::warn!(%component, %error, "a snapshot cannot be read and is made again");
                return Err(NotRestored::Missing);
            }
        };
        // A snapshot may run as long as what it was made of may.
        self.loader.checked(&component).await?;
        let mounts = self.mounts(&id.code).await?;
        let host = self.host(&id.code)?;
        let held = self.snapshots.room(sealed.len()).ok_or(NotRestored::Missing)?;
        let (engine, key) = (host.engine.clone(), self.snapshots.key.clone());
        let open = move || {
            let image = key.open(&engine, &id, &sealed).map_err(|error| error.to_string())?;
            image.load(&engine).map_err(|error| format!("{error:#}"))
        };
        let opened = tokio::task::spawn_blocking(open).await.map_err(|error| error.to_string());
        let linked = match opened.and_then(|opened| opened) {
            Ok(opened) => self.linked(host, component, &opened)?,
            Err(reason) => {
                tracing::warn!(%component, reason, "a snapshot is discarded and made again");
                let _ = self.loader.artifacts.remove_derived(SNAPSHOTS, &name).await;
                return Err(NotRestored::Missing);
            }
        };
        let now = Timestamp(self.clock.epoch_micros());
        let loaded = Loaded::new(Arc::new(linked), mounts, BundleSlot::default(), now, self.ids.random16());
        Ok(Arc::new(loaded.snapshotted(held)))
    }
}

//! All groups, and what is done for them all.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use lamina_disk::Folder;
use lamina_kit::Clock;
use lamina_telemetry::Logs;
use lamina_types::Timestamp;

use crate::config::Config;
use crate::error::{Damage, Error};
use crate::group::{Bounds, Group, folder_name};
use crate::read::{Found, Query, Snapshot};
use crate::thread;

/// Turns that one caller takes at a group: more lines than memory holds of it.
pub(crate) const ROUNDS_MAX: usize = 16;

/// Log groups on the disk. Clones share them. Everything here blocks.
#[derive(Clone)]
pub struct LogStore {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) logs: Logs,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stopping: AtomicBool,
    root: Folder,
    groups: RwLock<BTreeMap<Arc<str>, Arc<Group>>>,
    /// Held while groups are made and removed.
    changing: Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LogStore {
    /// Opens the folder `logs` of a data directory, cuts away writes that were cut
    /// off, removes what is past its bounds, and begins to keep what `logs` takes.
    /// What is damaged is named and passed over.
    pub fn open(root: Folder, logs: Logs, clock: Arc<dyn Clock>, config: Config) -> Result<(Self, Vec<Damage>), Error> {
        let (store, damage) = Self::read(root, logs, clock, config)?;
        let thread = thread::start(store.shared.clone()).map_err(Error::io("starting the thread of the logs"))?;
        *store.shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok((store, damage))
    }

    /// As [`LogStore::open`], with nobody to take lines but who calls
    /// [`LogStore::drain`].
    pub fn read(root: Folder, logs: Logs, clock: Arc<dyn Clock>, config: Config) -> Result<(Self, Vec<Damage>), Error> {
        let mut damage = Vec::new();
        let mut groups = BTreeMap::new();
        let mut last = 0;
        for id in root.names(".").map_err(Error::io("reading the folder of the logs"))? {
            let opening = Error::io(format!("opening the log group in logs/{id}"));
            if id.len() != 32 || !root.dir().is_dir(&id) {
                continue;
            }
            if let Some(group) = Group::open(&root, &id, &mut damage).map_err(opening)? {
                last = last.max(group.lock().last_sequence);
                groups.insert(group.name.clone(), Arc::new(group));
            }
        }
        // Greater than any number that was given, also of lines that were lost: none
        // writes a million lines a second.
        logs.number_after(last.max(clock.epoch_micros()));
        let shared = Shared {
            config,
            logs,
            clock,
            stopping: AtomicBool::new(false),
            root,
            groups: RwLock::new(groups),
            changing: Mutex::new(()),
            thread: Mutex::new(None),
        };
        let store = Self { shared: Arc::new(shared) };
        store.shared.tidy().map_err(Error::io("removing old log lines"))?;
        Ok((store, damage))
    }

    /// Keeps what is in memory, and stops. Lines that are written afterwards are
    /// lost.
    pub fn close(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.logs.wake();
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps the logs has died");
        }
        self.drain();
        for group in self.shared.groups() {
            if let Err(error) = group.close() {
                tracing::warn!(%error, group = %group.name, "a log's index was not written; the next start makes it");
            }
        }
    }

    /// Keeps what is in memory now.
    pub fn drain(&self) {
        let logs = &self.shared.logs;
        let mut unkept: BTreeSet<Arc<str>> = logs.unkept(std::time::Duration::ZERO).into_iter().collect();
        // And what the thread is about to keep: a new group is not there before it has.
        unkept.extend(logs.untaken());
        for name in unkept {
            // A flood that goes on is the thread's business.
            if (0..ROUNDS_MAX).all(|_| self.shared.keep(&name)) {
                self.shared.logs.remind(&name);
            }
        }
    }

    /// Removes what is past its bounds now; done every minute anyway.
    pub fn tidy(&self) -> Result<(), Error> {
        self.shared.tidy().map_err(Error::io("removing old log lines"))
    }

    /// The lines of a group that are asked for.
    pub fn find(&self, group: &str, query: &Query<'_>) -> Result<Found, Error> {
        let shared = &self.shared;
        let group = self.group(group)?;
        Snapshot::of(group, &shared.logs, shared.now()).read(query, &*shared.clock)
    }

    /// A group that is there, or has lines in memory.
    pub(crate) fn group(&self, name: &str) -> Result<Arc<Group>, Error> {
        let shared = &self.shared;
        if let Some(group) = shared.known(name) {
            return Ok(group);
        }
        // One that is new has its lines in memory only.
        if shared.logs.peek(name, 0).is_some() {
            shared.keep(name);
        }
        shared.known(name).ok_or_else(|| Error::NoGroup(name.to_owned()))
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.epoch_micros())
    }

    fn bounds(&self) -> Bounds {
        Bounds { config: self.config, now: self.now() }
    }

    pub(crate) fn groups(&self) -> Vec<Arc<Group>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn known(&self, name: &str) -> Option<Arc<Group>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Groups are made and removed by one at a time.
    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a group. The caller holds `changing`.
    pub(crate) fn make(&self, name: &str) -> io::Result<Arc<Group>> {
        let group = Arc::new(Group::create(name, &self.root, self.now())?);
        self.groups.write().unwrap_or_else(PoisonError::into_inner).insert(group.name.clone(), group.clone());
        Ok(group)
    }

    /// Removes a group with its lines, those in memory too. The caller holds
    /// `changing`.
    pub(crate) fn remove(&self, group: &Group) -> io::Result<()> {
        let mut state = group.lock();
        if std::mem::replace(&mut state.removed, true) {
            // Its folder may be another's of its name by now.
            return Ok(());
        }
        self.groups.write().unwrap_or_else(PoisonError::into_inner).remove(&group.name);
        while let Some(batch) = self.logs.batch(&group.name, state.last_sequence) {
            state.last_sequence = batch.last_sequence();
            self.logs.release(&group.name, state.last_sequence, batch.lost);
        }
        self.root.remove_all(&folder_name(&group.name))
    }

    fn for_lines(&self, name: &str) -> io::Result<Arc<Group>> {
        if let Some(group) = self.known(name) {
            return Ok(group);
        }
        let _changing = self.changing();
        if let Some(group) = self.known(name) {
            return Ok(group);
        }
        let groups = self.groups();
        if groups.len() >= self.config.groups_max {
            let stalest = groups.into_iter().min_by_key(|group| group.lock().written);
            if let Some(stalest) = stalest {
                tracing::warn!(group = %stalest.name, "the log group written to longest ago was removed: there are too many");
                self.remove(&stalest)?;
            }
        }
        self.make(name)
    }

    /// Keeps some lines of a group. Whether there may be more to keep now; after an
    /// error there is not.
    pub(crate) fn keep(&self, name: &str) -> bool {
        match self.try_keep(name) {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(%error, group = name, "log lines could not be kept and stay in memory");
                self.logs.remind(name);
                false
            }
        }
    }

    pub(crate) fn try_keep(&self, name: &str) -> io::Result<bool> {
        loop {
            let group = self.for_lines(name)?;
            // One that was removed meanwhile is made again.
            if let Some(more) = group.drain(&self.logs, || self.bounds())? {
                return Ok(more);
            }
        }
    }

    /// Removes what is past its group's retention, and the oldest lines of the
    /// largest groups while all have more bytes than they may.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let now = self.now();
        for group in self.groups() {
            group.expire(now)?;
        }
        self.bound()
    }

    /// The second half of [`Shared::tidy`].
    pub(crate) fn bound(&self) -> io::Result<()> {
        let groups = self.groups();
        let mut sizes: Vec<u64> = groups.iter().map(|group| group.lock().bytes).collect();
        let mut all: u64 = sizes.iter().sum();
        while all > self.config.bytes_max {
            let largest = sizes.iter().enumerate().max_by_key(|(_, bytes)| **bytes).map(|(at, _)| at);
            let Some((group, size)) = largest.and_then(|at| Some((groups.get(at)?, sizes.get_mut(at)?))) else { break };
            let removed = group.remove_oldest(&mut group.lock())?;
            if removed == 0 {
                break;
            }
            all = all.saturating_sub(removed);
            *size = size.saturating_sub(removed);
        }
        Ok(())
    }
}

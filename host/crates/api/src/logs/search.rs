//! Looking for lines, on the threads that may block, and not on too many of them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use lamina_logs::{Damage, Error, Found, LogStore, Pattern, Position, Query, Streams};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Searches at a time; more wait. Each reads the disk and compares lines on a core.
const AT_A_TIME: usize = 4;
/// Bytes of the disk that one request reads; the next one goes on.
const SCAN_BYTES_MAX: u64 = 64 << 20;
/// Places that are told of as damaged.
const TOLD_MAX: usize = 1_000;

/// Which streams of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Named(Vec<String>),
    AnyPrefix(Vec<String>),
}

/// What is looked for; see [`Query`].
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) group: String,
    pub(crate) streams: Which,
    pub(crate) start_ms: Option<u64>,
    pub(crate) end_ms: Option<u64>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) call: Option<String>,
    pub(crate) from: Position,
    pub(crate) lines_max: usize,
    pub(crate) bytes_max: usize,
}

impl Search {
    /// Every line of a group.
    pub(crate) fn of(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            streams: Which::All,
            start_ms: None,
            end_ms: None,
            pattern: None,
            call: None,
            from: Position::After(0),
            lines_max: usize::MAX,
            bytes_max: usize::MAX,
        }
    }

    fn query(&self) -> Query<'_> {
        Query {
            streams: match &self.streams {
                Which::All => Streams::All,
                Which::Named(names) => Streams::Named(names),
                Which::AnyPrefix(prefixes) => Streams::AnyPrefix(prefixes),
            },
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            pattern: self.pattern.as_ref(),
            call: self.call.as_deref(),
            from: self.from,
            lines_max: self.lines_max,
            bytes_max: self.bytes_max,
            scan_bytes_max: SCAN_BYTES_MAX,
        }
    }
}

/// Where searches run. Clones share it.
#[derive(Clone)]
pub(crate) struct Searcher {
    store: LogStore,
    permits: Arc<Semaphore>,
    /// Damage that was told of, by file and byte.
    told: Arc<Mutex<HashSet<(String, u64)>>>,
}

impl Searcher {
    pub(crate) fn new(store: LogStore) -> Self {
        Self { store, permits: Arc::new(Semaphore::new(AT_A_TIME)), told: Arc::default() }
    }

    /// Does something with the store on a thread that may block. Dropped half-way, it
    /// is done all the same.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LogStore) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, ApiError> {
        let permit = self.permits.clone().acquire_owned().await;
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&store)
        });
        done.await.map_err(|error| ApiError::internal(format!("work on the logs died: {error}")))
    }

    /// Tells of damage once: it is met by every search that comes by.
    fn tell(&self, damage: &Damage) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD_MAX && told.insert((damage.file.clone(), damage.offset)) {
            tracing::warn!(%damage, "log lines could not be read");
        }
    }

    /// Looks; `None` when there is no such group.
    pub(crate) async fn run(&self, search: Search) -> Result<Option<Found>, ApiError> {
        match self.blocking(move |store| store.find(&search.group, &search.query())).await? {
            Ok(found) => {
                found.damage.iter().for_each(|damage| self.tell(damage));
                Ok(Some(found))
            }
            Err(Error::NoGroup(_)) => Ok(None),
            Err(error) => Err(ApiError::internal(format!("reading logs: {error}"))),
        }
    }
}

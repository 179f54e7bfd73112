//! What upkeep works on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use lamina_artifacts::Artifacts;
use lamina_disk::Folder;
use lamina_kit::Clock;
use lamina_kv::{Files, Store};
use lamina_registry::Registry;
use lamina_types::{Digest, Timestamp};
use tokio::sync::Notify;

use crate::error::Error;
use crate::stats::Scrub;

/// The parts of a platform that runs.
pub struct Deps {
    /// The data directory.
    pub data: Folder,
    /// The records' files.
    pub store: Store,
    /// Bytes.
    pub artifacts: Artifacts,
    /// The records.
    pub registry: Arc<Registry>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// This host's own secret.
    pub host_key: [u8; 32],
    /// Whether the operator gives the keys of secrets: they are in no backup then.
    pub operator_keys: bool,
}

/// Backups, figures and background upkeep. Clones share it.
#[derive(Clone)]
pub struct Upkeep {
    pub(crate) deps: Arc<Deps>,
    /// The last scrub that ended.
    pub(crate) scrub: Arc<Mutex<Option<Scrub>>>,
    /// Said when there may be something to seal again.
    pub(crate) reseal: Arc<Notify>,
}

/// Files that hold the records as they were after one transaction, and what those
/// refer to.
pub(crate) struct View {
    pub(crate) files: Files,
    pub(crate) referenced: HashSet<Digest>,
}

impl Upkeep {
    /// Upkeep of a platform.
    pub fn new(deps: Deps) -> Self {
        Self { deps: Arc::new(deps), scrub: Arc::default(), reseal: Arc::default() }
    }

    pub(crate) fn now(&self) -> u64 {
        Timestamp(self.deps.clock.epoch_micros()).millis()
    }

    pub(crate) fn last_scrub(&self) -> Option<Scrub> {
        self.scrub.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The files and what the records in them refer to.
    pub(crate) async fn view(&self, since: u64) -> Result<View, Error> {
        let Deps { store, registry, .. } = &*self.deps;
        let look = || -> Result<View, Error> {
            let sequence = store.sequence();
            if since > sequence {
                return Err(Error::Ahead { since, sequence });
            }
            let files = if since == 0 { store.files() } else { store.files_since(since) }?;
            Ok(View { files, referenced: registry.referenced() })
        };
        registry.still(look).await?
    }
}

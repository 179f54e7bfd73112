//! The end of a version's snapshot: it is there, or there is none.

use std::sync::Arc;

use lamina_types::records::{Snapshot, State, UpdateStatus};
use lamina_types::{FunctionName, Version};

use crate::draft::Draft;
use crate::error::Error;
use crate::records::VersionRecord;
use crate::registry::Registry;

impl Registry {
    /// The versions whose snapshot is to be made: after a restart, those too that were
    /// interrupted.
    pub fn snapshots_wanted(&self) -> Vec<(FunctionName, Version)> {
        let catalog = self.catalog();
        let wanted = catalog
            .functions()
            .flat_map(|entry| entry.snapshots_wanted().map(|number| (entry.name().clone(), Version::Number(number))));
        wanted.collect()
    }

    /// Makes a version Active, with a snapshot, or without one for a reason. Nothing
    /// happens if it is gone or says so already, or never asked for one.
    pub async fn end_snapshot(&self, name: &FunctionName, number: u64, end: Result<(), String>) -> Result<(), Error> {
        let name = name.clone();
        self.write(move |draft| self::end(draft, &name, number, end)).await
    }
}

fn end(draft: &mut Draft<'_>, name: &FunctionName, number: u64, end: Result<(), String>) -> Result<(), Error> {
    let Ok(mut parts) = draft.parts(name) else { return Ok(()) };
    let snapshot = Some(match end {
        Ok(()) => Snapshot::Made,
        Err(reason) => Snapshot::Off { reason },
    });
    let is_other = |old: &&Arc<VersionRecord>| old.snapshot.is_some() && old.snapshot != snapshot;
    let Some(old) = parts.versions.get(&number).filter(is_other) else { return Ok(()) };
    let (state, update, revision) = (State::Active, Some(UpdateStatus::Successful), draft.revision());
    let new = VersionRecord { state, update, revision, snapshot, ..old.as_ref().clone() };
    parts.versions.insert(number, Arc::new(new));
    draft.put(parts).map(|_| ())
}

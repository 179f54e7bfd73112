//! The end of a change: the code is ready, or cannot be made so.

use std::sync::Arc;

use lamina_types::records::{State, UpdateStatus};
use lamina_types::{FunctionName, RevisionId};

use crate::audit::Event;
use crate::draft::Draft;
use crate::entry::Parts;
use crate::error::Error;
use crate::records::{FunctionRecord, VersionRecord};
use crate::registry::Registry;

/// Why a change could not be put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Lambda's StateReasonCode or LastUpdateStatusReasonCode.
    pub code: String,
    /// The text for people.
    pub reason: String,
}

impl Registry {
    /// Ends the change of this revision. Nothing happens if the function is gone
    /// or another change has taken its place.
    ///
    /// A failed update leaves what served before; the version that was to come
    /// out of it stays, Failed, and keeps its number.
    pub async fn complete(
        &self,
        name: &FunctionName,
        revision: &RevisionId,
        end: Result<(), Failure>,
    ) -> Result<(), Error> {
        let (name, revision) = (name.clone(), revision.clone());
        self.write(move |draft| complete(draft, &name, &revision, end)).await
    }
}

fn complete(
    draft: &mut Draft<'_>,
    name: &FunctionName,
    revision: &RevisionId,
    end: Result<(), Failure>,
) -> Result<(), Error> {
    let Ok(mut parts) = draft.parts(name) else { return Ok(()) };
    if parts.function.revision != *revision || !parts.function.is_unfinished() {
        return Ok(());
    }
    if let Err(failure) = &end {
        let event = Event::new("CodeRefused").with("function", name.as_str());
        draft.audit(super::about(event, &parts.function.shown().code).because(&failure.reason));
    }
    end_version(draft, &mut parts, &end);
    let old = parts.function.as_ref().clone();
    let is_creation = old.state == State::Pending;
    let (state, update) = match end {
        Ok(()) => (State::Active, Some(UpdateStatus::Successful)),
        Err(Failure { code, reason }) if is_creation => (State::Failed { code, reason }, None),
        Err(Failure { code, reason }) => (State::Active, Some(UpdateStatus::Failed { code, reason })),
    };
    let serving = match (&update, old.change) {
        (Some(UpdateStatus::Successful), Some(change)) => change,
        _ => old.serving,
    };
    parts.function = Arc::new(FunctionRecord {
        serving,
        change: None,
        state,
        update,
        revision: draft.revision(),
        last_modified: old.last_modified,
        version_last: old.version_last,
        publishing: None,
    });
    if parts.function.update == Some(UpdateStatus::Successful) && !is_creation {
        super::runtime::updated(draft, &mut parts);
    }
    draft.put(parts).map(|_| ())
}

fn end_version(draft: &Draft<'_>, parts: &mut Parts, end: &Result<(), Failure>) {
    let Some(number) = parts.function.publishing else { return };
    // It may have been deleted meanwhile.
    let Some(old) = parts.versions.get(&number) else { return };
    let (state, update, snapshot) = match end.clone() {
        Ok(()) => super::publish::ready(&old.side),
        Err(Failure { code, reason }) => (State::Failed { code, reason }, None, None),
    };
    let new = VersionRecord { state, update, snapshot, revision: draft.revision(), ..old.as_ref().clone() };
    parts.versions.insert(number, Arc::new(new));
}

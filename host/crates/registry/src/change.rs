//! The changes, one file for each kind, as functions of a draft.

pub(crate) mod code;
pub(crate) mod complete;
pub(crate) mod configuration;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod permission;
pub(crate) mod publish;
pub(crate) mod runtime;
pub(crate) mod snapshot;
pub(crate) mod tags;
pub(crate) mod trust;
pub(crate) mod url;

use std::sync::Arc;

use lamina_types::records::{Code, State, UpdateStatus};
use lamina_types::{RevisionId, Version};

use crate::audit::Event;
use crate::draft::Draft;
use crate::entry::{FunctionEntry, Parts};
use crate::error::{Error, Revised};
use crate::records::{FunctionRecord, Side};
use crate::registry::Change;

/// Refuses while a change is under way.
fn settled(parts: &Parts) -> Result<(), Error> {
    let name = parts.name.clone();
    match (&parts.function.state, &parts.function.update) {
        (State::Pending, _) => Err(Error::NotActive { name, state: "Pending" }),
        (_, Some(UpdateStatus::InProgress)) => Err(Error::UpdateInProgress(name)),
        _ => Ok(()),
    }
}

fn guard(parts: &Parts, revision: Option<&RevisionId>) -> Result<(), Error> {
    match revision {
        Some(given) if *given != parts.function.revision => Err(Error::StaleRevision(Revised::Function)),
        _ => Ok(()),
    }
}

/// Begins an update of `$LATEST`: shown at once, in force when it completes. A
/// function that could not be created is created anew.
fn begin(draft: &Draft<'_>, parts: &mut Parts, side: Side) {
    let (revision, last_modified) = (draft.revision(), draft.now());
    let old = parts.function.as_ref().clone();
    let new = match old.state {
        State::Failed { .. } => {
            FunctionRecord { serving: side, change: None, state: State::Pending, update: None, ..old }
        }
        State::Active | State::Pending => {
            FunctionRecord { change: Some(side), update: Some(UpdateStatus::InProgress), ..old }
        }
    };
    parts.function = Arc::new(FunctionRecord { revision, last_modified, publishing: None, ..new });
}

/// Says which code: by its component, or by the upload where a managed runtime runs it.
fn about(event: Event, code: &Code) -> Event {
    match code.component() {
        Some(component) => event.with("component", component.to_string()),
        None => event.with("package", code.package.to_string()),
    }
}

/// Code that was let in, and by whose signatures.
fn admitted(parts: &Parts) -> Event {
    let code = &parts.function.shown().code;
    let event = Event::new("CodeAdmitted").with("function", parts.name.as_str());
    about(event, code).with("signers", code.signers.clone())
}

/// Puts a changed function; refuses when all code together grew too large.
fn put_code(draft: &mut Draft<'_>, parts: Parts) -> Result<Arc<FunctionEntry>, Error> {
    let (before, max) = (draft.catalog().code_bytes(), draft.context.config.code_bytes_max);
    let entry = draft.put(parts)?;
    let after = draft.catalog().code_bytes();
    if after > max && after > before {
        return Err(Error::CodeStorageExceeded { max });
    }
    Ok(entry)
}

fn change(entry: &FunctionEntry, version: Version) -> Result<Change, Error> {
    let view = entry.view(version).ok_or_else(|| Error::Inconsistent(format!("version {version} is missing")))?;
    Ok(Change { view, revision: entry.parts.function.revision.clone() })
}

//! Publishing versions.

use std::sync::Arc;

use lamina_types::records::{FunctionView, Snapshot, State, UpdateStatus};
use lamina_types::settings::Settings;
use lamina_types::{FunctionName, RevisionId, Version};

use crate::change::{change, guard, put_code, settled};
use crate::draft::Draft;
use crate::entry::{Parts, management_key};
use crate::error::Error;
use crate::records::{FunctionRecord, Side, VersionRecord};
use crate::registry::Registry;

/// A version to be made of `$LATEST`.
#[derive(Debug, Clone)]
pub struct PublishVersion {
    /// The function.
    pub name: FunctionName,
    /// The `CodeSha256` the caller has seen, if the publication depends on it.
    pub code_sha256: Option<String>,
    /// The version's description; the function's when not given.
    pub description: Option<String>,
    /// The revision the caller has seen, likewise.
    pub revision: Option<RevisionId>,
}

impl Registry {
    /// Publishes `$LATEST`: Active at once, or Pending while the snapshot that it asks
    /// for is made. When nothing but the description differs from the version published
    /// last, that version is the answer.
    pub async fn publish_version(&self, publish: PublishVersion) -> Result<FunctionView, Error> {
        self.write(|draft| publish_version(draft, publish)).await
    }
}

fn publish_version(draft: &mut Draft<'_>, publish: PublishVersion) -> Result<FunctionView, Error> {
    let mut parts = draft.parts(&publish.name)?;
    settled(&parts)?;
    if matches!(parts.function.state, State::Failed { .. }) {
        return Err(Error::NotActive { name: publish.name, state: "Failed" });
    }
    let mut side = parts.function.serving.clone();
    let current = side.code.package.to_base64();
    if let Some(given) = publish.code_sha256.filter(|given| *given != current) {
        return Err(Error::CodeShaDiffers { given, current });
    }
    guard(&parts, publish.revision.as_ref())?;
    let settings = Settings::from_tags(&parts.tags)?;
    if let Some(number) = same_as_last(&parts, &side, settings) {
        let entry = draft.put(parts)?;
        return change(&entry, Version::Number(number)).map(|change| change.view);
    }
    if let Some(description) = publish.description {
        side.configuration.description = description;
    }
    let (revision, last_modified) = (draft.revision(), draft.now());
    let (state, update, snapshot) = ready(&side);
    let record = VersionRecord { side, settings, state, update, revision, last_modified, snapshot };
    let number = add(draft, &mut parts, record)?;
    let function = FunctionRecord { revision: draft.revision(), ..parts.function.as_ref().clone() };
    parts.function = Arc::new(function);
    let entry = put_code(draft, parts)?;
    change(&entry, Version::Number(number)).map(|change| change.view)
}

/// The states of a version whose code is ready.
pub(crate) fn ready(side: &Side) -> (State, Option<UpdateStatus>, Option<Snapshot>) {
    match side.configuration.snap_start {
        true => (State::Pending, None, Some(Snapshot::Wanted)),
        false => (State::Active, Some(UpdateStatus::Successful), None),
    }
}

/// The version published last, if publishing now would make its equal.
fn same_as_last(parts: &Parts, side: &Side, settings: Settings) -> Option<u64> {
    let number = parts.function.version_last;
    let last = parts.versions.get(&number).filter(|last| *last.callable() == State::Active)?;
    let mut without_description = side.clone();
    without_description.configuration.description.clone_from(&last.side.configuration.description);
    (last.side == without_description && last.settings == settings).then_some(number)
}

/// Publishes what the change under way shows: Pending until that completes. The
/// version published last, if it would be its equal.
pub(crate) fn with_change(draft: &Draft<'_>, parts: &mut Parts) -> Result<Version, Error> {
    let side = parts.function.shown().clone();
    let settings = Settings::from_tags(&parts.tags)?;
    if let Some(number) = same_as_last(parts, &side, settings) {
        return Ok(Version::Number(number));
    }
    let number = add(
        draft,
        parts,
        VersionRecord {
            side,
            settings,
            state: State::Pending,
            update: None,
            revision: draft.revision(),
            last_modified: draft.now(),
            snapshot: None,
        },
    )?;
    let function = FunctionRecord { publishing: Some(number), ..parts.function.as_ref().clone() };
    parts.function = Arc::new(function);
    Ok(Version::Number(number))
}

/// Adds a version under the next number, which is never given again.
fn add(draft: &Draft<'_>, parts: &mut Parts, record: VersionRecord) -> Result<u64, Error> {
    let max = draft.context.config.versions_max;
    if parts.versions.len() >= max {
        return Err(Error::TooManyVersions { name: parts.name.clone(), max });
    }
    let number = parts.function.version_last + 1;
    parts.versions.insert(number, Arc::new(record));
    // A version freezes when it gets another runtime version, too.
    if let Some(management) = parts.management.get(&management_key(Version::Latest)).cloned() {
        parts.management.insert(number, management);
    }
    parts.function = Arc::new(FunctionRecord { version_last: number, ..parts.function.as_ref().clone() });
    Ok(number)
}

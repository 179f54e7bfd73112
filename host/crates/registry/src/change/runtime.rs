//! Managed runtimes: installing them, and which version a function runs on.

use std::sync::Arc;

use lamina_types::{
    Digest, FunctionName, InstalledRuntime, Language, RuntimeKind, RuntimeManagement, UpdateRuntimeOn, Version,
};

use crate::audit::Event;
use crate::draft::Draft;
use crate::entry::{Parts, management_key};
use crate::error::Error;
use crate::registry::Registry;

/// Runtime versions kept at most.
const RUNTIMES_MAX: usize = 100;

/// A choice of a runtime version for a version of a function.
#[derive(Debug, Clone)]
pub struct RuntimeChoice {
    /// The function.
    pub name: FunctionName,
    /// Its version.
    pub version: Version,
    /// When the runtime version changes.
    pub update: UpdateRuntimeOn,
    /// The runtime version for Manual; the one that it runs on now when not given.
    pub runtime: Option<Digest>,
}

impl Registry {
    /// Records a runtime version, whose component is stored and was admitted, and
    /// makes it its language's current one: functions that are Auto run on it from
    /// now on. Whether it was not installed before.
    pub async fn install_runtime(&self, version: InstalledRuntime) -> Result<bool, Error> {
        self.write(|draft| install(draft, version)).await
    }

    /// Makes an installed version its language's current one.
    pub async fn make_runtime_current(&self, component: &Digest) -> Result<InstalledRuntime, Error> {
        let component = *component;
        self.write(move |draft| {
            let version = draft.catalog().runtimes.get(&component).cloned();
            let version = version.ok_or(Error::RuntimeUnknown(component))?;
            make_current(draft, version.language, component)?;
            Ok(version)
        })
        .await
    }

    /// Forgets a version that no function runs on.
    pub async fn remove_runtime(&self, component: &Digest) -> Result<(), Error> {
        let component = *component;
        self.write(move |draft| remove(draft, component)).await
    }

    /// Chooses when a version of a function gets another runtime version.
    pub async fn put_runtime_management(&self, choice: RuntimeChoice) -> Result<RuntimeManagement, Error> {
        self.write(|draft| choose(draft, choice)).await
    }
}

fn install(draft: &mut Draft<'_>, version: InstalledRuntime) -> Result<bool, Error> {
    let (component, language) = (version.component, version.language);
    let known = draft.catalog().runtimes.get(&component).map(|known| known.language);
    match known {
        Some(known) if known != language => return Err(Error::RuntimeLanguage { component, language: known }),
        Some(_) => {}
        None if draft.catalog().runtimes.versions.len() >= RUNTIMES_MAX => {
            return Err(Error::TooManyRuntimes { max: RUNTIMES_MAX });
        }
        None => {
            let event = Event::new("RuntimeInstalled").with("component", component.to_string());
            draft.audit(event.with("language", language.as_str()).with("signers", version.signers.clone()));
            draft.put_runtime(version);
        }
    }
    make_current(draft, language, component)?;
    Ok(known.is_none())
}

fn make_current(draft: &mut Draft<'_>, language: Language, component: Digest) -> Result<(), Error> {
    if draft.catalog().runtimes.current.get(&language) == Some(&component) {
        return Ok(());
    }
    let event = Event::new("RuntimeMadeCurrent").with("component", component.to_string());
    draft.audit(event.with("language", language.as_str()));
    draft.put_runtime_current(language, component);
    draft.resolve_anew(language)
}

fn remove(draft: &mut Draft<'_>, component: Digest) -> Result<(), Error> {
    let runtimes = &draft.catalog().runtimes;
    let version = runtimes.get(&component).ok_or(Error::RuntimeUnknown(component))?;
    let uses = |management: &RuntimeManagement| management.version == Some(component);
    let used = draft.catalog().functions().any(|entry| entry.parts.management.values().any(|one| uses(one)));
    if used || runtimes.is_current(version) {
        return Err(Error::RuntimeInUse(component));
    }
    draft.audit(Event::new("RuntimeRemoved").with("component", component.to_string()));
    draft.remove_runtime(&component);
    Ok(())
}

fn choose(draft: &mut Draft<'_>, choice: RuntimeChoice) -> Result<RuntimeManagement, Error> {
    let RuntimeChoice { name, version, update, runtime } = choice;
    let mut parts = draft.parts(&name)?;
    let configuration = match version {
        Version::Latest => &parts.function.shown().configuration,
        Version::Number(number) => match parts.versions.get(&number) {
            Some(record) => &record.side.configuration,
            None => return Err(Error::VersionNotFound { name, version }),
        },
    };
    let runtimes = draft.catalog().runtimes.clone();
    let key = management_key(version);
    let management = parts.management.get(&key).map_or(RuntimeManagement::AUTO, |one| **one);
    let runs_on = runtimes.of(&configuration.runtime, &management).ok().map(|version| version.component);
    let stays = match (update, runtime) {
        (UpdateRuntimeOn::Auto, _) => None,
        (UpdateRuntimeOn::FunctionUpdate, _) | (UpdateRuntimeOn::Manual, None) => runs_on,
        (UpdateRuntimeOn::Manual, Some(component)) => {
            let known = runtimes.get(&component).ok_or(Error::RuntimeUnknown(component))?;
            if RuntimeKind::of(&configuration.runtime) != RuntimeKind::Managed(known.language) {
                return Err(Error::RuntimeLanguage { component, language: known.language });
            }
            Some(component)
        }
    };
    let management = RuntimeManagement { update, version: stays };
    parts.management.remove(&key);
    if management != RuntimeManagement::AUTO {
        parts.management.insert(key, Arc::new(management));
    }
    draft.put(parts)?;
    Ok(management)
}

/// An update of a function came to its end: one that gets new runtime versions then
/// runs on the current one from now on, and one that stayed on a version of another
/// language is Auto.
pub(crate) fn updated(draft: &Draft<'_>, parts: &mut Parts) {
    let key = management_key(Version::Latest);
    let Some(management) = parts.management.get(&key).map(|one| **one) else { return };
    let runtimes = &draft.catalog().runtimes;
    let runtime = parts.function.serving.configuration.runtime.as_str();
    let fits = |version: &Digest| {
        runtimes.get(version).is_some_and(|one| RuntimeKind::of(runtime) == RuntimeKind::Managed(one.language))
    };
    match management.update {
        UpdateRuntimeOn::Manual if management.version.as_ref().is_none_or(fits) => {}
        UpdateRuntimeOn::Auto | UpdateRuntimeOn::Manual => {
            parts.management.remove(&key);
        }
        UpdateRuntimeOn::FunctionUpdate => {
            let current = runtimes.of(runtime, &RuntimeManagement::AUTO).ok().map(|version| version.component);
            let management = RuntimeManagement { version: current, ..management };
            parts.management.insert(key, Arc::new(management));
        }
    }
}

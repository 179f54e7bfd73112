//! One function in the catalog: its records, and what is computed from them
//! once, so that resolving it is a look-up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lamina_types::records::{FunctionView, State, UrlConfig};
use lamina_types::settings::Settings;
use lamina_types::{AccountId, Digest, FunctionName, Region, ResolvedFunction, Version};

use crate::error::Error;
use crate::records::{FunctionRecord, Policy, Side, VersionRecord};

/// A function URL and whether anyone may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlEntry {
    /// The URL's record.
    pub config: UrlConfig,
    /// Whether the function's policy lets anyone do `lambda:InvokeFunctionUrl`
    /// and `lambda:InvokeFunction` by this URL: Lambda asks for both.
    pub is_public: bool,
}

/// Where the platform stands: part of every ARN.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) region: Region,
    pub(crate) account: AccountId,
}

/// The records of one function. Whatever a change leaves alone stays the same
/// `Arc`, which is how the draft finds out what to write.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) name: FunctionName,
    pub(crate) function: Arc<FunctionRecord>,
    pub(crate) versions: BTreeMap<u64, Arc<VersionRecord>>,
    pub(crate) tags: Arc<BTreeMap<String, String>>,
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) url: Option<Arc<UrlConfig>>,
}

/// One function as the catalog shows it. Immutable.
#[derive(Debug)]
pub struct FunctionEntry {
    pub(crate) parts: Parts,
    pub(crate) settings: Settings,
    /// Of all its versions and both sides of an update.
    pub(crate) code_bytes: u64,
    pub(crate) url: Option<Arc<UrlEntry>>,
    latest: Arc<ResolvedFunction>,
    resolved: BTreeMap<u64, Arc<ResolvedFunction>>,
}

impl FunctionEntry {
    pub(crate) fn build(parts: Parts, old: Option<&Self>, place: &Place) -> Result<Self, Error> {
        let settings = Settings::from_tags(&parts.tags)?;
        let name = &parts.name;
        let latest = Arc::new(resolve(name, Version::Latest, &parts.function.serving, settings, place));
        let resolved = parts.versions.iter().map(|(number, record)| {
            let is_same = |old: &&Self| old.parts.versions.get(number).is_some_and(|one| Arc::ptr_eq(one, record));
            let kept = old.filter(is_same).and_then(|old| old.resolved.get(number).cloned());
            let version = Version::Number(*number);
            let made = || Arc::new(resolve(name, version, &record.side, record.settings, place));
            (*number, kept.unwrap_or_else(made))
        });
        let resolved = resolved.collect();
        let sides = sides(&parts);
        let code_bytes = sides.map(|side| side.code.package_bytes).fold(0, u64::saturating_add);
        let lets = |action| parts.policy.iter().flat_map(|p| &p.statements).any(|one| one.lets_anyone_by_url(action));
        let is_public = lets("lambda:InvokeFunctionUrl") && lets("lambda:InvokeFunction");
        let url = parts.url.as_ref().map(|url| Arc::new(UrlEntry { config: url.as_ref().clone(), is_public }));
        Ok(Self { settings, code_bytes, url, latest, resolved, parts })
    }

    /// The function's name.
    pub fn name(&self) -> &FunctionName {
        &self.parts.name
    }

    /// One version as the API shows it; `None` if there is no such version.
    pub fn view(&self, version: Version) -> Option<FunctionView> {
        let name = self.parts.name.clone();
        match version {
            Version::Latest => {
                let record = &self.parts.function;
                let Side { configuration, code } = record.shown().clone();
                Some(FunctionView {
                    name,
                    version,
                    configuration,
                    code,
                    settings: self.settings,
                    last_modified: record.last_modified,
                    revision: record.revision.clone(),
                    state: record.state.clone(),
                    update: record.update.clone(),
                })
            }
            Version::Number(number) => {
                let record = self.parts.versions.get(&number)?;
                let Side { configuration, code } = record.side.clone();
                Some(FunctionView {
                    name,
                    version,
                    configuration,
                    code,
                    settings: record.settings,
                    last_modified: record.last_modified,
                    revision: record.revision.clone(),
                    state: record.state.clone(),
                    update: record.update.clone(),
                })
            }
        }
    }

    /// The versions there are: `$LATEST`, then the numbers, ascending.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        std::iter::once(Version::Latest).chain(self.parts.versions.keys().copied().map(Version::Number))
    }

    /// All tags, the settings among them.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.parts.tags
    }

    /// The resource policy, if it has a statement.
    pub fn policy(&self) -> Option<&Policy> {
        self.parts.policy.as_deref()
    }

    /// The function's URL.
    pub fn url(&self) -> Option<&Arc<UrlEntry>> {
        self.url.as_ref()
    }

    /// What runs for this version: its state tells whether it can.
    pub(crate) fn resolved(&self, version: Version) -> Option<(&Arc<ResolvedFunction>, &State)> {
        match version {
            Version::Latest => Some((&self.latest, &self.parts.function.state)),
            Version::Number(number) => Some((self.resolved.get(&number)?, &self.parts.versions.get(&number)?.state)),
        }
    }

    /// The packages and components its versions need.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        sides(&self.parts).flat_map(|side| [side.code.package, side.code.component])
    }

    /// The components its versions need.
    pub(crate) fn components(&self) -> impl Iterator<Item = Digest> {
        sides(&self.parts).map(|side| side.code.component)
    }
}

/// Every code it has.
fn sides(parts: &Parts) -> impl Iterator<Item = &Side> {
    let function = [Some(&parts.function.serving), parts.function.change.as_ref()];
    function.into_iter().flatten().chain(parts.versions.values().map(|record| &record.side))
}

fn resolve(name: &FunctionName, version: Version, side: &Side, settings: Settings, place: &Place) -> ResolvedFunction {
    let Side { configuration, code } = side;
    let log_group = match &configuration.log_group {
        Some(group) => group.as_str().into(),
        None => format!("/aws/lambda/{name}").into(),
    };
    ResolvedFunction {
        name: name.clone(),
        version,
        component: code.component,
        world: code.world,
        memory: configuration.memory,
        timeout: Duration::from_secs(configuration.timeout_s.into()),
        environment: Arc::new(configuration.environment.clone().unwrap_or_default()),
        log_group,
        log_format: configuration.log_format,
        settings,
        region: place.region.clone(),
        account: place.account.clone(),
        handler: configuration.handler.as_str().into(),
        runtime: configuration.runtime.as_str().into(),
    }
}

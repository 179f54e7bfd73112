//! One function in the catalog: its records, and what is computed from them
//! once, so that resolving it is a look-up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lamina_types::records::{CodeKind, FunctionView, Snapshot, State, UrlConfig};
use lamina_types::settings::Settings;
use lamina_types::{
    AccountId, Digest, FunctionName, Language, Managed, Package, Region, ResolvedFunction, RuntimeKind,
    RuntimeManagement, Version, World,
};

use crate::error::Error;
use crate::records::{FunctionRecord, Policy, Side, VersionRecord};
use crate::runtimes::{NoRuntime, Runtimes};

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
    /// By version, as [`management_key`] numbers them; Auto where there is none.
    pub(crate) management: BTreeMap<u64, Arc<RuntimeManagement>>,
}

impl Parts {
    /// A function of which there is nothing else yet.
    pub(crate) fn new(name: FunctionName, function: FunctionRecord) -> Self {
        let (function, versions, management) = (Arc::new(function), BTreeMap::new(), BTreeMap::new());
        Self { name, function, versions, tags: Arc::default(), policy: None, url: None, management }
    }

    fn management(&self, version: Version) -> RuntimeManagement {
        self.management.get(&management_key(version)).map_or(RuntimeManagement::AUTO, |one| **one)
    }
}

/// The number of a version in the table of runtime management: 0 is `$LATEST`.
pub(crate) const fn management_key(version: Version) -> u64 {
    match version {
        Version::Latest => 0,
        Version::Number(number) => number,
    }
}

/// What runs for a version.
type Resolved = Result<Arc<ResolvedFunction>, NoRuntime>;
/// The same as it is asked for, with the runtime's name where there is none.
type Runnable<'a> = Result<&'a Arc<ResolvedFunction>, (&'a str, NoRuntime)>;

/// One function as the catalog shows it. Immutable.
#[derive(Debug)]
pub struct FunctionEntry {
    pub(crate) parts: Parts,
    pub(crate) settings: Settings,
    /// Of all its versions and both sides of an update.
    pub(crate) code_bytes: u64,
    pub(crate) url: Option<Arc<UrlEntry>>,
    latest: Resolved,
    resolved: BTreeMap<u64, Resolved>,
}

impl FunctionEntry {
    pub(crate) fn build(parts: Parts, old: Option<&Self>, place: &Place, runtimes: &Runtimes) -> Result<Self, Error> {
        let settings = Settings::from_tags(&parts.tags)?;
        let name = &parts.name;
        let latest = Asked { name, version: Version::Latest, side: &parts.function.serving, settings };
        let latest = latest.resolve(parts.management(Version::Latest), place, runtimes);
        let resolved = parts.versions.iter().map(|(number, record)| {
            let version = Version::Number(*number);
            // What a managed runtime runs may have another one now.
            let is_own = RuntimeKind::of(&record.side.configuration.runtime) == RuntimeKind::Own;
            let is_same =
                |old: &&Self| is_own && old.parts.versions.get(number).is_some_and(|one| Arc::ptr_eq(one, record));
            let kept = old.filter(is_same).and_then(|old| old.resolved.get(number).cloned());
            let asked = Asked { name, version, side: &record.side, settings: record.settings };
            let made = || asked.resolve(parts.management(version), place, runtimes);
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
                    runtime: self.runtime(version),
                    snapshot: None,
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
                    runtime: self.runtime(version),
                    snapshot: record.snapshot.clone(),
                })
            }
        }
    }

    /// The versions whose snapshot is to be made.
    pub(crate) fn snapshots_wanted(&self) -> impl Iterator<Item = u64> {
        let wanted = |record: &Arc<VersionRecord>| record.snapshot == Some(Snapshot::Wanted);
        self.parts.versions.iter().filter(move |(_, record)| wanted(record)).map(|(number, _)| *number)
    }

    /// The managed runtime that runs a version.
    fn runtime(&self, version: Version) -> Option<Digest> {
        let (resolved, _) = self.resolved(version)?;
        resolved.ok().filter(|resolved| resolved.managed.is_some()).map(|resolved| resolved.component)
    }

    /// When a version gets another runtime version, and the one it runs on now, if it
    /// runs on one. `None` if there is no such version.
    pub fn runtime_management(&self, version: Version) -> Option<(RuntimeManagement, Option<Digest>)> {
        let _ = self.resolved(version)?;
        Some((self.parts.management(version), self.runtime(version)))
    }

    /// How many of its versions run on this managed runtime.
    pub fn runs_on(&self, component: &Digest) -> usize {
        self.versions().filter(|version| self.runtime(*version).as_ref() == Some(component)).count()
    }

    /// Whether a version of it asks for this language's managed runtime.
    pub(crate) fn asks_for(&self, language: Language) -> bool {
        let asks = |side: &Side| RuntimeKind::of(&side.configuration.runtime) == RuntimeKind::Managed(language);
        sides(&self.parts).any(asks)
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

    /// What runs for this version, or the runtime that it asks for and why there is
    /// none; its state tells whether it can.
    pub(crate) fn resolved(&self, version: Version) -> Option<(Runnable<'_>, &State)> {
        let (resolved, side, state) = match version {
            Version::Latest => (&self.latest, &self.parts.function.serving, &self.parts.function.state),
            Version::Number(number) => {
                let record = self.parts.versions.get(&number)?;
                (self.resolved.get(&number)?, &record.side, record.callable())
            }
        };
        Some((resolved.as_ref().map_err(|why| (side.configuration.runtime.as_str(), *why)), state))
    }

    /// The packages and components its versions need.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        sides(&self.parts).flat_map(|side| [Some(side.code.package), side.code.component().copied()]).flatten()
    }

    /// The components its versions need.
    pub(crate) fn components(&self) -> impl Iterator<Item = Digest> {
        sides(&self.parts).filter_map(|side| side.code.component().copied())
    }
}

/// Every code it has.
fn sides(parts: &Parts) -> impl Iterator<Item = &Side> {
    let function = [Some(&parts.function.serving), parts.function.change.as_ref()];
    function.into_iter().flatten().chain(parts.versions.values().map(|record| &record.side))
}

/// A version of which is asked what runs.
struct Asked<'a> {
    name: &'a FunctionName,
    version: Version,
    side: &'a Side,
    settings: Settings,
}

impl Asked<'_> {
    fn resolve(&self, management: RuntimeManagement, place: &Place, runtimes: &Runtimes) -> Resolved {
        let Self { name, version, side: Side { configuration, code }, settings } = *self;
        let runtime = configuration.runtime.as_str();
        let (component, world, managed) = match (RuntimeKind::of(runtime), code.kind) {
            (RuntimeKind::Own, CodeKind::Component { component, world }) => (component, world, None),
            (_, kind) => {
                let package = match kind {
                    CodeKind::Package { .. } => Package { digest: code.package, is_zip: true },
                    CodeKind::Component { component, .. } => Package { digest: component, is_zip: false },
                };
                let execution_env = format!("AWS_Lambda_{runtime}").into();
                let version = runtimes.of(runtime, &management)?;
                (version.component, World::ManagedRuntime, Some(Managed { package, execution_env }))
            }
        };
        let log_group = match &configuration.log_group {
            Some(group) => group.as_str().into(),
            None => format!("/aws/lambda/{name}").into(),
        };
        let function = ResolvedFunction {
            name: name.clone(),
            version,
            component,
            world,
            managed,
            memory: configuration.memory,
            timeout: Duration::from_secs(configuration.timeout_s.into()),
            environment: Arc::new(configuration.environment.clone().unwrap_or_default()),
            log_group,
            log_format: configuration.log_format,
            settings,
            region: place.region.clone(),
            account: place.account.clone(),
            handler: configuration.handler.as_str().into(),
            runtime: runtime.into(),
            snapshot: None,
        };
        let is_snapshotted = configuration.snap_start && version != Version::Latest;
        Ok(Arc::new(if is_snapshotted { function.with_snapshot() } else { function }))
    }
}

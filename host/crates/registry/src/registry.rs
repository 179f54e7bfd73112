//! The registry: opening it, and the one way in which it changes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use lamina_audit::{Entry, Log};
use lamina_kit::{Clock, Ids, Tasks};
use lamina_kv::Store;
use lamina_types::records::{Code, FunctionView};
use lamina_types::{
    AccountId, Actor, Digest, FunctionName, FunctionRef, Region, ResolvedFunction, RevisionId, Timestamp, Version,
    limits,
};
use tokio::sync::Mutex;

use crate::audit::{self, Numbers, Trail};
use crate::catalog::{Catalog, ResolveError};
use crate::change::trust::public_key;
use crate::draft::{Context, Draft, Drafted};
use crate::entry::{Parts, Place};
use crate::error::Error;
use crate::records::{
    CREDENTIALS, FUNCTIONS, MANAGEMENT, POLICIES, RUNTIMES, RUNTIMES_CURRENT, TAGS, TRUST, URLS, VERSIONS,
    parse_version_key,
};

/// The registry's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Part of every ARN.
    pub region: Region,
    /// Part of every ARN.
    pub account: AccountId,
    /// Functions kept at most. Default 100,000.
    pub functions_max: usize,
    /// Published versions of one function kept at most. Default 10,000.
    pub versions_max: usize,
    /// Bytes of all versions' uploads at most. Default 75 GB, Lambda's quota.
    pub code_bytes_max: u64,
}

impl Config {
    /// The defaults, for this place.
    pub fn new(region: Region, account: AccountId) -> Self {
        let code_bytes_max = limits::CODE_STORAGE_BYTES_MAX;
        Self { region, account, functions_max: 100_000, versions_max: 10_000, code_bytes_max }
    }
}

/// A change that waits for [`Registry::complete`].
#[derive(Debug, Clone)]
pub struct Change {
    /// What the caller is answered: the version published, or `$LATEST`.
    pub view: FunctionView,
    /// `$LATEST`'s revision: names the change to `complete`.
    pub revision: RevisionId,
}

/// See the crate. Clones share everything but in whose name they change it.
#[derive(Clone)]
pub struct Registry {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tasks: Tasks,
    by: Actor,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    context: Context,
    catalog: ArcSwap<Catalog>,
    /// Held by the one writer.
    writer: Mutex<Numbers>,
    pub(crate) trail: Trail,
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.context.clock.epoch_micros())
    }
}

impl Registry {
    /// Reads all records, and moves what waits for it into the audit log. Blocks.
    pub fn open(
        store: Store,
        log: Arc<Log>,
        config: Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, Error> {
        let place = Place { region: config.region.clone(), account: config.account.clone() };
        let context = Context { config, place, clock, ids };
        let catalog = ArcSwap::from_pointee(load(&store, &context)?);
        let (trail, numbers) = Trail::open(log, &store)?;
        let shared = Shared { store, context, catalog, writer: Mutex::new(numbers), trail };
        Ok(Self { shared: Arc::new(shared), tasks: Tasks::new(), by: Actor::platform() })
    }

    /// The same registry, whose changes are made in this name.
    pub fn acting(&self, by: Actor) -> Self {
        Self { by, ..self.clone() }
    }

    /// What is true now. Takes no lock.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.load_full()
    }

    /// Looks at what is true now, for as long as `look` takes. What every call does uses
    /// this: nothing is written that another processor reads.
    pub fn look<T>(&self, look: impl FnOnce(&Catalog) -> T) -> T {
        look(&self.shared.catalog.load())
    }

    /// What runs for this name now.
    pub fn resolve(&self, function: &FunctionRef) -> Result<Arc<ResolvedFunction>, ResolveError> {
        self.look(|catalog| catalog.resolve(function).cloned())
    }

    /// Waits for writes whose callers left; at most this long.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.tasks.drain(grace).await
    }

    /// Every package and component that a version needs, and every managed runtime.
    pub fn referenced(&self) -> HashSet<Digest> {
        let catalog = self.catalog();
        let functions = catalog.functions().flat_map(|entry| entry.digests().collect::<Vec<_>>());
        functions.chain(catalog.runtimes().versions().map(|version| version.component)).collect()
    }

    /// The versions that need this package or component, as `FUNCTION:VERSION`; a
    /// function whose update is not done yet by its name.
    pub fn users_of(&self, digest: Digest) -> Vec<String> {
        let catalog = self.catalog();
        let users = catalog.functions().filter(|entry| entry.digests().any(|other| other == digest));
        let named = users.flat_map(|entry| {
            let needs = |version: &Version| {
                let code = entry.view(*version).map(|view| view.code);
                code.is_some_and(|code| code.package == digest || code.component() == Some(&digest))
            };
            let versions: Vec<String> =
                entry.versions().filter(needs).map(|version| format!("{}:{version}", entry.name())).collect();
            if versions.is_empty() { vec![entry.name().to_string()] } else { versions }
        });
        named.collect()
    }

    /// Every component of a function's own that a version needs.
    pub fn components(&self) -> HashSet<Digest> {
        self.catalog().functions().flat_map(|entry| entry.components().collect::<Vec<_>>()).collect()
    }

    /// The changes that wait to be completed, and the code each must make ready:
    /// after a restart, those that were interrupted.
    pub fn unfinished(&self) -> Vec<(FunctionName, RevisionId, Code)> {
        let catalog = self.catalog();
        let unfinished = catalog.functions().filter(|entry| entry.parts.function.is_unfinished());
        let change = |record: &crate::records::FunctionRecord| (record.revision.clone(), record.shown().code.clone());
        unfinished
            .map(|entry| {
                let (revision, code) = change(&entry.parts.function);
                (entry.name().clone(), revision, code)
            })
            .collect()
    }

    /// Looks while no change is made: what was committed before is in the catalog.
    /// An error when it is not known what was committed. The look must be short.
    pub async fn still<R>(&self, look: impl FnOnce() -> R) -> Result<R, Error> {
        let _writer = self.shared.writer.lock().await;
        // Writes nothing, and is refused after a write of which it is not known
        // whether it is on the disk.
        self.shared.store.commit(|_| Ok::<(), lamina_kv::Error>(())).await?;
        Ok(look())
    }

    /// Computes a change from the current catalog, commits it, and shows it.
    /// Durable when it returns. Dropped half-way, it runs to its end: store and
    /// catalog never differ.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Draft<'_>) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (shared, by, tasks) = (self.shared.clone(), self.by.clone(), self.tasks.clone());
        let write = async move {
            let mut numbers = shared.writer.lock().await;
            let (result, drafted) = {
                let mut draft = Draft::new(&shared.context, &shared.catalog.load());
                let result = change(&mut draft)?;
                (result, draft.finish())
            };
            let Drafted { catalog, mut writes, events } = drafted;
            let before = numbers.clone();
            let entries = numbers.entries(events, &by, shared.now())?;
            // One that does not fit the log must not wait for it for ever.
            if let Err(error) = entries.iter().try_for_each(Entry::check) {
                *numbers = before;
                return Err(error.into());
            }
            let is_audited = !entries.is_empty();
            writes.extend(entries.into_iter().map(audit::write));
            if !writes.is_empty() {
                let commit = shared.store.commit(move |txn| writes.into_iter().try_for_each(|write| write(txn)));
                if let Err(error) = commit.await {
                    // The log has no gaps. When it is not known what reached the
                    // disk, the store takes no more writes before it is opened anew.
                    *numbers = before;
                    return Err(error.into());
                }
                shared.catalog.store(Arc::new(catalog));
            }
            drop(numbers);
            if is_audited {
                let shared = shared.clone();
                tasks.spawn(async move { shared.move_entries().await });
            }
            Ok(result)
        };
        self.tasks.detach_on_drop(write).await
    }

    /// The answer a change would have, without making it.
    pub(crate) fn preview<R>(&self, change: impl FnOnce(&mut Draft<'_>) -> Result<R, Error>) -> Result<R, Error> {
        change(&mut Draft::new(&self.shared.context, &self.shared.catalog.load()))
    }
}

fn load(store: &Store, context: &Context) -> Result<Catalog, Error> {
    let mut draft = Draft::new(context, &Catalog::default());
    let orphan = |what: &str, key: &str| Error::Inconsistent(format!("{what} {key} has no function"));
    let mut functions: BTreeMap<String, Parts> = BTreeMap::new();
    for (key, record) in store.scan(&FUNCTIONS)? {
        let name: FunctionName = key.parse().map_err(|error| Error::Inconsistent(format!("{error}")))?;
        functions.insert(key, Parts::new(name, record));
    }
    for (key, record) in store.scan(&VERSIONS)? {
        let (name, number) = parse_version_key(&key).ok_or_else(|| orphan("version", &key))?;
        let parts = functions.get_mut(name.as_str()).ok_or_else(|| orphan("version", &key))?;
        parts.versions.insert(number, Arc::new(record));
    }
    for (key, tags) in store.scan(&TAGS)? {
        functions.get_mut(&key).ok_or_else(|| orphan("tags", &key))?.tags = Arc::new(tags);
    }
    for (key, policy) in store.scan(&POLICIES)? {
        functions.get_mut(&key).ok_or_else(|| orphan("policy", &key))?.policy = Some(Arc::new(policy));
    }
    for (key, url) in store.scan(&URLS)? {
        functions.get_mut(&key).ok_or_else(|| orphan("url", &key))?.url = Some(Arc::new(url));
    }
    for (key, management) in store.scan(&MANAGEMENT)? {
        let (name, number) = parse_version_key(&key).ok_or_else(|| orphan("runtime management", &key))?;
        let parts = functions.get_mut(name.as_str()).ok_or_else(|| orphan("runtime management", &key))?;
        parts.management.insert(number, Arc::new(management));
    }
    // Before the functions: they say on which of them they run.
    for (_, version) in store.scan(&RUNTIMES)? {
        draft.put_runtime(version);
    }
    for (language, component) in store.scan(&RUNTIMES_CURRENT)? {
        let language = language.parse().map_err(|error| Error::Inconsistent(format!("{error}")))?;
        draft.put_runtime_current(language, component);
    }
    for parts in functions.into_values() {
        draft.put(parts)?;
    }
    for (_, key) in store.scan(&TRUST)? {
        let public = public_key(&key)?;
        draft.trust(key, public);
    }
    for (_, credential) in store.scan(&CREDENTIALS)? {
        draft.put_credential(credential);
    }
    // What was just read needs no writing.
    Ok(draft.finish().catalog)
}

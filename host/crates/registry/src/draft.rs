//! The next catalog while one writer makes it, and the writes that make it
//! durable. Both come from the same calls, so that they cannot differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use lamina_kit::{Clock, Ids};
use lamina_kv::{Table, Txn};
use lamina_signing::PublicKey;
use lamina_types::records::{Credential, TrustedKey};
use lamina_types::{Digest, FunctionName, InstalledRuntime, Language, RevisionId, Timestamp};
use serde::Serialize;

use crate::audit::Event;
use crate::catalog::Catalog;
use crate::entry::{FunctionEntry, Parts, Place};
use crate::error::Error;
use crate::records::{
    CREDENTIALS, FUNCTIONS, MANAGEMENT, POLICIES, RUNTIMES, RUNTIMES_CURRENT, TAGS, TRUST, URLS, VERSIONS, version_key,
};
use crate::registry::Config;

/// One write of the transaction to come.
pub(crate) type Write = Box<dyn FnOnce(&mut Txn<'_>) -> Result<(), lamina_kv::Error> + Send>;

/// What every change needs and none makes.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) place: Place,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
}

pub(crate) struct Draft<'a> {
    pub(crate) context: &'a Context,
    catalog: Catalog,
    writes: Vec<Write>,
    events: Vec<Event>,
}

/// A draft that is done.
pub(crate) struct Drafted {
    pub(crate) catalog: Catalog,
    pub(crate) writes: Vec<Write>,
    pub(crate) events: Vec<Event>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(context: &'a Context, catalog: &Catalog) -> Self {
        Self { context, catalog: catalog.clone(), writes: Vec::new(), events: Vec::new() }
    }

    pub(crate) fn finish(self) -> Drafted {
        Drafted { catalog: self.catalog, writes: self.writes, events: self.events }
    }

    /// What the audit log will say, if the draft is committed.
    pub(crate) fn audit(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.context.clock.epoch_micros())
    }

    pub(crate) fn revision(&self) -> RevisionId {
        RevisionId::from_random(self.context.ids.random16())
    }

    /// The records of a function that must be there.
    pub(crate) fn parts(&self, name: &FunctionName) -> Result<Parts, Error> {
        let entry = self.catalog.functions.get(name).ok_or_else(|| Error::FunctionNotFound(name.clone()))?;
        Ok(entry.parts.clone())
    }

    /// Puts a function in place of itself, or of none, and answers its entry.
    pub(crate) fn put(&mut self, parts: Parts) -> Result<Arc<FunctionEntry>, Error> {
        let old = self.catalog.functions.get(&parts.name).cloned();
        let entry = Arc::new(FunctionEntry::build(parts, old.as_deref(), &self.context.place, &self.catalog.runtimes)?);
        self.write_changes(old.as_ref().map(|old| &old.parts), Some(&entry.parts));
        self.uncount(old.as_deref());
        self.catalog.code_bytes = self.catalog.code_bytes.saturating_add(entry.code_bytes);
        if let Some(url) = &entry.url {
            self.catalog.urls.insert(url.config.id.clone(), url.clone());
        }
        self.catalog.functions.insert(entry.parts.name.clone(), entry.clone());
        Ok(entry)
    }

    /// Removes a function and all that belongs to it.
    pub(crate) fn remove(&mut self, name: &FunctionName) {
        let Some(old) = self.catalog.functions.get(name).cloned() else { return };
        self.write_changes(Some(&old.parts), None);
        self.uncount(Some(&old));
        self.catalog.functions.remove(name);
    }

    fn uncount(&mut self, old: Option<&FunctionEntry>) {
        let Some(old) = old else { return };
        self.catalog.code_bytes = self.catalog.code_bytes.saturating_sub(old.code_bytes);
        if let Some(url) = &old.url {
            self.catalog.urls.remove(&url.config.id);
        }
    }

    fn write_changes(&mut self, old: Option<&Parts>, new: Option<&Parts>) {
        let Some(name) = new.or(old).map(|parts| &parts.name) else { return };
        let (name, key) = (name.clone(), name.as_str());
        self.write_one(&FUNCTIONS, key, old.map(|one| &one.function), new.map(|one| &one.function));
        self.write_one(&TAGS, key, old.map(|one| &one.tags), new.map(|one| &one.tags));
        self.write_one(
            &POLICIES,
            key,
            old.and_then(|one| one.policy.as_ref()),
            new.and_then(|one| one.policy.as_ref()),
        );
        self.write_one(&URLS, key, old.and_then(|one| one.url.as_ref()), new.and_then(|one| one.url.as_ref()));
        let mut numbers: BTreeSet<u64> = BTreeSet::new();
        for parts in [old, new].into_iter().flatten() {
            numbers.extend(parts.versions.keys());
            numbers.extend(parts.management.keys());
        }
        for number in numbers {
            let key = version_key(&name, number);
            self.write_one(
                &VERSIONS,
                &key,
                old.and_then(|one| one.versions.get(&number)),
                new.and_then(|one| one.versions.get(&number)),
            );
            self.write_one(
                &MANAGEMENT,
                &key,
                old.and_then(|one| one.management.get(&number)),
                new.and_then(|one| one.management.get(&number)),
            );
        }
    }

    fn write_one<V: Serialize + Send + Sync + 'static>(
        &mut self,
        table: &'static Table<V>,
        key: &str,
        old: Option<&Arc<V>>,
        new: Option<&Arc<V>>,
    ) {
        let key = key.to_owned();
        match (old, new) {
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => {}
            (_, Some(new)) => {
                let new = new.clone();
                self.writes.push(Box::new(move |txn| txn.put(table, &key, new.as_ref())));
            }
            (Some(_), None) => self.writes.push(Box::new(move |txn| txn.remove(table, &key))),
            (None, None) => {}
        }
    }

    /// Adds a trusted key, in its place by id.
    pub(crate) fn trust(&mut self, key: TrustedKey, public: PublicKey) {
        let at = self.catalog.trusted.partition_point(|other| other.id < key.id);
        Arc::make_mut(&mut self.catalog.trusted).insert(at, key.clone());
        Arc::make_mut(&mut self.catalog.keys).insert(at, public);
        self.writes.push(Box::new(move |txn| txn.put(&TRUST, &key.id, &key)));
    }

    /// Gives a trusted key the name that this record of it has.
    pub(crate) fn rename_trusted(&mut self, key: &TrustedKey) {
        let trusted = Arc::make_mut(&mut self.catalog.trusted);
        if let Some(old) = trusted.iter_mut().find(|old| old.id == key.id) {
            *old = key.clone();
            let key = key.clone();
            self.writes.push(Box::new(move |txn| txn.put(&TRUST, &key.id, &key)));
        }
    }

    /// Removes a trusted key; answers whether it was there.
    pub(crate) fn revoke(&mut self, id: &str) -> bool {
        let Some(at) = self.catalog.trusted.iter().position(|key| key.id == id) else { return false };
        Arc::make_mut(&mut self.catalog.trusted).remove(at);
        Arc::make_mut(&mut self.catalog.keys).remove(at);
        let id = id.to_owned();
        self.writes.push(Box::new(move |txn| txn.remove(&TRUST, &id)));
        true
    }

    pub(crate) fn put_credential(&mut self, credential: Credential) {
        let credential = Arc::new(credential);
        self.catalog.credentials.insert(credential.access_key_id.clone(), credential.clone());
        let write = move |txn: &mut Txn<'_>| txn.put(&CREDENTIALS, &credential.access_key_id, credential.as_ref());
        self.writes.push(Box::new(write));
    }

    /// Adds an installed runtime version.
    pub(crate) fn put_runtime(&mut self, version: InstalledRuntime) {
        let component = version.component;
        Arc::make_mut(&mut self.catalog.runtimes).versions.insert(component, version.clone());
        self.writes.push(Box::new(move |txn| txn.put(&RUNTIMES, &component.to_string(), &version)));
    }

    pub(crate) fn remove_runtime(&mut self, component: &Digest) {
        Arc::make_mut(&mut self.catalog.runtimes).versions.remove(component);
        let key = component.to_string();
        self.writes.push(Box::new(move |txn| txn.remove(&RUNTIMES, &key)));
    }

    /// Makes an installed version its language's current one.
    pub(crate) fn put_runtime_current(&mut self, language: Language, component: Digest) {
        Arc::make_mut(&mut self.catalog.runtimes).current.insert(language, component);
        self.writes.push(Box::new(move |txn| txn.put(&RUNTIMES_CURRENT, language.as_str(), &component)));
    }

    /// Finds out anew what the functions of a language run on.
    pub(crate) fn resolve_anew(&mut self, language: Language) -> Result<(), Error> {
        let asks = |entry: &&Arc<FunctionEntry>| entry.asks_for(language);
        let parts: Vec<Parts> = self.catalog.functions.values().filter(asks).map(|entry| entry.parts.clone()).collect();
        parts.into_iter().try_for_each(|parts| self.put(parts).map(|_| ()))
    }
}

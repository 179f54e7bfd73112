//! Opens a directory after its platform is gone, and says what is not as it must be.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lamina_disk::{Folder, System};
use tokio::runtime::Runtime;

use crate::history::{Acks, LATER, Records, Work, judge, later, name_of, names, steps};
use crate::run::{AUDIT_KEY, Stores, commit, entry_filler, keys, records, referenced, text};

/// Checks directories, one at a time.
pub(crate) struct Checker {
    runtime: Runtime,
}

impl Checker {
    pub(crate) fn new() -> Self {
        Self { runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    /// All invariants; the text says which one does not hold. With `goes_on` the
    /// directory is also written to and opened once more.
    pub(crate) fn check(&self, root: &Path, acks: &Acks, goes_on: bool) -> Result<(), String> {
        let stores = Stores::open(root, Arc::new(System), keys(true))?;
        self.contents(&stores, acks)?;
        if goes_on {
            self.runtime.block_on(commit(&stores.store, &stores.artifacts, later()))?;
            stores.store.close();
            drop(stores);
            let stores = Stores::open(root, Arc::new(System), keys(true)).map_err(text("once more"))?;
            let acks = Acks { is_later: true, ..acks.clone() };
            self.contents(&stores, &acks).map_err(text("once more"))?;
            stores.store.close();
        } else {
            stores.store.close();
        }
        audit(root, acks)
    }

    fn contents(&self, stores: &Stores, acks: &Acks) -> Result<(), String> {
        let mut by_name: BTreeMap<String, Records> = BTreeMap::new();
        for (key, record) in records(&stores.store)? {
            by_name.entry(name_of(&key).to_owned()).or_default().insert(key, record);
        }
        for name in names() {
            judge(name, &by_name.remove(name).unwrap_or_default(), acks)?;
        }
        let later = by_name.remove(LATER).map_or(0, |records| records.len());
        // Its function and its tags.
        if later != 2 && (acks.is_later || later != 0) {
            return Err(format!("{later} of 2 records that were written later are there"));
        }
        if let Some((name, _)) = by_name.pop_first() {
            return Err(format!("there are records of {name}, which no step has written"));
        }
        let sequence = stores.store.sequence();
        if sequence < acks.committed() as u64 {
            return Err(format!("the sequence number is {sequence} after {} commits", acks.committed()));
        }
        for digest in referenced(&stores.store)? {
            self.runtime.block_on(stores.artifacts.get(&digest)).map_err(text("what a record refers to"))?;
        }
        Ok(())
    }
}

/// The log verifies, reaches every acknowledged head, and holds the acknowledged
/// entries once each and in order, and of the others the first ones or none.
fn audit(root: &Path, acks: &Acks) -> Result<(), String> {
    let data = Folder::open(root, Arc::new(System)).map_err(text("the audit log"))?;
    let folder = data.folder("audit").map_err(text("the audit log"))?;
    let log = lamina_audit::Log::open(folder.clone(), &AUDIT_KEY).map_err(text("the audit log"))?;
    let public = log.public_key();
    let heads = acks.done.values().filter(|note| !note.is_empty());
    let heads = heads.map(|head| head.parse().map(Some).map_err(text("a head")));
    for head in std::iter::once(Ok(None)).chain(heads) {
        lamina_audit::verify(&folder, &public, head?.as_ref()).map_err(text("the audit log"))?;
    }
    let lines = log.read(0, 10_000).map_err(text("reading the audit log"))?;
    let entry = |line: &String| -> Option<(String, String)> {
        let entry: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((entry["action"].as_str()?.to_owned(), entry["detail"]["filler"].as_str()?.to_owned()))
    };
    let mut found = lines.iter().map(entry).peekable();
    for step in steps() {
        let Work::Audit(count) = step.work else { continue };
        for index in 0..count {
            let is_there = found.next_if_eq(&Some((format!("{}.{index}", step.id), entry_filler(index)))).is_some();
            if !is_there && acks.done.contains_key(&step.id) {
                return Err(format!("the audit log's entry {index} of step {} is missing", step.id));
            }
            if !is_there {
                break;
            }
        }
    }
    match found.next() {
        Some(entry) => Err(format!("the audit log holds {entry:?} where nobody has put it")),
        None => Ok(()),
    }
}

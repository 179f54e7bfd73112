//! The child: goes through the history on a data directory, and marks what was
//! acknowledged.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lamina_artifacts::Artifacts;
use lamina_audit::{Entry, Log};
use lamina_disk::{Folder, Seam};
use lamina_kit::{RandomIds, SystemClock};
use lamina_kv::{Config, Keyring, Keys, Store};
use lamina_types::Digest;
use tokio::runtime::Runtime;

use crate::history::{Key, LATER, Record, Step, TABLES, Work, later, rounds};
use crate::seam::{How, Marks, Teller};

/// The key that signs the audit log's heads.
pub(crate) const AUDIT_KEY: [u8; 32] = [3; 32];
const OLD_KEY: [u8; 32] = [4; 32];
const NEW_KEY: [u8; 32] = [5; 32];
/// Openings after a fault; one is enough to meet it.
const OPENINGS_MAX: usize = 3;

/// Everything that is kept on one data directory.
pub(crate) struct Stores {
    pub(crate) store: Store,
    pub(crate) artifacts: Artifacts,
    pub(crate) audit: Log,
}

/// The keys before they are rotated, and from then on.
pub(crate) fn keys(is_rotated: bool) -> Keys {
    let secrets = if is_rotated { Keyring::new(NEW_KEY, vec![OLD_KEY]) } else { Keyring::new(OLD_KEY, Vec::new()) };
    Keys { journal: [2; 32], secrets }
}

impl Stores {
    /// Opens all three, as the platform does when it starts.
    pub(crate) fn open(root: &Path, seam: Arc<dyn Seam>, keys: Keys) -> Result<Self, String> {
        // Small enough that the history has checkpoints of its own making, and that old journals go.
        // Files are made ready as well.
        let config = Config {
            checkpoint_bytes: 96 << 10,
            retain_bytes: 64 << 10,
            spare_bytes: 24 << 10,
            spare_after_bytes: 4 << 10,
            cache_bytes: 8 << 20,
            ..Config::default()
        };
        let data = Folder::open(root, seam).map_err(text("the directory"))?;
        let (store, _) = Store::open(&data, root, keys, config).map_err(text("the records"))?;
        let folder = data.folder("artifacts").map_err(text("the artifacts"))?;
        let artifacts = Artifacts::open(folder, Arc::new(RandomIds), Arc::new(SystemClock::new()));
        let artifacts = artifacts.map_err(text("the artifacts"))?;
        let folder = data.folder("audit").map_err(text("the audit log"))?;
        let audit = Log::open(folder, &AUDIT_KEY).map_err(text("the audit log"))?;
        Ok(Self { store, artifacts, audit })
    }
}

/// An error as text, with what was being done.
pub(crate) fn text<E: std::fmt::Display>(doing: &str) -> impl Fn(E) -> String {
    move |error| format!("{doing}: {error}")
}

struct Child {
    runtime: Runtime,
    root: PathBuf,
    teller: Arc<Teller>,
    marks: Arc<Marks>,
    is_rotated: bool,
}

/// Goes through the whole history. A step that fails is marked so, and the rest is
/// tried; what cannot be opened again is an error.
pub(crate) fn run(root: &Path, fault: Option<(usize, How)>) -> Result<usize, String> {
    let marks = Arc::new(Marks::open());
    let teller = Arc::new(Teller { marks: marks.clone(), fault: Mutex::new(fault), seen: Mutex::new(0) });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut child = Child { runtime, root: root.to_owned(), teller, marks, is_rotated: false };
    let mut stores = child.open()?;
    for round in rounds() {
        for step in &round {
            child.marks.put(&format!("begin\t{}", step.id));
        }
        if round.iter().any(|step| step.work == Work::Reopen) {
            stores.store.close();
            drop(stores);
            stores = child.open()?;
            child.marks.put(&format!("done\t{}", round[0].id));
        } else {
            child.round(&stores, &round);
        }
    }
    stores.store.close();
    drop(stores);
    child.marks.put("closed");
    Ok(*child.teller.seen.lock().unwrap())
}

/// Opens what a history has left, deploys one function more, and closes it.
pub(crate) fn recover(root: &Path) -> Result<(), String> {
    let marks = Arc::new(Marks::open());
    let teller = Teller { marks: marks.clone(), fault: Mutex::new(None), seen: Mutex::new(0) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stores = Stores::open(root, Arc::new(teller), keys(true))?;
    runtime.block_on(commit(&stores.store, &stores.artifacts, later()))?;
    marks.put(LATER);
    stores.store.close();
    drop(stores);
    marks.put("closed");
    Ok(())
}

impl Child {
    fn open(&self) -> Result<Stores, String> {
        let mut error = String::new();
        for _ in 0..OPENINGS_MAX {
            match Stores::open(&self.root, self.teller.clone(), keys(self.is_rotated)) {
                Ok(stores) => return Ok(stores),
                Err(failed) => {
                    self.marks.put(&format!("unopened\t{failed}"));
                    error = failed;
                }
            }
        }
        Err(error)
    }

    /// Runs the steps of one round at once.
    fn round(&mut self, stores: &Stores, round: &[Step]) {
        let ends = self.runtime.block_on(async {
            let steps = round.iter().filter(|step| step.commits()).map(|&step| {
                let (store, artifacts, marks) = (stores.store.clone(), stores.artifacts.clone(), self.marks.clone());
                tokio::spawn(async move {
                    let end = commit(&store, &artifacts, step).await.map(|()| String::new());
                    mark(&marks, step, end);
                })
            });
            let mut ends = Vec::new();
            for step in steps.collect::<Vec<_>>() {
                ends.push(step.await);
            }
            ends
        });
        for end in ends {
            end.expect("a step ends");
        }
        for &step in round.iter().filter(|step| !step.commits()) {
            let end = self.other(stores, step);
            mark(&self.marks, step, end);
        }
    }

    fn other(&mut self, stores: &Stores, step: Step) -> Result<String, String> {
        let Stores { store, artifacts, audit } = stores;
        match step.work {
            Work::Audit(count) => {
                let (last, _) = audit.last();
                audit.append(&entries(step, count, last)).map_err(text("appending"))?;
            }
            Work::Sign => return audit.sign(step.id as u64).map(|head| head.to_string()).map_err(text("signing")),
            Work::Collect => {
                // A store that has failed may hold records that it does not show: what
                // they refer to must stay.
                let barrier = |_: &mut lamina_kv::Txn<'_>| Ok::<(), lamina_kv::Error>(());
                self.runtime.block_on(store.commit(barrier)).map_err(text("the store"))?;
                let referenced = referenced(store)?;
                let collected = self.runtime.block_on(artifacts.collect(referenced, Duration::ZERO));
                collected.map_err(text("collecting"))?;
            }
            Work::Checkpoint => {
                self.runtime.block_on(store.checkpoint()).map_err(text("the checkpoint"))?;
            }
            Work::Rekey => {
                self.is_rotated = true;
                store.add_key(NEW_KEY);
                let mut from = Some(lamina_kv::Place::default());
                while let Some(place) = from {
                    from = self.runtime.block_on(store.reseal(place, 4)).map_err(text("resealing"))?.next;
                }
            }
            Work::Deploy | Work::Tag | Work::Publish | Work::Delete | Work::Reopen => {}
        }
        Ok(String::new())
    }
}

fn mark(marks: &Marks, step: Step, end: Result<String, String>) {
    match end {
        Ok(note) => marks.put(&format!("done\t{}\t{note}", step.id)),
        Err(error) => marks.put(&format!("failed\t{}\t{error}", step.id)),
    }
}

/// The weight of an entry: some are longer than a page.
pub(crate) fn entry_filler(index: usize) -> String {
    "x".repeat(if index % 3 == 1 { 6_000 } else { 900 })
}

/// The entries that an audit step appends after this number.
pub(crate) fn entries(step: Step, count: usize, last: u64) -> Vec<Entry> {
    let entry = |index: usize| Entry {
        n: last + 1 + index as u64,
        at: step.id as u64,
        principal: "tests".into(),
        request: None,
        action: format!("{}.{index}", step.id),
        detail: serde_json::Map::from_iter([("filler".to_owned(), entry_filler(index).into())]),
    };
    (0..count).map(entry).collect()
}

/// Commits what a step writes, its artifact first.
pub(crate) async fn commit(store: &Store, artifacts: &Artifacts, step: Step) -> Result<(), String> {
    if step.work == Work::Deploy {
        artifacts.put(step.artifact().into()).await.map_err(text("putting"))?;
    }
    let change = move |txn: &mut lamina_kv::Txn<'_>| -> Result<bool, lamina_kv::Error> {
        let (table, name): Key = step.function();
        let Some(writes) = step.writes(txn.get(&TABLES[table], &name)?) else { return Ok(false) };
        for ((table, key), record) in writes {
            match record {
                Some(record) => txn.put(&TABLES[table], &key, &record)?,
                None => txn.remove(&TABLES[table], &key)?,
            }
        }
        Ok(true)
    };
    match store.commit(change).await {
        Ok(true) => Ok(()),
        Ok(false) => Err("there is no such function".into()),
        Err(error) => Err(format!("committing: {error}")),
    }
}

/// All records of a store.
pub(crate) fn records(store: &Store) -> Result<Vec<(Key, Record)>, String> {
    let mut all = Vec::new();
    for (number, table) in TABLES.iter().enumerate() {
        let records = store.scan(table).map_err(text("reading records"))?;
        all.extend(records.into_iter().map(|(key, record)| ((number, key), record)));
    }
    Ok(all)
}

/// The digests that records refer to.
pub(crate) fn referenced(store: &Store) -> Result<HashSet<Digest>, String> {
    let codes = records(store)?.into_iter().filter_map(|(_, record)| record.code);
    codes.map(|code| code.parse::<Digest>().map_err(|_| format!("`{code}` is no digest"))).collect()
}

//! Random histories beside redb and a plain map: the same answers at every point,
//! over reopening and checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use lamina_disk::System;
use lamina_kv::{Config, Error, Store};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::{TEXTS, config, open_with};

const TABLE: TableDefinition<'_, &str, &str> = TableDefinition::new("texts");

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

type Writes = Vec<(String, Option<String>)>;

fn random_writes(random: &mut Random) -> Writes {
    (0..=random.below(6))
        .map(|_| {
            let key = format!("{:x}", random.below(60));
            let length = usize::try_from(random.below(300)).unwrap();
            (key, (random.below(4) > 0).then(|| "v".repeat(length)))
        })
        .collect()
}

async fn ours(store: &Store, writes: &Writes) {
    let writes = writes.clone();
    let commit = store.commit(move |txn| {
        writes.iter().try_for_each(|(key, value)| match value {
            Some(value) => txn.put(&TEXTS, key, value),
            None => txn.remove(&TEXTS, key),
        })?;
        Ok::<(), Error>(())
    });
    commit.await.unwrap();
}

fn theirs(database: &Database, writes: &Writes) {
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(TABLE).unwrap();
        for (key, value) in writes {
            match value {
                Some(value) => drop(table.insert(key.as_str(), value.as_str()).unwrap()),
                None => drop(table.remove(key.as_str()).unwrap()),
            }
        }
    }
    transaction.commit().unwrap();
}

fn all(database: &Database) -> Vec<(String, String)> {
    let transaction = database.begin_read().unwrap();
    let Ok(table) = transaction.open_table(TABLE) else { return vec![] };
    let entry = |entry: Result<(redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &str>), _>| {
        let (key, value) = entry.unwrap();
        (key.value().to_owned(), value.value().to_owned())
    };
    table.iter().unwrap().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_agree_with_redb_and_a_map() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut small = Config { checkpoint_bytes: 4_000, retain_bytes: 3_000, ..config() };
        if seed % 2 == 1 {
            (small.spare_bytes, small.spare_after_bytes) = (1_000, 300);
        }
        let reopen = || open_with(&dir.path().join("store"), Arc::new(System), small).unwrap();
        let database = Database::create(dir.path().join("redb")).unwrap();
        let mut map = BTreeMap::new();
        let mut store = reopen().0;
        for _ in 0..120 {
            match random.below(20) {
                0 => drop(store.checkpoint().await.unwrap()),
                1 => {
                    drop(store);
                    let (again, found) = reopen();
                    assert_eq!(found.rebuilt, None, "seed {seed}");
                    store = again;
                }
                _ => {
                    let writes = random_writes(&mut random);
                    ours(&store, &writes).await;
                    theirs(&database, &writes);
                    for (key, value) in writes {
                        match value {
                            Some(value) => drop(map.insert(key, value)),
                            None => drop(map.remove(&key)),
                        }
                    }
                }
            }
            let expect: Vec<(String, String)> = map.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            assert_eq!(store.scan(&TEXTS).unwrap(), expect, "seed {seed}");
            assert_eq!(all(&database), expect, "seed {seed}");
        }
        drop(store);
        let journal = std::fs::read_dir(dir.path().join("store/journal")).unwrap().count();
        assert!(journal < 40, "older files are dropped: {journal}");
    }
}

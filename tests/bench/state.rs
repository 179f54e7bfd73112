//! Records: durable commits beside a loop that appends the same bytes and syncs
//! once, beside redb and a plain map; reads beside sled alone; reopening; memory
//! and disk after a million updates; backups beside a copy.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lamina_disk::{Folder, System};
use lamina_kv::{Config, Keyring, Keys, Store, Table};
use redb::{Database, TableDefinition};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Options;
use crate::process::Platform;
use crate::report::Figure;

/// A record of about the size of a function's.
type Record = String;
const TABLE: Table<Record> = Table::new("bench");
const RECORD_BYTES: usize = 600;
const WRITERS: usize = 64;
/// Keys that updates are spread over.
const KEYS: usize = 10_000;
const REDB: TableDefinition<'_, &str, &str> = TableDefinition::new("bench");
/// Bytes of each artifact of the backup.
const ARTIFACT_BYTES: usize = 16 << 20;

pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let runtime = Runtime::new()?;
    let mut figures = commits(options, &runtime)?;
    figures.extend(reads(options, &runtime)?);
    figures.extend(reopening(options, &runtime)?);
    figures.extend(million(options, &runtime)?);
    figures.extend(backup(options)?);
    Ok(figures)
}

fn record(number: usize) -> Record {
    let mut text = format!("{number:020}");
    while text.len() < RECORD_BYTES {
        text.push(char::from(b'a' + u8::try_from(text.len() % 26).unwrap_or(0)));
    }
    text
}

fn key(number: usize) -> String {
    format!("key-{:08}", number % KEYS)
}

fn open(dir: &Path) -> anyhow::Result<Store> {
    let folder = Folder::open(dir, Arc::new(System))?;
    let keys = Keys { journal: [1; 32], secrets: Keyring::new([2; 32], Vec::new()) };
    Ok(Store::open(&folder, dir, keys, Config::default())?.0)
}

fn figure(metric: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Figure {
    Figure { metric: metric.into(), unit, rounds }
}

fn ratio(metric: &str, ours: &[f64], theirs: &[f64]) -> Figure {
    figure(metric, "ratio", ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
}

/// Commits a second by so many writers, each of one record.
fn ours(store: &Store, runtime: &Runtime, writers: usize, time: Duration) -> anyhow::Result<f64> {
    runtime.block_on(async {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let store = store.clone();
            tasks.spawn(async move {
                let mut made = 0_usize;
                while begun.elapsed() < time {
                    let number = writer + made * writers;
                    // Made by the writer, as a platform's records are.
                    let (key, record) = (key(number), record(number));
                    store.commit(move |txn| txn.put(&TABLE, &key, &record)).await?;
                    made += 1;
                }
                Ok::<_, lamina_kv::Error>(made)
            });
        }
        let mut made = 0;
        while let Some(joined) = tasks.join_next().await {
            made += joined??;
        }
        Ok(made as f64 / begun.elapsed().as_secs_f64())
    })
}

/// The baseline: the same records appended to a file, and one sync for each group.
fn appended(dir: &Path, group: usize, time: Duration) -> anyhow::Result<f64> {
    let mut file = File::create(dir.join("appended"))?;
    let (begun, mut made) = (Instant::now(), 0_usize);
    while begun.elapsed() < time {
        let mut bytes = Vec::new();
        for number in made..made + group {
            bytes.extend_from_slice(key(number).as_bytes());
            bytes.extend_from_slice(record(number).as_bytes());
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        made += group;
    }
    Ok(made as f64 / begun.elapsed().as_secs_f64())
}

/// redb, with the same group in each of its transactions.
fn redb(database: &Database, group: usize, time: Duration) -> anyhow::Result<f64> {
    let (begun, mut made) = (Instant::now(), 0_usize);
    while begun.elapsed() < time {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(REDB)?;
            for number in made..made + group {
                table.insert(key(number).as_str(), record(number).as_str())?;
            }
        }
        transaction.commit()?;
        made += group;
    }
    Ok(made as f64 / begun.elapsed().as_secs_f64())
}

/// A map in memory: what the records themselves cost.
fn map(time: Duration) -> f64 {
    let mut map = BTreeMap::new();
    let (begun, mut made) = (Instant::now(), 0_usize);
    while begun.elapsed() < time {
        map.insert(key(made), record(made));
        made += 1;
    }
    made as f64 / begun.elapsed().as_secs_f64()
}

fn commits(options: &Options, runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let store = open(&dir.path().join("store"))?;
    let database = Database::create(dir.path().join("redb"))?;
    let mut figures = Vec::new();
    for writers in [1, WRITERS] {
        let (mut own, mut base, mut other) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            own.push(ours(&store, runtime, writers, options.round)?);
            base.push(appended(dir.path(), writers, options.round)?);
            other.push(redb(&database, writers, options.round)?);
        }
        figures.push(ratio(&format!("commits_{writers}_over_append"), &own, &base));
        figures.push(ratio(&format!("commits_{writers}_over_redb"), &own, &other));
        figures.push(figure(format!("commits_{writers}"), "1/s", own));
        figures.push(figure(format!("append_{writers}"), "1/s", base));
        figures.push(figure(format!("redb_{writers}"), "1/s", other));
    }
    figures.push(figure("map_inserts", "1/s", (0..options.rounds).map(|_| map(options.round / 4)).collect()));
    store.close();
    Ok(figures)
}

fn reads(options: &Options, runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let store = open(&dir.path().join("store"))?;
    let alone = sled::open(dir.path().join("sled"))?;
    for first in (0..KEYS).step_by(500) {
        runtime.block_on(store.commit(move |txn| {
            (first..first + 500).try_for_each(|number| txn.put(&TABLE, &key(number), &record(number)))
        }))?;
        for number in first..first + 500 {
            alone.insert(key(number), serde_json::to_vec(&record(number))?)?;
        }
    }
    let timed = |read: &dyn Fn(&str) -> anyhow::Result<usize>| -> anyhow::Result<f64> {
        let (begun, mut made) = (Instant::now(), 0_usize);
        while begun.elapsed() < options.round {
            for _ in 0..100 {
                anyhow::ensure!(read(&key(made * 7_919))? >= RECORD_BYTES, "a record is not whole");
                made += 1;
            }
        }
        Ok(made as f64 / begun.elapsed().as_secs_f64())
    };
    let (mut own, mut base) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        own.push(timed(&|key| Ok(store.get(&TABLE, key)?.context("a record is missing")?.len()))?);
        // The same parsing: the store's records are typed.
        base.push(timed(&|key| {
            let bytes = alone.get(key)?.context("a record is missing")?;
            Ok(serde_json::from_slice::<Record>(&bytes)?.len())
        })?);
    }
    store.close();
    Ok(vec![ratio("reads_over_sled", &own, &base), figure("reads", "1/s", own), figure("sled_reads", "1/s", base)])
}

/// How long opening takes when so many transactions lie in the journal.
fn reopening(options: &Options, runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    let lengths: &[usize] = if options.is_short() { &[1_000] } else { &[1_000, 10_000, 100_000] };
    let mut figures = Vec::new();
    for length in lengths {
        let dir = tempfile::tempdir()?;
        let store = open(dir.path())?;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for writer in 0..WRITERS {
                let (store, length) = (store.clone(), *length);
                tasks.spawn(async move {
                    for number in (writer..length).step_by(WRITERS) {
                        // Not so large that a checkpoint would take them away.
                        store
                            .commit(move |txn| txn.put(&TABLE, &key(number), &record(number)[..60].to_owned()))
                            .await?;
                    }
                    Ok::<_, lamina_kv::Error>(())
                });
            }
            while let Some(joined) = tasks.join_next().await {
                joined??;
            }
            anyhow::Ok(())
        })?;
        store.close();
        drop(store);
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            let begun = Instant::now();
            let store = open(dir.path())?;
            rounds.push(begun.elapsed().as_secs_f64() * 1e3);
            drop(store);
        }
        figures.push(figure(format!("reopen_{length}"), "ms", rounds));
    }
    Ok(figures)
}

/// A million updates of a hundred thousand records: what they leave behind.
fn million(options: &Options, runtime: &Runtime) -> anyhow::Result<Vec<Figure>> {
    let (updates, keys) = if options.is_short() { (20_000, 2_000) } else { (1_000_000, 100_000) };
    let dir = tempfile::tempdir()?;
    let before = resident()?;
    let store = open(dir.path())?;
    let begun = Instant::now();
    for first in (0..updates).step_by(1_000) {
        runtime.block_on(store.commit(move |txn| {
            (first..first + 1_000).try_for_each(|number| {
                let value = record(number)[..200].to_owned();
                txn.put(&TABLE, &format!("key-{:08}", (number * 7_919) % keys), &value)
            })
        }))?;
    }
    let rate = updates as f64 / begun.elapsed().as_secs_f64();
    let memory = resident()?.saturating_sub(before);
    let live = keys * (200 + 2 + 12 + 6);
    store.close();
    drop(store);
    let disk = size(dir.path())?;
    Ok(vec![
        figure(format!("updates_{updates}"), "1/s", vec![rate]),
        figure(format!("memory_after_{updates}"), "MB", vec![memory as f64 / 1e6]),
        figure(format!("disk_after_{updates}"), "MB", vec![disk as f64 / 1e6]),
        figure(format!("disk_over_live_{updates}"), "ratio", vec![disk as f64 / live as f64]),
    ])
}

/// Bytes of this process that are in memory.
fn resident() -> anyhow::Result<usize> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split(' ').nth(1).context("no resident size")?.parse()?;
    Ok(pages * 4_096)
}

fn size(path: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// A whole backup of a running platform, beside a copy of as many bytes.
fn backup(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let platform = Platform::start(&[])?;
    let component = test_guests::component("guest-hello");
    let count = if options.is_short() { 1 } else { 4 };
    for number in 0..count {
        platform.deploy(&format!("f{number}"), &padded(&component, number))?;
    }
    let dir = tempfile::tempdir()?;
    let (mut own, mut base) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let file = dir.path().join(format!("{round}.backup"));
        let begun = Instant::now();
        platform.lamina(&["backup", &file.display().to_string()])?;
        let bytes = fs::metadata(&file)?.len() as f64;
        own.push(bytes / 1e6 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let copy = dir.path().join("copy");
        fs::copy(&file, &copy)?;
        File::open(&copy)?.sync_all()?;
        base.push(bytes / 1e6 / begun.elapsed().as_secs_f64());
        fs::remove_file(file)?;
    }
    Ok(vec![ratio("backup_over_copy", &own, &base), figure("backup", "MB/s", own), figure("copy", "MB/s", base)])
}

/// The component with a custom section of bytes that do not compress.
fn padded(component: &[u8], seed: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    let payload: Vec<u8> = [3, b'p', b'a', b'd'].into_iter().chain(noise.take(ARTIFACT_BYTES)).collect();
    let mut padded = component.to_vec();
    padded.push(0);
    let mut length = payload.len();
    while length >= 0x80 {
        padded.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    padded.push(u8::try_from(length).unwrap_or(0));
    padded.extend(payload);
    padded
}

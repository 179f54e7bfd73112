//! Every step of ours fails once, or tears: what was acknowledged is there, what
//! was not is there whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lamina_disk::{Seam, Step, Verdict};
use lamina_kv::{Config, Error, Store};

use crate::{NUMBERS, NUMBERS2, config, open, open_with};

/// Fails or tears the nth step from the time it is armed, and counts by kind.
pub(crate) struct Nth {
    nth: usize,
    tears: bool,
    seen: AtomicUsize,
    struck: AtomicBool,
    kind: Mutex<String>,
}

impl Nth {
    pub(crate) fn new(nth: usize, tears: bool) -> Self {
        Self { nth, tears, seen: AtomicUsize::new(0), struck: AtomicBool::new(false), kind: Mutex::default() }
    }

    pub(crate) fn struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }
}

impl Seam for Nth {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 != self.nth {
            return Ok(Verdict::Go);
        }
        self.struck.store(true, Ordering::SeqCst);
        let text = format!("{step:?}");
        *self.kind.lock().unwrap() = text.split(' ').next().unwrap_or_default().to_owned();
        match step {
            Step::Write { bytes, .. } if self.tears => Ok(Verdict::Tear(bytes.len() / 2)),
            _ if self.nth.is_multiple_of(3) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            _ => Err(io::Error::other("injected")),
        }
    }
}

/// Twelve commits of two records each, with checkpoints between; answers which were
/// acknowledged.
async fn history(store: &Store) -> Vec<bool> {
    let mut acknowledged = Vec::new();
    for number in 0..12_u32 {
        let commit = store.commit(move |txn| {
            txn.put(&NUMBERS, &format!("{:02}", number % 5), &number)?;
            txn.put(&NUMBERS2, &format!("{:02}", number % 5), &number)?;
            if number == 7 { txn.remove(&NUMBERS, "02") } else { Ok(()) }
        });
        acknowledged.push(commit.await.is_ok());
        if number % 4 == 3 {
            let _ = store.checkpoint().await;
        }
    }
    acknowledged
}

/// The states after each prefix of the history, with some commits left out.
fn apply(state: &mut (BTreeMap<String, u32>, BTreeMap<String, u32>), number: u32) {
    let key = format!("{:02}", number % 5);
    state.0.insert(key.clone(), number);
    state.1.insert(key, number);
    if number == 7 {
        state.0.remove("02");
    }
}

fn check(dir: &Path, acknowledged: &[bool], what: &str) {
    let store = open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    let map = |table| store.scan(table).unwrap().into_iter().collect::<BTreeMap<_, _>>();
    let found = (map(&NUMBERS), map(&NUMBERS2));
    // An unacknowledged commit may be there: but then only the first after which
    // nothing was acknowledged, or one that was cut back.
    let unknown: Vec<u32> = (0..).zip(acknowledged).filter(|(_, ok)| !**ok).map(|(number, _)| number).collect();
    let fits = (0..=unknown.len()).any(|extra| {
        let mut state = <(BTreeMap<_, _>, BTreeMap<_, _>)>::default();
        for (number, ok) in (0..).zip(acknowledged) {
            if *ok || (extra > 0 && unknown.get(extra - 1) == Some(&number)) {
                apply(&mut state, number);
            }
        }
        state == found
    });
    assert!(fits, "{what}: acknowledged {acknowledged:?}, found {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_fails_once() {
    let mut kinds: BTreeMap<(String, &str), usize> = BTreeMap::new();
    // Room for less than a block is written through the cache, room for more past it.
    let spares = [None, Some(600), Some(16 << 10)];
    for (tears, spares) in [false, true].into_iter().flat_map(|tears| spares.map(|spares| (tears, spares))) {
        for nth in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let seam = Arc::new(Nth::new(nth, tears));
            let mut small = Config { retain_bytes: 200, ..config() };
            if let Some(bytes) = spares {
                (small.spare_bytes, small.spare_after_bytes) = (bytes, 100);
                // Checkpoints that come by themselves leave files to be written over.
                small.checkpoint_bytes = 400;
            }
            let acknowledged = match open_with(dir.path(), seam.clone(), small) {
                Ok((store, _)) => history(&store).await,
                Err(_) => vec![],
            };
            let kind = seam.kind.lock().unwrap().clone();
            check(dir.path(), &acknowledged, &format!("step {nth}, {kind}, tears {tears}, spares {spares:?}"));
            // What was mended stays so.
            check(dir.path(), &acknowledged, &format!("again, step {nth}, {kind}, tears {tears}, spares {spares:?}"));
            if !seam.struck() {
                assert!(acknowledged.iter().all(|ok| *ok) && nth > 40, "{nth} steps");
                break;
            }
            *kinds.entry((kind, if tears { "torn" } else { "failed" })).or_default() += 1;
        }
    }
    println!("faults injected into the records: {kinds:?}");
}

/// A disk that is full until it is not.
#[derive(Default)]
struct Full(AtomicBool);

impl Seam for Full {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        match step {
            Step::Write { bytes, .. } if self.0.load(Ordering::SeqCst) => Ok(Verdict::Tear(bytes.len() / 3)),
            _ => Ok(Verdict::Go),
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let full = Arc::new(Full::default());
    let (store, _) = open_with(dir.path(), full.clone(), config()).unwrap();
    let put = |value: u32| store.commit(move |txn| txn.put(&NUMBERS, "k", &value));
    put(1).await.unwrap();
    full.0.store(true, Ordering::SeqCst);
    assert!(matches!(put(2).await, Err(Error::Full { .. })));
    assert_eq!(store.get(&NUMBERS, "k").unwrap(), Some(1));
    assert!(store.checkpoint().await.is_err());
    full.0.store(false, Ordering::SeqCst);
    put(3).await.unwrap();
    store.checkpoint().await.unwrap();
    drop(store);
    assert_eq!(open(dir.path()).unwrap().get(&NUMBERS, "k").unwrap(), Some(3));
}

//! The ledger on a real store.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lamina_disk::{Folder, System};
use lamina_kit::FixedClock;
use lamina_kv::{Keyring, Keys, Store};
use lamina_ledger::{By, Config, Deps, Hours, Ledger, Of, Row};
use lamina_meter::{Meters, Used};
use lamina_types::{FunctionName, MemoryMib, Status, Timestamp, Usage, Version};

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

struct Bench {
    ledger: Ledger,
    meters: Meters,
    clock: Arc<FixedClock>,
}

fn open(path: &Path, config: Config, now_s: u64) -> Bench {
    let folder = Folder::open(path, Arc::new(System)).unwrap();
    let keys = Keys { journal: [1; 32], secrets: Keyring::new([2; 32], vec![]) };
    let (store, _) = Store::open(&folder, path, keys, lamina_kv::Config::default()).unwrap();
    let (meters, clock) = (Meters::new(lamina_meter::Config::default()), Arc::new(FixedClock::at(now_s * 1_000_000)));
    let account = "000000000000".parse().unwrap();
    let deps = Deps { store, meters: meters.clone(), account, clock: clock.clone() };
    Bench { ledger: Ledger::new(config, deps), meters, clock }
}

fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

impl Bench {
    fn call(&self, function: &str, version: Version, at_s: u64) {
        let usage = Usage {
            status: Status::Success,
            duration: Duration::from_millis(2),
            init: None,
            restore: None,
            memory_bytes_peak: 1 << 20,
            fuel: 10,
        };
        let used = Used { usage, memory: MemoryMib(128), billed_ms: 2, bytes_in: 1, bytes_out: 2 };
        self.meters.begin(&name(function), version, Timestamp(at_s * 1_000_000)).ended(&used);
    }

    async fn hours(&self, name: Option<FunctionName>, hours: std::ops::Range<u64>) -> Hours {
        self.ledger.hours(&[Of { name, version: None }], hours).await.unwrap().remove(0)
    }

    async fn invocations(&self, hours: std::ops::Range<u64>, by: By) -> Vec<(String, Option<String>, u64)> {
        let rows = self.ledger.usage(hours, by).await.unwrap();
        let of = |row: Row| (row.function, row.version, row.counters.invocations);
        rows.into_iter().map(of).collect()
    }
}

#[tokio::test]
async fn usage_is_added_up_and_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    for start in 1..=3u64 {
        let bench = open(dir.path(), Config::default(), 10 * HOUR_S);
        for _ in 0..5 {
            bench.call("f", Version::Latest, 9 * HOUR_S);
        }
        bench.call("f", Version::Number(1), 10 * HOUR_S);
        bench.call("g", Version::Latest, 10 * HOUR_S);
        bench.ledger.flush().await.unwrap();
        bench.call("g", Version::Latest, 10 * HOUR_S);
        let function = |name: &str, count| (name.to_owned(), None, count);
        assert_eq!(
            bench.invocations(0..100, By::Function).await,
            [function("f", 6 * start), function("g", 2 * start)],
            "what was not flushed yet counts"
        );
        let version = |name: &str, version: &str, count| (name.to_owned(), Some(version.to_owned()), count);
        assert_eq!(
            bench.invocations(10..11, By::Version).await,
            [version("f", "1", start), version("g", "$LATEST", 2 * start)]
        );
        let hours = bench.hours(Some(name("f")), 0..100).await;
        let hours: Vec<(u64, u64)> = hours.iter().map(|(hour, counters)| (*hour, counters.billed_mib_ms)).collect();
        assert_eq!(hours, [(9, 5 * start * 256), (10, start * 256)]);
    }
}

#[tokio::test]
async fn old_hours_become_days_and_old_days_go() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { hours_kept_days: 2, days_kept: 4, ..Config::default() };
    let bench = open(dir.path(), config, 0);
    for hour in 0..10 * 24 {
        bench.call("f", Version::Latest, hour * HOUR_S);
    }
    bench.ledger.flush().await.unwrap();
    bench.clock.advance(Duration::from_secs(9 * DAY_S));
    bench.ledger.prune().await.unwrap();
    let hours = bench.hours(None, 0..1_000).await;
    let counts: Vec<(u64, u64)> = hours.iter().map(|(hour, counters)| (*hour, counters.invocations)).collect();
    let mut expect = vec![(5 * 24, 24), (6 * 24, 24)];
    expect.extend((7 * 24..10 * 24).map(|hour| (hour, 1)));
    assert_eq!(counts, expect);
    bench.ledger.prune().await.unwrap();
    assert_eq!(bench.invocations(0..1_000, By::Function).await, [("f".to_owned(), None, 5 * 24)]);
}

#[tokio::test]
async fn records_are_bounded_before_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let bench = open(dir.path(), Config { records_max: 30, ..Config::default() }, 3 * DAY_S);
    for hour in 0..4 * 24 {
        bench.call("f", Version::Latest, hour * HOUR_S);
    }
    bench.ledger.flush().await.unwrap();
    bench.ledger.prune().await.unwrap();
    let hours = bench.hours(None, 0..1_000).await;
    let counts: Vec<u64> = hours.values().map(|counters| counters.invocations).collect();
    assert_eq!((counts[..3].to_vec(), counts.len()), (vec![24, 24, 24], 27), "only today is kept by the hour");
}

#[tokio::test]
async fn what_could_not_be_written_stays_counted() {
    let dir = tempfile::tempdir().unwrap();
    let bench = open(dir.path(), Config::default(), HOUR_S);
    bench.call("f", Version::Latest, HOUR_S);
    // The store is closed, as it is on a disk that failed.
    let folder = Folder::open(&dir.path().join("other"), Arc::new(System)).unwrap();
    let keys = Keys { journal: [1; 32], secrets: Keyring::new([2; 32], vec![]) };
    let (store, _) = Store::open(&folder, &dir.path().join("other"), keys, lamina_kv::Config::default()).unwrap();
    let account = "000000000000".parse().unwrap();
    let deps = Deps { store: store.clone(), meters: bench.meters.clone(), account, clock: bench.clock.clone() };
    let closed = Ledger::new(Config::default(), deps);
    store.close();
    assert!(closed.flush().await.is_err());
    bench.ledger.flush().await.unwrap();
    assert_eq!(bench.invocations(0..100, By::Function).await, [("f".to_owned(), None, 1)]);
}

/// `GetUsage` whose client left, or a platform that stops while it writes, must not
/// lose what was taken from the meters.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_that_is_dropped_half_way_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let bench = open(dir.path(), Config::default(), HOUR_S);
    for round in 1..=8u64 {
        // Several transactions.
        for number in 0..450 {
            bench.call(&format!("f{number}"), Version::Latest, HOUR_S);
        }
        let mut flush = Box::pin(bench.ledger.flush());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(flush.as_mut().poll(cx).is_ready())).await;
        drop(flush);
        let counted: u64 = bench.invocations(0..100, By::Function).await.iter().map(|(_, _, calls)| calls).sum();
        assert_eq!(counted, 450 * round, "{polled}");
    }
}

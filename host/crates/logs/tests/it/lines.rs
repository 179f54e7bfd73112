//! What is written is read: from memory, from the disk, and after a restart.

use std::time::Duration;

use lamina_logs::{Config, Pattern, Position, Query, Streams};

use crate::support::{Bench, START, texts};

#[test]
fn lines_are_read_from_memory_and_from_the_disk_alike() {
    let bench = Bench::new();
    let id = bench.call("g", "a", 1, &["one", "two"]);
    let in_memory = bench.all("g");
    bench.store.drain();
    bench.call("g", "b", 2, &["three"]);
    let events = bench.all("g");
    assert_eq!(events[..5], in_memory[..]);
    let short: Vec<String> =
        events.iter().map(|event| event.message[..5.min(event.message.len())].to_owned()).collect();
    assert_eq!(short, ["START", "one", "two", "END R", "REPOR", "START", "three", "END R", "REPOR"][..]);
    assert_eq!((&*events[1].stream, &*events[6].stream), ("a", "b"));
    assert_eq!(events[1].call.as_deref(), Some(id.as_str()));
    assert!(events.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
}

#[test]
fn lines_survive_a_stop_and_a_kill() {
    let bench = Bench::new();
    bench.kept("g", "kept");
    bench.line("g", "in memory");
    let bench = bench.reopened();
    assert_eq!(bench.texts("g"), ["kept", "in memory"]);
    bench.kept("g", "more");
    bench.line("g", "not kept");
    let bench = bench.killed();
    assert_eq!(
        (bench.texts("g"), &bench.damage[..]),
        (["kept", "in memory", "more"].map(str::to_owned).to_vec(), &[][..])
    );
    // Numbers go on.
    bench.kept("g", "after");
    let sequences: Vec<u64> = bench.all("g").iter().map(|event| event.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
}

/// The thread keeps lines by itself.
#[test]
fn lines_are_kept_without_anybody_asking() {
    use std::sync::Arc;
    let dir = tempfile::tempdir().unwrap();
    let open = |logs: &lamina_telemetry::Logs| {
        let root = lamina_disk::Folder::open(dir.path(), Arc::new(lamina_disk::System)).unwrap();
        let clock = Arc::new(lamina_kit::SystemClock::new());
        lamina_logs::LogStore::open(root, logs.clone(), clock, Config::default()).unwrap().0
    };
    let logs = lamina_telemetry::Logs::new(lamina_telemetry::LogsConfig::default());
    let store = open(&logs);
    logs.append("g", &"s".into(), [(lamina_types::Timestamp(START), "x")]);
    // It is on the disk when it is in memory no more.
    while logs.peek("g", 0).is_some() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(store.find("g", &Query::all(10)).unwrap().events.len(), 1);
    store.close();
    drop(store);
    let again = open(&lamina_telemetry::Logs::new(lamina_telemetry::LogsConfig::default()));
    assert_eq!(again.find("g", &Query::all(10)).unwrap().events.len(), 1);
    again.close();
}

fn numbered(config: Config) -> Bench {
    let bench = Bench::with(config);
    for number in 0..100 {
        bench.line("g", &format!("line {number}"));
        if number % 7 == 0 {
            bench.store.drain();
        }
        bench.pass(Duration::from_secs(1));
    }
    bench
}

#[test]
fn pages_forward_and_backward_leave_nothing_out() {
    for config in [Config::default(), Config { segment_bytes_max: 300, group_bytes_max: 1 << 20, ..Config::default() }]
    {
        let bench = numbered(config);
        let expect = bench.texts("g");
        assert_eq!(expect.len(), 100);
        for step in [1, 3, 10, 64, 1_000] {
            let (mut forward, mut after) = (Vec::new(), 0);
            loop {
                let found = bench.find("g", &Query { from: Position::After(after), ..Query::all(step) });
                forward.extend(texts(&found));
                after = found.reached;
                if !found.more {
                    break;
                }
            }
            assert_eq!(forward, expect, "{step}");
            let (mut backward, mut before) = (Vec::new(), u64::MAX);
            loop {
                let found = bench.find("g", &Query { from: Position::Before(before), ..Query::all(step) });
                backward.splice(0..0, texts(&found));
                before = found.reached;
                if !found.more {
                    break;
                }
            }
            assert_eq!(backward, expect, "{step}");
        }
    }
}

#[test]
fn conditions_are_all_met() {
    let bench = numbered(Config::default());
    let ms = START / 1_000;
    let times = Query { start_ms: Some(ms + 10_000), end_ms: Some(ms + 13_000), ..Query::all(100) };
    assert_eq!(texts(&bench.find("g", &times)), ["line 10", "line 11", "line 12"]);
    let pattern = Pattern::parse("\"line 9\" -99").unwrap();
    let matching = texts(&bench.find("g", &Query { pattern: Some(&pattern), ..Query::all(100) }));
    assert_eq!((matching.len(), &*matching[0], &*matching[9]), (10, "line 9", "line 98"));
    let id = bench.call("g", "other", 1, &["mine"]);
    bench.call("g", "other", 2, &["not mine", &format!("about {id}")]);
    let mine = texts(&bench.find("g", &Query { call: Some(id.as_str()), ..Query::all(100) }));
    assert_eq!(mine.len(), 5, "START, its line, END, REPORT, and the other's that names it: {mine:?}");
    let of = |streams| bench.find("g", &Query { streams, ..Query::all(1_000) }).events.len();
    let names = ["other".to_owned(), "none".to_owned()];
    assert_eq!((of(Streams::Named(&names)), of(Streams::Prefixed("oth")), of(Streams::Prefixed("s"))), (9, 9, 100));
    assert_eq!((of(Streams::All), of(Streams::AnyPrefix(&names))), (109, 9));
}

/// The index by time: what lies outside is not read.
#[test]
fn times_that_are_not_asked_for_are_not_read() {
    let bench = numbered(Config { segment_bytes_max: 300, group_bytes_max: 1 << 20, ..Config::default() });
    bench.store.drain();
    let segments = bench.files(".segment");
    assert!(segments.len() > 5, "{segments:?}");
    // Those of the other times could not even be opened.
    let ms = START / 1_000;
    let query = Query { start_ms: Some(ms + 99_000), ..Query::all(100) };
    for segment in &segments[..segments.len() - 1] {
        std::fs::remove_file(segment).unwrap();
        std::fs::create_dir(segment).unwrap();
    }
    assert_eq!(texts(&bench.find("g", &query)), ["line 99"]);
    assert!(bench.store.find("g", &Query::all(100)).is_err(), "the others are read when they are asked for");
}

#[test]
fn a_long_search_is_done_in_parts() {
    let bench = numbered(Config { segment_bytes_max: 300, group_bytes_max: 1 << 20, ..Config::default() });
    let pattern = Pattern::parse("\"line 99\"").unwrap();
    let (mut after, mut rounds, mut found) = (0, 0, Vec::new());
    loop {
        let query =
            Query { from: Position::After(after), pattern: Some(&pattern), scan_bytes_max: 500, ..Query::all(10) };
        let part = bench.find("g", &query);
        found.extend(texts(&part));
        (after, rounds) = (part.reached, rounds + 1);
        if !part.more {
            break;
        }
    }
    assert_eq!(found, ["line 99"]);
    assert!(rounds > 3, "{rounds}");
}

/// A clock by which every look takes a second.
#[derive(Debug, Default)]
struct Slow(std::sync::atomic::AtomicU64);

impl lamina_kit::Clock for Slow {
    fn epoch_micros(&self) -> u64 {
        START
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
    }
}

/// A regular expression may be slow on lines that were written for it: one request does
/// not hold a core for longer than it may, and none looks at nothing.
#[test]
fn a_slow_search_ends_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let root = lamina_disk::Folder::open(dir.path(), std::sync::Arc::new(lamina_disk::System)).unwrap();
    let logs = lamina_telemetry::Logs::new(lamina_telemetry::LogsConfig::default());
    let clock = std::sync::Arc::new(Slow::default());
    let (store, _) = lamina_logs::LogStore::read(root, logs.clone(), clock, Config::default()).unwrap();
    let line = |number: u64| (lamina_types::Timestamp(START + number), "line");
    logs.append("g", &"s".into(), (0..6).map(line));
    store.drain();
    logs.append("g", &"s".into(), (6..12).map(line));
    let search = |pattern: &str, from| {
        let pattern = Pattern::parse(pattern).unwrap();
        store.find("g", &Query { pattern: Some(&pattern), from, ..Query::all(100) }).unwrap()
    };
    for (pattern, pages_min) in [("line", 1), ("%line%", 4), ("[a = %l%]", 4)] {
        let (mut after, mut lines, mut pages) = (0, 0, 0);
        loop {
            let found = search(pattern, Position::After(after));
            (after, lines, pages) = (found.reached, lines + found.events.len(), pages + 1);
            if !found.more {
                break;
            }
            assert!(!found.events.is_empty(), "{pattern}: no step forward");
        }
        assert!(lines == 12 && pages >= pages_min && pages <= 12, "{pattern}: {lines} lines in {pages} pages");
    }
    assert!(search("%line%", Position::Before(u64::MAX)).more);
}

//! Groups and streams are made, listed and removed.

use std::time::Duration;

use lamina_logs::{Error, Query};
use lamina_types::Timestamp;

use crate::support::{Bench, START};

#[test]
fn groups_are_made_listed_and_removed() {
    let bench = Bench::new();
    bench.store.create_group("a").unwrap();
    bench.line("b", "in memory");
    assert!(matches!(bench.store.create_group("a"), Err(Error::GroupExists(_))));
    assert!(matches!(bench.store.create_group("b"), Err(Error::GroupExists(_))));
    bench.store.set_retention("a", Some(30)).unwrap();
    let bench = bench.reopened();
    let groups = bench.store.groups();
    assert_eq!((&*groups[0].name, groups[0].created_ms, groups[0].retention_days), ("a", START / 1_000, Some(30)));
    assert_eq!((&*groups[1].name, groups[1].retention_days, groups[1].stored_bytes > 0), ("b", None, true));
    bench.line("b", "in memory again");
    bench.store.delete_group("b").unwrap();
    assert!(matches!(bench.store.delete_group("b"), Err(Error::NoGroup(_))));
    assert!(matches!(bench.store.find("b", &Query::all(1)), Err(Error::NoGroup(_))));
    // Who goes on writing makes it again, with nothing of before.
    bench.kept("b", "new");
    assert_eq!(bench.reopened().texts("b"), ["new"]);
}

/// Another, as the store's own thread, was told of a group and has not come to it yet.
#[test]
fn what_another_is_about_to_keep_is_listed() {
    let bench = Bench::new();
    for lines in 1..3_u64 {
        bench.line("g", "one more");
        assert_eq!(bench.logs.unkept(Duration::ZERO).len(), 1);
        assert_eq!(bench.store.groups().len(), 1, "after {lines}");
        bench.pass(Duration::from_micros(1));
        let streams = bench.store.streams("g").unwrap();
        assert_eq!(streams[0].lines.unwrap().1, Timestamp(START + lines - 1));
    }
    bench.line("g", "last");
    bench.logs.unkept(Duration::ZERO);
    assert_eq!(bench.store.streams("g").unwrap()[0].lines.unwrap().1, Timestamp(START + 2));
}

#[test]
fn streams_are_made_listed_and_removed() {
    let bench = Bench::new();
    bench.kept("g", "of s");
    bench.store.create_stream("g", "made").unwrap();
    assert!(matches!(bench.store.create_stream("g", "made"), Err(Error::StreamExists(_))));
    assert!(matches!(bench.store.create_stream("g", "s"), Err(Error::StreamExists(_))));
    assert!(matches!(bench.store.create_stream("none", "s"), Err(Error::NoGroup(_))));
    let bench = bench.reopened();
    let streams = bench.store.streams("g").unwrap();
    assert_eq!(streams.iter().map(|stream| &*stream.name).collect::<Vec<_>>(), ["made", "s"]);
    assert_eq!((streams[0].lines, streams[1].lines), (None, Some((Timestamp(START), Timestamp(START)))));
    bench.line("g", "of s, in memory");
    bench.store.delete_stream("g", "s").unwrap();
    assert!(matches!(bench.store.delete_stream("g", "s"), Err(Error::NoStream(_))));
    assert!(bench.texts("g").is_empty());
    let bench = bench.reopened();
    assert!(bench.texts("g").is_empty());
    bench.kept("g", "of s, later");
    assert_eq!((bench.texts("g").len(), bench.store.streams("g").unwrap().len()), (1, 2));
}

#[test]
fn lines_are_put_into_streams_that_are_there() {
    let bench = Bench::new();
    bench.store.create_group("g").unwrap();
    let lines = |count: u64, bytes: usize| -> Vec<(Timestamp, String)> {
        (0..count).map(|number| (Timestamp(START + number), format!("{number} {}", "x".repeat(bytes)))).collect()
    };
    assert!(matches!(bench.store.put("g", "s", &lines(1, 1)), Err(Error::NoStream(_))));
    bench.store.create_stream("g", "s").unwrap();
    bench.pass(Duration::from_secs(5));
    // More than fits into memory at a time.
    bench.store.put("g", "s", &lines(10_000, 10)).unwrap();
    bench.store.put("g", "s", &lines(9, 1 << 20)).unwrap();
    let bench = bench.killed();
    let events = bench.all("g");
    assert_eq!(events.len(), 10_009);
    assert_eq!((events[9_999].time, events[0].taken), (Timestamp(START + 9_999), Timestamp(START + 5_000_000)));
    assert!(events.iter().all(|event| event.call.is_none() && &*event.stream == "s"));
}

//! Everything has a bound, and nobody's flood is another's.

use std::time::Duration;

use lamina_logs::{Config, LogStore, Query};
use lamina_telemetry::{Dropped, Logs, LogsConfig};
use lamina_types::Timestamp;

use crate::support::{Bench, START};

const DAY: Duration = Duration::from_secs(86_400);

fn small() -> Config {
    Config { segment_bytes_max: 2_000, group_bytes_max: 10_000, bytes_max: 25_000, ..Config::default() }
}

fn bytes(bench: &Bench) -> u64 {
    bench.files(".segment").iter().map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn a_group_keeps_its_newest_lines() {
    let bench = Bench::with(small());
    for number in 0..1_000 {
        bench.kept("g", &format!("line {number}"));
    }
    let texts = bench.texts("g");
    assert!(bytes(&bench) <= 10_000, "{}", bytes(&bench));
    assert!(texts.len() > 50, "{}", texts.len());
    assert_eq!(texts.last().unwrap(), "line 999");
    assert_eq!(bench.reopened().texts("g"), texts);
}

#[test]
fn a_flood_takes_nothing_from_others() {
    let bench = Bench::with(Config { group_bytes_max: 20_000, ..small() });
    for number in 0..20 {
        bench.kept("quiet", &format!("quiet {number}"));
    }
    for number in 0..500 {
        bench.kept("loud", &format!("{number} {}", "x".repeat(200)));
        bench.kept("louder", &format!("{number} {}", "x".repeat(400)));
        bench.store.tidy().unwrap();
    }
    assert_eq!(bench.texts("quiet").len(), 20, "the largest groups pay");
    assert!(bytes(&bench) <= 25_000, "{}", bytes(&bench));
    assert!(!bench.texts("loud").is_empty() && !bench.texts("louder").is_empty());
}

/// A ring that overflows before it is kept says what was lost, in its own group.
#[test]
fn what_came_too_fast_is_said_where_it_came() {
    let bench = Bench::new();
    bench.line("quiet", "here");
    for number in 0..30_000 {
        bench.line("loud", &format!("line {number}"));
    }
    bench.store.drain();
    let loud = bench.texts("loud");
    assert_eq!(bench.texts("quiet"), ["here"]);
    let lost = loud[0].strip_prefix("LAMINA log lines lost: ").unwrap_or_else(|| panic!("{}", loud[0]));
    let lost: usize = lost.split(',').next().unwrap().parse().unwrap();
    assert_eq!((lost + loud.len() - 1, &*loud[loud.len() - 1]), (30_000, "line 29999"));
    assert_eq!(bench.logs.dropped(), Dropped { memory: lost as u64, ..Dropped::default() });
}

/// Memory is full of groups whose lines nobody has kept: the one that has to go is told
/// of in its own log, whether it comes back or not, and what was kept before is not.
#[test]
fn a_group_that_goes_before_it_is_kept_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let root = lamina_disk::Folder::open(dir.path(), std::sync::Arc::new(lamina_disk::System)).unwrap();
    let logs = Logs::new(LogsConfig { groups_max: 3, ..LogsConfig::default() });
    let clock = std::sync::Arc::new(lamina_kit::FixedClock::at(START));
    let (store, _) = LogStore::read(root, logs.clone(), clock, Config::default()).unwrap();
    let write = |group: &str, at: u64, text: &str| logs.append(group, &"s".into(), [(Timestamp(START + at), text)]);
    let texts = |group: &str| -> Vec<String> {
        store.find(group, &Query::all(100)).unwrap().events.iter().map(|event| event.message.to_string()).collect()
    };
    write("a", 0, "kept");
    write("back", 1, "kept");
    store.drain();
    for at in 2..5 {
        write("a", at, "lost");
        write("back", at, "lost");
    }
    for (at, group) in [(5, "x"), (6, "c"), (7, "d"), (8, "back")] {
        write(group, at, "there");
    }
    assert_eq!(logs.dropped(), Dropped { groups: 7, ..Dropped::default() }, "three of each, and x");
    while ["a", "back", "x", "c", "d"].iter().any(|group| logs.has_unkept(group)) {
        store.drain();
    }
    let lost = |lines| {
        format!("LAMINA log lines lost: {lines}, as they could not be kept, and there was no more room in memory")
    };
    assert_eq!(texts("a"), ["kept".to_owned(), lost(3)]);
    assert_eq!(texts("back"), ["kept".to_owned(), lost(3), "there".to_owned()]);
    assert_eq!(
        (texts("x"), texts("c"), texts("d")),
        (vec![lost(1)], vec!["there".to_owned()], vec!["there".to_owned()])
    );
    assert_eq!(logs.dropped().groups, 7);
    let sequences: Vec<u64> = store.find("back", &Query::all(9)).unwrap().events.iter().map(|e| e.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
}

#[test]
fn lines_past_the_retention_are_gone() {
    let bench = Bench::new();
    for day in 0..5 {
        bench.kept("g", &format!("day {day}"));
        bench.pass(DAY);
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(bench.files(".segment").len(), 5, "a segment a day");
    bench.store.set_retention("g", Some(3)).unwrap();
    assert_eq!((bench.texts("g"), bench.files(".segment").len()), (vec!["day 3".to_owned(), "day 4".to_owned()], 2));
    // Also when nobody asks, and after a restart.
    bench.pass(DAY);
    assert_eq!(bench.texts("g"), ["day 4"]);
    bench.pass(DAY);
    let bench = bench.reopened();
    assert_eq!((bench.texts("g").len(), bench.files(".segment").len()), (0, 0));
    bench.store.set_retention("g", None).unwrap();
    bench.kept("g", "later");
    bench.pass(400 * DAY);
    assert_eq!(bench.texts("g"), ["later"]);
}

#[test]
fn the_group_written_to_longest_ago_makes_room() {
    let bench = Bench::with(Config { groups_max: 2, ..Config::default() });
    for group in ["a", "b", "c"] {
        bench.pass(Duration::from_secs(1));
        bench.kept(group, "x");
    }
    let names: Vec<String> = bench.store.groups().iter().map(|group| group.name.to_string()).collect();
    assert_eq!(names, ["b", "c"]);
    assert!(bench.store.create_group("d").unwrap_err().to_string().contains("2 log groups already"));
}

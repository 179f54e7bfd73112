//! Everything has a bound, and nobody's flood is another's.

use std::time::Duration;

use lamina_logs::Config;

use crate::support::Bench;

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

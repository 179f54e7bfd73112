//! Each step on the disk fails or tears once: no line is lost that was not said, and
//! the store goes on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lamina_disk::{Seam, Step, Verdict};
use lamina_logs::Config;

use crate::support::Bench;

/// Fails one step, by its number; a write has so many of its bytes written.
#[derive(Default)]
struct Nth {
    fails: AtomicUsize,
    torn: usize,
    seen: AtomicUsize,
}

impl Seam for Nth {
    fn before(&self, _: &Step<'_>) -> io::Result<Verdict> {
        let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = number == self.fails.load(Ordering::SeqCst);
        Ok(if fails { Verdict::Tear(self.torn) } else { Verdict::Go })
    }
}

/// Lines in two groups, over several segments, with retention and a stream between
/// them. Answers how many steps it took.
fn check(fails: usize, torn: usize) -> usize {
    let seam = Arc::new(Nth { fails: AtomicUsize::new(fails), torn, ..Nth::default() });
    let config = Config { segment_bytes_max: 200, group_bytes_max: 1 << 20, ..Config::default() };
    let bench = Bench::over(seam.clone(), config);
    let mut expect = Vec::new();
    for number in 0..6 {
        for group in ["a", "b"] {
            bench.line(group, &format!("line {number}"));
        }
        expect.push(format!("line {number}"));
        bench.store.drain();
        // What fails says so, and is done again.
        if number == 2 && bench.store.set_retention("a", Some(7)).is_err() {
            bench.store.set_retention("a", Some(7)).unwrap();
        }
        if number == 3 && bench.store.create_stream("a", "made").is_err() {
            bench.store.create_stream("a", "made").unwrap();
        }
    }
    bench.store.drain();
    let steps = seam.seen.load(Ordering::SeqCst);
    for group in ["a", "b"] {
        assert_eq!(bench.texts(group), expect, "{group}: step {fails} failed, torn at {torn}");
    }
    let bench = bench.killed();
    for group in ["a", "b"] {
        assert_eq!(bench.texts(group), expect, "{group} again: step {fails} failed, torn at {torn}");
    }
    let groups = bench.store.groups();
    assert_eq!((groups.len(), groups[0].retention_days), (2, Some(7)), "step {fails} failed, torn at {torn}");
    assert_eq!(bench.store.streams("a").unwrap().len(), 2, "step {fails} failed, torn at {torn}");
    // What the next write went over, or the start cut away, and nothing else.
    assert!(bench.damage.len() <= 1, "step {fails} failed, torn at {torn}: {:?}", bench.damage);
    steps
}

#[test]
fn every_step_of_the_logs_may_fail() {
    let steps = check(0, 0);
    assert!(steps > 40, "{steps}");
    for torn in [0, 1, 30, 1_000] {
        // The first makes the folder itself.
        for fails in 2..=steps {
            check(fails, torn);
        }
    }
}

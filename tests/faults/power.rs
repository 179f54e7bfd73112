//! The power goes: every disk that a cut may leave behind opens, and holds what
//! was acknowledged.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::check::Checker;
use crate::child::{self, Job, say};
use crate::cut::{self, Chance, EXTREMES, Fate, Fates};
use crate::history::{Acks, LATER};
use crate::log::{self, Change, Record};
use crate::model::Disk;

/// States that one run looks at; the nightly one at twenty times as many, of
/// several recordings: the threads take turns differently in each.
const STATES: usize = 5_000;
/// Violations that are told of.
const TOLD_MAX: usize = 5;
/// One in so many directories is also written to and opened once more.
const GOES_ON: usize = 8;

/// What one process looks at.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    log: PathBuf,
    seed: u64,
    states: usize,
    /// This process takes those whose number has the remainder `part`.
    parts: usize,
    part: usize,
    /// Syncs of paths that begin so are taken out of the log; `-` for none.
    unsynced: String,
}

impl Share {
    pub(crate) fn text(&self) -> String {
        let Self { log, seed, states, parts, part, unsynced } = self;
        format!("{}\n{seed}\n{states}\n{parts}\n{part}\n{unsynced}", log.display())
    }

    pub(crate) fn parse(lines: &[&str]) -> Option<Self> {
        let &[log, seed, states, parts, part, unsynced] = lines else { return None };
        Some(Self {
            log: log.into(),
            seed: seed.parse().ok()?,
            states: states.parse().ok()?,
            parts: parts.parse().ok()?,
            part: part.parse().ok()?,
            unsynced: unsynced.into(),
        })
    }
}

/// A cut: before this record of the log, and with this luck.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: usize,
    fates: Fates,
    seed: u64,
}

/// The mark before which nothing is cut: what a log begins with is there.
pub(crate) const BASE: &str = "base";

/// Whether something is promised from this record on.
fn is_ack(record: &Record) -> bool {
    matches!(&record.change, Change::Mark(text) if text.starts_with("done") || text == LATER || text == "closed")
}

fn is_sync(record: &Record) -> bool {
    matches!(record.change, Change::Sync | Change::SyncLast)
}

/// Where to cut: with every extreme right after each acknowledgement, right before
/// syncs, where most is open, and else where chance says. In the order of the log.
fn cuts(records: &[Record], seed: u64, states: usize) -> Vec<Cut> {
    let mut chance = Chance::new(seed);
    let is_base = |record: &Record| record.change == Change::Mark(BASE.into());
    let first = records.iter().rposition(is_base).map_or(0, |base| base + 1);
    let acks = (first + 1..=records.len()).filter(|at| is_ack(&records[at - 1]));
    let mut cuts: Vec<Cut> = acks.flat_map(|at| EXTREMES.map(|fates| Cut { at, fates, seed })).collect();
    let syncs: Vec<usize> = (first..records.len()).filter(|at| is_sync(&records[*at])).collect();
    let hole = Fates { names: Fate::Kept, content: Fate::Hole };
    cuts.extend(syncs.iter().flat_map(|&at| [0, 1].map(|_| Cut { at, fates: hole, seed: chance.next() })));
    while cuts.len() < states {
        let fates = match chance.below(10) {
            0 => EXTREMES[chance.below(EXTREMES.len())],
            _ => Fates::random(&mut chance),
        };
        let at = match chance.below(2) {
            0 if !syncs.is_empty() => syncs[chance.below(syncs.len())],
            _ => first + chance.below(records.len() + 1 - first),
        };
        cuts.push(Cut { at, fates, seed: chance.next() });
    }
    cuts.sort_by_key(|cut| cut.at);
    cuts
}

/// The log as the share wants it.
fn records(share: &Share) -> Vec<Record> {
    let mut records = log::read(&share.log);
    for record in &mut records {
        if is_sync(record) && record.path.starts_with(&share.unsynced) {
            record.change = Change::Nothing;
        }
    }
    records
}

/// A process's work: says `at N` before each state, `bad N TEXT`, and at the end
/// how many different states there were.
pub(crate) fn work(share: &Share) {
    let records = records(share);
    let (mut disk, mut acks, mut made) = (Disk::new(), Acks::default(), 0);
    let mut seen = HashSet::new();
    let checker = Checker::new();
    let folder = child::folder();
    for (number, cut) in cuts(&records, share.seed, share.states).into_iter().enumerate() {
        for record in &records[made..cut.at] {
            disk.apply(record);
            acks.take(record);
        }
        made = cut.at;
        if number % share.parts != share.part {
            continue;
        }
        let state = cut::after(&disk, cut.fates, &mut Chance::new(cut.seed));
        let mut hasher = DefaultHasher::new();
        (&state, &acks).hash(&mut hasher);
        if !seen.insert(hasher.finish()) {
            continue;
        }
        say(&format!("at {number}"));
        let root = folder.path().join(number.to_string());
        std::fs::create_dir(&root).unwrap();
        cut::materialise(&state, &root).unwrap();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            checker.check(&root, &acks, seen.len() % GOES_ON == 0)
        }));
        match checked {
            Ok(Ok(())) => {}
            Ok(Err(text)) => say(&format!("bad {number} {text}")),
            Err(_) => say(&format!("bad {number} a panic")),
        }
        std::fs::remove_dir_all(&root).unwrap();
    }
    say(&format!("end {}", seen.len()));
}

/// What an exploration found.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    pub(crate) different: usize,
    pub(crate) violations: Vec<(usize, String)>,
}

/// Looks at all states, in as many processes as there are processors.
pub(crate) fn explore(log: &Path, states: usize, unsynced: &str) -> Explored {
    let parts = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    let share = Share { log: log.into(), seed: seed(), states, parts, part: 0, unsynced: unsynced.into() };
    let workers = (0..parts).map(|part| {
        let share = Share { part, ..share.clone() };
        std::thread::spawn(move || one(&share))
    });
    let mut explored = Explored::default();
    for worker in workers.collect::<Vec<_>>() {
        let part = worker.join().unwrap();
        explored.different += part.different;
        explored.violations.extend(part.violations);
    }
    explored.violations.sort();
    explored
}

fn one(share: &Share) -> Explored {
    let (mut explored, mut at) = (Explored::default(), 0);
    let end = child::follow(Job::Cuts(share.clone()).command(), Duration::from_secs(60), |line| {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next().and_then(|number| number.parse().ok()), words.next()) {
            (Some("at"), Some(number), _) => at = number,
            (Some("bad"), Some(number), Some(text)) => explored.violations.push((number, text.to_owned())),
            (Some("end"), Some(different), _) => explored.different = different,
            _ => {}
        }
    });
    if let Some(wrong) = end.wrong {
        explored.violations.push((at, format!("{wrong}\n{}", end.stderr)));
    }
    explored
}

/// The seed, which `FAULTS_SEED` may change.
fn seed() -> u64 {
    std::env::var("FAULTS_SEED").map_or(1, |seed| seed.parse().expect("FAULTS_SEED is a number"))
}

/// A log of the whole history without a fault; what its end has left is what the
/// model says, so that no change has bypassed the shim and the seam.
pub(crate) fn recorded(folder: &Path) -> PathBuf {
    let (end, _, log) = child::history(folder, None, |_| {});
    assert_eq!(end.wrong, None, "{}", end.stderr);
    let records = log::read(&log);
    let failed =
        records.iter().filter(|record| matches!(&record.change, Change::Mark(text) if text.starts_with("failed")));
    let failed: Vec<String> = failed.map(log::line).collect();
    assert_eq!(failed, [""; 0], "steps fail without a fault");
    let mut disk = Disk::new();
    records.iter().for_each(|record| disk.apply(record));
    let (model, found) = (disk.live(), cut::found(&folder.join("data")));
    let paths: std::collections::BTreeSet<&String> = model.keys().chain(found.keys()).collect();
    let differ: Vec<_> = paths.into_iter().filter(|path| model.get(*path) != found.get(*path)).collect();
    assert_eq!(differ, [""; 0], "changes of these were not seen");
    log
}

/// Tells of violations: with the seed, the place and what was done around it.
pub(crate) fn tell(log: &Path, states: usize, explored: &Explored) -> String {
    let records = log::read(log);
    let cuts = cuts(&records, seed(), states);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-violation.log");
    if log != kept {
        std::fs::copy(log, &kept).unwrap();
    }
    let (count, seed) = (explored.violations.len(), seed());
    let mut text = format!("{count} violations; again with FAULTS_SEED={seed} FAULTS_LOG={}\n", kept.display());
    for (number, wrong) in explored.violations.iter().take(TOLD_MAX) {
        let cut = cuts[*number];
        text += &format!("\nstate {number}, seed {seed}, {cut:?}: {wrong}\n");
        let first = cut.at.saturating_sub(12);
        for (at, record) in records.iter().enumerate().take(cut.at + 4).skip(first) {
            let here = if at == cut.at { "--- the power goes\n" } else { "" };
            text += &format!("{here}{at:5} {}\n", log::line(record));
        }
    }
    text
}

#[test]
fn acknowledged_changes_survive_a_power_cut_at_any_moment() {
    let (recordings, states) = if crate::is_long() { (5, 4 * STATES) } else { (1, STATES) };
    // A kept log of a violation is looked at again.
    let kept = std::env::var_os("FAULTS_LOG").map(PathBuf::from);
    for _ in 0..recordings {
        let begun = Instant::now();
        let folder = child::folder();
        let log = kept.clone().unwrap_or_else(|| recorded(folder.path()));
        let explored = explore(&log, states, "-");
        let (records, different) = (log::read(&log).len(), explored.different);
        println!("{records} changes and marks; {states} cuts, {different} different states, {:?}", begun.elapsed());
        assert!(explored.violations.is_empty(), "{}", tell(&log, states, &explored));
        assert!(different > states / 3, "too few states: {different}");
    }
}

/// The search finds what it is there for: without some of the platform's syncs
/// acknowledged changes are lost.
#[test]
fn a_platform_that_leaves_out_a_sync_is_found_out() {
    let folder = child::folder();
    let log = recorded(folder.path());
    for unsynced in ["journal", "artifacts/sha256", "artifacts/tmp", "audit"] {
        let explored = explore(&log, 150, unsynced);
        println!("without syncs of {unsynced}: {} of {} states", explored.violations.len(), explored.different);
        assert!(!explored.violations.is_empty(), "leaving out the syncs of {unsynced} was not noticed");
    }
}

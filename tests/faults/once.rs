//! Each I/O call of the index's engine fails once, and so does each step of our own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::child::{self, Job};
use crate::cut::{self, Chance};
use crate::log::{self, Kind};
use crate::model::Disk;
use crate::seam::How;
use crate::shim::{self, Fault};

/// The index's folder.
const INDEX: &str = "sled";
/// Faults of one kind and way that a run tries; the nightly one tries all.
const TRIED_MAX: usize = 10;
/// Steps of our own that a run fails; the nightly one fails all, in each way.
const STEPS_MAX: usize = 40;

/// The ways in which a call of a kind may fail.
const WAYS: &[(Kind, &[&str])] = &[
    (Kind::Mkdir, &["eio", "enospc"]),
    (Kind::Create, &["eio", "enospc"]),
    (Kind::Write, &["eio", "enospc", "torn"]),
    (Kind::Truncate, &["eio"]),
    (Kind::Rename, &["eio", "enospc"]),
    (Kind::Unlink, &["eio"]),
    (Kind::Link, &["eio"]),
    (Kind::Fsync, &["eio", "enospc"]),
    (Kind::Fdatasync, &["eio", "enospc"]),
    (Kind::SyncFileRange, &["eio", "enospc"]),
    (Kind::Close, &["eio"]),
];

/// `most` of the numbers from 1 to `count`, evenly, the first and the last among them.
fn spread(count: usize, most: usize) -> Vec<usize> {
    match count {
        0 => Vec::new(),
        _ if count <= most => (1..=count).collect(),
        _ => (0..most).map(|place| 1 + place * (count - 1) / (most - 1)).collect(),
    }
}

/// What became of a fault.
#[derive(Debug)]
struct Met {
    /// It was made.
    was_made: bool,
    /// The process died of it.
    has_died: bool,
    /// What is wrong afterwards.
    wrong: Option<String>,
}

/// Runs the history with a fault and checks what it has left, as it is and as a power
/// cut at its end would leave it. The process may die of the fault: sled panics when
/// the sync at its end fails. It may not hang.
fn with_fault(fault: Option<(usize, How)>, set: impl FnOnce(&mut Command, &Path)) -> Met {
    let folder = child::folder();
    let fired = folder.path().join("fired");
    let (end, _, log) = child::history(folder.path(), fault, |command| set(command, &fired));
    let has_died = end.has_panicked;
    let mut wrong = end.wrong.filter(|_| !has_died).map(|wrong| format!("{wrong}\n{}", end.stderr));
    if wrong.is_none() {
        wrong = checked(&folder.path().join("data"), &log);
    }
    if wrong.is_none() {
        let root = folder.path().join("cut");
        let mut disk = Disk::new();
        log::read(&log).iter().for_each(|record| disk.apply(record));
        std::fs::create_dir(&root).unwrap();
        cut::materialise(&cut::after(&disk, cut::EXTREMES[0], &mut Chance::new(0)), &root).unwrap();
        wrong = checked(&root, &log).map(|wrong| format!("after a power cut at its end: {wrong}"));
    }
    let wrong = wrong.map(|wrong| format!("{wrong}\n{}", end_of(&log)));
    Met { was_made: fired.exists() || fault.is_some(), has_died, wrong }
}

/// Checks a directory in a process of its own; the text says what is wrong.
fn checked(root: &Path, log: &Path) -> Option<String> {
    let mut wrong = None;
    let job = Job::Check { root: root.to_owned(), log: log.to_owned() };
    let end = child::follow(job.command(), Duration::from_secs(60), |line| {
        wrong = line.strip_prefix("bad ").map(str::to_owned);
    });
    wrong.or(end.wrong.map(|wrong| format!("checking: {wrong}\n{}", end.stderr)))
}

/// The log's marks about failures.
fn end_of(path: &Path) -> String {
    let lines: Vec<String> = log::read(path).iter().map(log::line).collect();
    let told = lines.iter().filter(|line| line.starts_with("mark failed") || line.starts_with("mark unopened"));
    told.take(12).map(|line| format!("    {line}\n")).collect()
}

/// Does each piece of work once, on as many threads as there are processors.
fn all<T: Send>(work: Vec<T>, each: impl Fn(T) + Sync) {
    let queue = Mutex::new(work.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let Some(work) = queue.lock().unwrap().next() else { break };
                    each(work);
                }
            });
        }
    });
}

#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    tried: usize,
    made: usize,
    died: usize,
}

#[test]
fn each_call_of_the_index_fails_once_and_nothing_acknowledged_is_lost() {
    let begun = Instant::now();
    let folder = child::folder();
    let (end, _, log) = child::history(folder.path(), None, |_| {});
    assert_eq!(end.wrong, None, "{}", end.stderr);
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for record in log::read(&log).iter().filter(|record| Path::new(&record.path).starts_with(INDEX)) {
        *counts.entry(record.kind).or_default() += 1;
    }
    let most = if crate::is_long() { usize::MAX } else { TRIED_MAX };
    let faults = WAYS.iter().flat_map(|(kind, ways)| {
        let numbers = spread(counts.get(kind).copied().unwrap_or_default(), most);
        ways.iter().flat_map(move |how| numbers.clone().into_iter().map(|nth| (*kind, nth, *how)))
    });
    let (tally, wrong) = (Mutex::new(BTreeMap::<(Kind, &str), Tally>::new()), Mutex::new(Vec::new()));
    all(faults.collect(), |(kind, nth, how)| {
        let fault = Fault { kind: kind.name(), nth, how };
        let met = with_fault(None, |command, fired| shim::fail(command, fault, INDEX, fired));
        let mut tally = tally.lock().unwrap();
        let tally = tally.entry((kind, how)).or_default();
        tally.calls = counts[&kind];
        tally.tried += 1;
        tally.made += usize::from(met.was_made);
        tally.died += usize::from(met.has_died);
        wrong.lock().unwrap().extend(met.wrong.map(|wrong| format!("{fault:?}: {wrong}")));
    });
    for ((kind, how), Tally { calls, tried, made, died }) in tally.into_inner().unwrap() {
        let kind_name = kind.name();
        println!("{kind_name:16} {how:7} {calls:4} calls, {tried:4} tried, {made:4} made, {died:4} died of it");
        assert!(made > 0, "no fault of {kind:?} was made");
    }
    println!("{:?}", begun.elapsed());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_step_of_our_own_fails_once_and_nothing_acknowledged_is_lost() {
    let begun = Instant::now();
    let folder = child::folder();
    let (end, steps, _) = child::history(folder.path(), None, |_| {});
    assert_eq!(end.wrong, None, "{}", end.stderr);
    let faults: Vec<(usize, How)> = if crate::is_long() {
        (0..steps).flat_map(|nth| How::FAILURES.map(|how| (nth, how))).collect()
    } else {
        spread(steps, STEPS_MAX)
            .into_iter()
            .enumerate()
            .map(|(place, nth)| (nth - 1, How::FAILURES[place % 3]))
            .collect()
    };
    let tried = faults.len();
    let wrong = Mutex::new(Vec::new());
    all(faults, |fault| {
        let met = with_fault(Some(fault), |_, _| {});
        assert!(!met.has_died, "the process died of a failure of its own step: {fault:?}");
        wrong.lock().unwrap().extend(met.wrong.map(|wrong| format!("{fault:?}: {wrong}")));
    });
    println!("{steps} steps, {tried} tried, {:?}", begun.elapsed());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

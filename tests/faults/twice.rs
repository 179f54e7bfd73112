//! The power goes while what an earlier cut, or a kill, has left is being opened.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::child::{self, Job};
use crate::cut::{self, Chance, Fate, Fates, State};
use crate::history::Acks;
use crate::log::{self, Change, Kind, Record};
use crate::model::Disk;
use crate::power::{BASE, explore, recorded, tell};
use crate::seam::How;

/// First cuts or kills of one run, and second cuts after each.
const FIRST: usize = 6;
const SECOND: usize = 200;

/// The log of a disk that holds this, and of what was acknowledged before.
fn base(state: &State, acks: &Acks) -> Vec<Record> {
    let record = |kind, path: &str, change| Record { kind, inode: 0, path: path.into(), change };
    let mut records = Vec::new();
    for (path, content) in state {
        let Some(bytes) = content else {
            records.push(record(Kind::Mkdir, path, Change::MakeDir));
            continue;
        };
        let write = Change::Write { offset: 0, bytes: bytes.clone() };
        records.push(record(Kind::Create, path, Change::Create));
        records.push(record(Kind::Write, path, write));
    }
    // Names after what they are of, the root's own last.
    records.extend(state.keys().rev().map(|path| record(Kind::Fsync, path, Change::Sync)));
    records.push(record(Kind::Fsync, "", Change::Sync));
    let marks = acks.marks().into_iter().chain([BASE.to_owned()]);
    records.extend(marks.map(|text| record(Kind::Mark, "", Change::Mark(text))));
    records
}

/// Opens the directory and goes on under the shim, with the power going at any
/// moment; how many different states that leaves.
fn recovered(folder: &Path, cuts: usize, after: &str) -> usize {
    let (root, log) = (folder.join("data"), folder.join("log"));
    let mut command = Job::Recover { root: root.clone() }.command();
    crate::shim::watch(&mut command, &root);
    crate::shim::record(&mut command, &log);
    let mut wrong = None;
    let end = child::follow(command, Duration::from_secs(60), |line| {
        wrong = line.strip_prefix("bad ").map(str::to_owned);
    });
    assert_eq!(wrong.or(end.wrong), None, "{after}: {}", end.stderr);
    let explored = explore(&log, cuts, "-");
    assert!(explored.violations.is_empty(), "{after}: {}", tell(&log, cuts, &explored));
    explored.different
}

#[test]
fn a_power_cut_while_the_last_one_is_mended_loses_nothing_either() {
    let begun = Instant::now();
    let folder = child::folder();
    let records = log::read(&recorded(folder.path()));
    let (first, second) = if crate::is_long() { (10 * FIRST, 2 * SECOND) } else { (FIRST, SECOND) };
    let mut chance = Chance::new(11);
    let mut different = 0;
    for _ in 0..first {
        let at = chance.below(records.len() + 1);
        let mut disk = Disk::new();
        records[..at].iter().for_each(|record| disk.apply(record));
        // Much is missing, so that there is much to mend.
        let fates = Fates { names: Fate::Chance(50), content: Fate::Chance(50) };
        let state = cut::after(&disk, fates, &mut chance);
        let folder = child::folder();
        let (root, log) = (folder.path().join("data"), folder.path().join("log"));
        std::fs::create_dir(&root).unwrap();
        cut::materialise(&state, &root).unwrap();
        log::append(&log, &base(&state, &Acks::of(&records[..at]))).unwrap();
        different += recovered(folder.path(), second, &format!("after a first cut at {at}"));
    }
    println!("{first} first cuts, {different} different states after second ones, {:?}", begun.elapsed());
    assert!(different > first * second / 10, "too few states: {different}");
}

/// What a killed process had written and not synced is still seen by the next one,
/// which must not build on it as if it were on the disk.
#[test]
fn a_power_cut_after_a_kill_loses_nothing_either() {
    let begun = Instant::now();
    let folder = child::folder();
    let (end, steps, _) = child::history(folder.path(), None, |_| {});
    assert_eq!(end.wrong, None, "{}", end.stderr);
    let (kills, second) = if crate::is_long() { (10 * FIRST, 2 * SECOND) } else { (2 * FIRST, SECOND) };
    let mut chance = Chance::new(12);
    let (mut different, mut killed, mut outlived) = (0, 0, 0);
    while killed < kills {
        let at = chance.below(steps);
        let folder = child::folder();
        let (end, _, log) = child::history(folder.path(), Some((at, How::Killed)), |_| {});
        // How many files are made ready beside a history differs: some have fewer steps.
        if end.wrong.is_none() {
            outlived += 1;
            assert!(outlived < kills / 2, "the process outlived its end at step {at} of {steps}, as {outlived} did");
            continue;
        }
        killed += 1;
        let base = Change::Mark(BASE.to_owned());
        log::append(&log, &[Record { kind: Kind::Mark, inode: 0, path: String::new(), change: base }]).unwrap();
        different += recovered(folder.path(), second, &format!("after a kill at step {at}"));
    }
    println!("{kills} kills, {different} different states after cuts, {:?}", begun.elapsed());
    assert!(different > kills * second / 10, "too few states: {different}");
}

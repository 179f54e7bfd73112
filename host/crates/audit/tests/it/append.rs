//! Appending, reading, signing, while nothing goes wrong but the caller.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lamina_audit::{Error, LINE_BYTES_MAX, verify_lines};
use serde_json::json;

use crate::support::{FIRST_FILE, FullDisk, Place, Steps, entries, entry};

#[test]
fn entries_come_back_as_they_were_appended() {
    let place = Place::new();
    let log = place.open();
    assert_eq!(log.last(), (0, "0".repeat(64)));
    assert!(log.read(0, 10).unwrap().is_empty());
    assert!(matches!(log.sign(1), Err(Error::Empty)));
    assert!(place.files().is_empty(), "an empty log has no file");
    log.append(&entries(1..=3)).unwrap();
    log.append(&[]).unwrap();
    log.append(&entries(4..=7)).unwrap();
    let lines = log.read(0, usize::MAX).unwrap();
    for (n, line) in (1..).zip(&lines) {
        assert_eq!(serde_json::from_str::<lamina_audit::Entry>(line).unwrap(), entry(n));
    }
    assert_eq!(verify_lines(&lines, None).unwrap(), log.last());
    assert_eq!(place.open().last(), log.last());
    assert_eq!(place.read(FIRST_FILE), format!("{}\n", lines.join("\n")).into_bytes());
    let check = |after: u64, limit: usize, expect: std::ops::Range<usize>| {
        assert_eq!(log.read(after, limit).unwrap(), lines[expect], "{after} {limit}");
    };
    check(0, 0, 0..0);
    check(0, 2, 0..2);
    check(2, 2, 2..4);
    check(6, 5, 6..7);
    check(7, 5, 0..0);
    check(u64::MAX, 5, 0..0);
}

#[test]
fn entries_that_are_there_are_passed_over_and_gaps_are_refused() {
    let place = Place::with(3, &[]);
    let log = place.open();
    log.append(&entries(1..=5)).unwrap();
    log.append(&entries(2..=4)).unwrap();
    assert_eq!(log.last().0, 5);
    for (wrong, found) in [(vec![entry(7)], 7), (vec![entry(6), entry(8)], 8), (vec![entry(6), entry(6)], 6)] {
        let error = log.append(&wrong).unwrap_err();
        assert!(matches!(error, Error::Gap { found: at, .. } if at == found), "{error}");
        assert_eq!(log.last().0, 5);
    }
    assert_eq!(place.verify(None).unwrap().entries, 5);
}

#[test]
fn an_entry_that_is_too_long_is_refused_and_the_log_goes_on() {
    let place = Place::new();
    let log = place.open();
    let mut long = entry(1);
    long.detail.insert("text".to_owned(), json!("x".repeat(LINE_BYTES_MAX)));
    assert!(matches!(long.check(), Err(Error::TooLong { n: 1, max: LINE_BYTES_MAX, .. })));
    assert!(matches!(log.append(&[long]), Err(Error::TooLong { n: 1, .. })));
    log.append(&entries(1..=2)).unwrap();
    assert_eq!(place.verify(None).unwrap().entries, 2);
}

/// What was acknowledged is on the disk, and so is the name of its file.
#[test]
fn every_write_is_synced() {
    let place = Place::new();
    let steps = Arc::new(Steps::default());
    let log = place.open_with(steps.clone()).unwrap();
    let check = |expect: &[&str]| assert_eq!(std::mem::take(&mut *steps.0.lock().unwrap()), expect);
    check(&["MakeDir", "MakeDir", "SyncDir"]);
    log.append(&entries(1..=2)).unwrap();
    check(&["Create", "SyncDir", "Write", "Sync"]);
    log.append(&entries(1..=4)).unwrap();
    check(&["Write", "Sync"]);
    log.append(&entries(1..=4)).unwrap();
    check(&[]);
    log.sign(1).unwrap();
    check(&["Create", "SyncDir", "Write", "Sync"]);
    log.append(&entries(5..=5)).unwrap();
    log.sign(1).unwrap();
    check(&["Write", "Sync", "Write", "Sync"]);
    place.open_with(steps.clone()).unwrap();
    check(&["MakeDir", "SyncDir", "Sync", "Sync", "SyncDir"]);
}

#[test]
fn heads_are_kept_once_for_an_entry() {
    let place = Place::with(2, &[1, 2]);
    let log = place.open();
    let heads = place.read("heads");
    let head = log.sign(99).unwrap();
    assert_eq!((head.n, head.at, head.verify(&log.public_key())), (2, 99, Ok(())));
    assert_eq!(place.read("heads"), heads);
    log.append(&[entry(3)]).unwrap();
    let head = log.sign(100).unwrap();
    assert_eq!(place.read("heads"), [heads, format!("{head}\n").into_bytes()].concat());
    assert_eq!(place.verify(Some(&head)).unwrap().heads, 3);
}

#[test]
fn a_full_disk_loses_nothing_and_is_left_behind() {
    let place = Place::new();
    let disk = Arc::new(FullDisk::default());
    let log = place.open_with(disk.clone()).unwrap();
    // Before the first file, within it, and before the heads.
    for n in 1..=3 {
        disk.0.store(true, Ordering::SeqCst);
        let error = log.append(&[entry(n)]).unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
        assert!(error.to_string().starts_with("the disk is full: writing audit/00000000000000000001.log: "), "{error}");
        assert_eq!(log.last().0, n - 1);
        assert!(n == 1 || matches!(log.sign(n), Err(Error::Full { .. })));
        disk.0.store(false, Ordering::SeqCst);
        log.append(&[entry(n)]).unwrap();
    }
    log.sign(4).unwrap();
    assert_eq!(place.verify(None).unwrap().entries, 3);
    let other = Place::with(3, &[]);
    other.open().sign(4).unwrap();
    assert_eq!(place.files(), other.files());
}

#[test]
fn readers_and_signers_see_whole_entries_while_others_come() {
    let place = Place::new();
    let log = place.open();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..=60).for_each(|n| log.append(&[entry(n)]).unwrap()));
        while !writer.is_finished() {
            let lines = log.read(0, usize::MAX).unwrap();
            verify_lines(&lines, None).unwrap();
            assert!(log.sign(1).is_ok() || lines.is_empty());
        }
    });
    log.sign(2).unwrap();
    assert_eq!(place.verify(None).unwrap().entries, 60);
}

//! More entries than one file holds.

use std::sync::OnceLock;

use lamina_audit::{Entry, Error, FILE_BYTES_MAX, Head, LINE_BYTES_MAX, READ_BYTES_MAX, verify_lines};
use serde_json::json;

use crate::support::{FIRST_FILE, Faults, How, Place, entries, entry, share};

/// Entries whose lines are as long as can be: so many fill a file to its last byte.
const FULL: u64 = FILE_BYTES_MAX / LINE_BYTES_MAX as u64;
const SECOND_FILE: &str = "00000000000000000257.log";

fn longest(n: u64) -> Entry {
    let mut entry = entry(n);
    entry.detail.insert("text".to_owned(), json!(""));
    let bytes = serde_json::to_vec(&entry).unwrap().len() + ",\"prev\":\"\",\"hash\":\"\"\n".len() + 128;
    entry.detail.insert("text".to_owned(), json!("x".repeat(LINE_BYTES_MAX - bytes)));
    entry
}

/// A log with one full file and its head, which no test changes.
fn full() -> &'static Place {
    static FULL_LOG: OnceLock<Place> = OnceLock::new();
    FULL_LOG.get_or_init(|| {
        let place = Place::new();
        let log = place.open();
        log.append(&(1..=FULL).map(longest).collect::<Vec<_>>()).unwrap();
        log.sign(FULL).unwrap();
        assert_eq!(place.read(FIRST_FILE).len() as u64, FILE_BYTES_MAX);
        place
    })
}

/// Another log with the same full file, shared: a test that would change it fails.
fn after_full() -> Place {
    let place = Place::new();
    place.open();
    share(&full().path(FIRST_FILE), &place.path(FIRST_FILE));
    place.write("heads", full().read("heads"));
    place
}

#[test]
fn a_full_file_is_ended_and_the_next_begins_with_the_next_number() {
    let place = after_full();
    assert_eq!(full().files().len(), 2, "the file is full to its last byte");
    let log = place.open();
    assert_eq!(log.last().0, FULL);
    log.append(&entries(FULL + 1..=FULL + 2)).unwrap();
    let log = place.open();
    log.append(&[entry(FULL + 3)]).unwrap();
    let head = log.sign(1).unwrap();
    let verified = place.verify(Some(&head)).unwrap();
    assert_eq!((verified.entries, verified.heads), (FULL + 3, 2));
    assert_eq!(String::from_utf8(place.read(SECOND_FILE)).unwrap().lines().count(), 3);
    let lines = log.read(FULL - 2, 100).unwrap();
    assert_eq!(lines.len(), 5, "a page goes over the files' border");
    assert_eq!(lines[2..], log.read(FULL, 100).unwrap());
    assert_eq!(log.read(FULL + 1, 1).unwrap(), lines[3..4]);
}

#[test]
fn a_page_is_bounded_in_bytes() {
    let place = after_full();
    let log = place.open();
    log.append(&entries(FULL + 1..=FULL + 400)).unwrap();
    let (mut lines, mut pages) = (Vec::new(), 0);
    loop {
        let page = log.read(lines.len() as u64, usize::MAX).unwrap();
        assert!(page.iter().map(String::len).sum::<usize>() <= READ_BYTES_MAX);
        if page.is_empty() {
            break;
        }
        lines.extend(page);
        pages += 1;
    }
    assert_eq!((lines.len() as u64, pages), (FULL + 400, 2));
    assert_eq!(verify_lines(&lines, None).unwrap(), log.last());
}

#[test]
fn a_start_names_the_damaged_line_of_a_long_file() {
    let whole = full().read(FIRST_FILE);
    let place = after_full();
    let check = |from_end: usize, line: u64| {
        let mut bytes = whole.clone();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        place.write(FIRST_FILE, bytes);
        let Err(Error::Broken(broken)) = place.try_open() else { panic!("{from_end}") };
        assert_eq!((broken.file, broken.line), (format!("audit/{FIRST_FILE}"), line));
        assert_eq!(place.verify(None).unwrap_err().line, line);
    };
    check(10, FULL);
    check(LINE_BYTES_MAX + 10, FULL - 1);
    // Torn in the last line: the one before it is the end, which is before the head.
    place.write(FIRST_FILE, &whole[..whole.len() - 10]);
    assert!(matches!(place.try_open(), Err(Error::Broken(broken)) if broken.file == "audit/heads"));
    std::fs::remove_file(place.path("heads")).unwrap();
    assert_eq!(place.open().last().0, FULL - 1);
    // So many bytes without a newline were never the beginning of a line.
    for torn in [LINE_BYTES_MAX, 5 * LINE_BYTES_MAX] {
        place.write(FIRST_FILE, [&whole[..2 * LINE_BYTES_MAX], "x".repeat(torn).as_bytes()].concat());
        assert!(matches!(place.try_open(), Err(Error::Broken(broken)) if broken.line == 3), "{torn}");
        assert!(place.verify(None).is_err_and(|broken| broken.line == 3 && !broken.torn), "{torn}");
    }
}

#[test]
fn files_that_are_missing_or_do_not_follow_are_found() {
    let grown = || {
        let place = after_full();
        place.open().append(&entries(FULL + 1..=FULL + 2)).unwrap();
        place
    };
    let check = |what: &str, edit: &dyn Fn(&Place), is_found_at_start: bool| {
        let place = grown();
        edit(&place);
        assert!(place.verify(None).is_err(), "{what}");
        assert_eq!(place.try_open().is_err(), is_found_at_start, "{what}");
    };
    check("the first file is gone", &|place| std::fs::remove_file(place.path(FIRST_FILE)).unwrap(), true);
    check("the last file is torn to nothing", &|place| place.write(SECOND_FILE, "{"), false);
    let renamed = |place: &Place| {
        std::fs::rename(place.path(SECOND_FILE), place.path("00000000000000000258.log")).unwrap();
    };
    check("the second file begins later", &renamed, true);
    let shorter = |place: &Place| {
        let bytes = place.read(FIRST_FILE);
        place.write(FIRST_FILE, &bytes[..bytes.len() - LINE_BYTES_MAX]);
    };
    check("the first file lost its last line", &shorter, true);
    let torn = |place: &Place| {
        let bytes = place.read(FIRST_FILE);
        place.write(FIRST_FILE, &bytes[..bytes.len() - 1]);
    };
    check("the first file lost its last byte", &torn, true);
    let emptied = |place: &Place| {
        place.write(FIRST_FILE, "");
    };
    check("the first file is empty", &emptied, true);
}

#[test]
fn every_step_at_the_border_of_two_files_fails_once() {
    let batch = || entries(FULL + 1..=FULL + 2);
    let counting = Faults::none();
    let opened = |place: &Place, faults| {
        let log = place.open_with(faults);
        log.map(|log| log.append(&batch()).is_ok() || log.append(&batch()).is_ok())
    };
    assert!(opened(&after_full(), counting.clone()).unwrap());
    let (steps, mut runs) = (counting.steps(), 0);
    for nth in 1..=steps {
        for how in [How::Fail, How::Tear(3), How::Tear(350), How::Full] {
            for is_last in [false, true] {
                let place = after_full();
                let is_told = opened(&place, Faults::new(nth, how, is_last)).unwrap_or(false);
                let log = place.open();
                assert!(!is_told || log.last().0 == FULL + 2, "step {nth}, {how:?}");
                log.append(&batch()).unwrap();
                assert_eq!(log.last().0, FULL + 2, "step {nth}, {how:?}");
                let lines = log.read(FULL - 1, 9).unwrap();
                assert_eq!(lines.len(), 3, "step {nth}, {how:?}");
                let head: Head = String::from_utf8(place.read("heads")).unwrap().trim_end().parse().unwrap();
                assert_eq!(verify_lines(&lines[1..], Some((FULL, head.hash))).unwrap(), log.last());
                runs += 1;
            }
        }
    }
    println!("{steps} steps at the border of two files, {runs} runs with a failure");
}

//! Whatever is changed in the files is found.

use lamina_audit::{Broken, Error, Head, Log};
use lamina_disk::System;

use crate::support::{FIRST_FILE, KEY, Place, entries, entry, public_key};

/// One byte changed, put in or taken out.
fn one_byte_edits(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..bytes.len()).flat_map(move |at| {
        let with = |byte: u8| {
            let mut edited = bytes.to_vec();
            edited[at] = byte;
            (format!("byte {at} is {byte}"), edited)
        };
        let (mut longer, mut shorter) = (bytes.to_vec(), bytes.to_vec());
        longer.insert(at, bytes[at]);
        shorter.remove(at);
        let flips = [1, 0x20, 0x80].map(|bits| with(bytes[at] ^ bits));
        let others = [b'\n'].into_iter().filter(move |byte| *byte != bytes[at]).map(with);
        let moved = [(format!("byte {at} is there twice"), longer), (format!("byte {at} is gone"), shorter)];
        flips.into_iter().chain(others).chain(moved).collect::<Vec<_>>()
    })
}

#[test]
fn every_edit_of_one_byte_is_found() {
    let place = Place::with(3, &[2]);
    let mut count = 0;
    for name in [FIRST_FILE, "heads"] {
        let bytes = place.read(name);
        for (what, edited) in one_byte_edits(&bytes) {
            place.write(name, edited);
            let broken = place.verify(None).expect_err(&what);
            assert_eq!(broken.file, format!("audit/{name}"), "{what}: {broken}");
            count += 1;
        }
        place.write(name, [bytes.as_slice(), b"x"].concat());
        assert!(place.verify(None).is_err_and(|broken| broken.torn));
        place.write(name, &bytes);
    }
    assert_eq!(place.verify(None).unwrap().heads, 1);
    println!("{count} edits of one byte, all found");
}

/// A start finds what is within the end that it reads, and then changes nothing.
#[test]
fn a_start_refuses_an_edited_end_and_changes_nothing() {
    let place = Place::with(2, &[2]);
    let mut count = 0;
    for name in [FIRST_FILE, "heads"] {
        let bytes = place.read(name);
        for (what, edited) in one_byte_edits(&bytes) {
            // A head that lost its newline was torn, as far as anyone can tell.
            if name == "heads" && edited.last() != Some(&b'\n') {
                continue;
            }
            place.write(name, edited);
            let files = place.files();
            assert!(matches!(place.try_open(), Err(Error::Broken(_))), "{what}");
            assert_eq!(place.files(), files, "{what}");
            count += 1;
        }
        place.write(name, &bytes);
    }
    place.open();
    println!("{count} edits of one byte, all refused");
}

fn lines(place: &Place, name: &str) -> Vec<String> {
    String::from_utf8(place.read(name)).unwrap().lines().map(|line| format!("{line}\n")).collect()
}

#[test]
fn lines_that_are_dropped_swapped_or_doubled_are_found() {
    let check = |what: &str, edit: fn(&mut Vec<String>), line: u64| {
        let place = Place::with(5, &[2, 5]);
        let mut edited = lines(&place, FIRST_FILE);
        edit(&mut edited);
        place.write(FIRST_FILE, edited.concat());
        let broken = place.verify(None).expect_err(what);
        assert_eq!((broken.line, broken.torn), (line, false), "{what}: {broken}");
    };
    check("the first line dropped", |lines| drop(lines.remove(0)), 1);
    check("a line dropped", |lines| drop(lines.remove(2)), 3);
    check("two lines swapped", |lines| lines.swap(1, 2), 2);
    check("a line doubled", |lines| lines.insert(3, lines[2].clone()), 4);
    check("an empty line", |lines| lines.insert(3, "\n".to_owned()), 4);
    check("a line made longer than any", |lines| lines[1] = "x".repeat(200_000), 2);
    // By the heads beside it: the second of them is of entry 5.
    check("the tail cut", |lines| lines.truncate(4), 2);
    check("all cut", Vec::clear, 1);
}

#[test]
fn a_tail_that_was_cut_with_its_heads_is_found_by_a_head_kept_elsewhere() {
    let place = Place::with(5, &[2, 5]);
    let heads = lines(&place, "heads");
    let kept: Head = heads[1].trim_end().parse().unwrap();
    let early: Head = heads[0].trim_end().parse().unwrap();
    assert_eq!(place.verify(Some(&kept)).unwrap().last, (5, kept.hash.clone()));
    place.write(FIRST_FILE, lines(&place, FIRST_FILE)[..4].concat());
    let broken = place.verify(None).unwrap_err();
    assert_eq!(broken.to_string(), "audit/heads, line 2: it signs entry 5, and the log ends with 4");
    assert!(matches!(place.try_open(), Err(Error::Broken(_))), "a start finds it, too");
    place.write("heads", &heads[0]);
    place.open();
    assert!(place.verify(None).is_ok() && place.verify(Some(&early)).is_ok());
    let broken = place.verify(Some(&kept)).unwrap_err();
    assert_eq!(broken.to_string(), "the head kept elsewhere: it signs entry 5, and the log ends with 4");
    std::fs::remove_file(place.path("heads")).unwrap();
    std::fs::remove_file(place.path(FIRST_FILE)).unwrap();
    assert!(place.verify(None).is_ok() && place.verify(Some(&early)).is_err());
}

/// The log with entry 2 told otherwise, all chained and signed anew by this key.
fn rewritten(key: &[u8; 32]) -> Place {
    let place = Place::new();
    let log = Log::open(place.folder(std::sync::Arc::new(System)).unwrap(), key).unwrap();
    let mut told = entries(1..=5);
    told[1].principal = "somebody else".to_owned();
    log.append(&told).unwrap();
    log.sign(5).unwrap();
    place
}

#[test]
fn a_log_that_was_written_anew_is_found_by_the_key_or_a_head_kept_elsewhere() {
    let kept = Place::with(5, &[]).open().sign(5).unwrap();
    let (with_other, with_ours) = (rewritten(&[8; 32]), rewritten(&KEY));
    let broken = with_other.verify(None).unwrap_err();
    assert_eq!(broken.to_string(), "audit/heads, line 1: its signature does not fit");
    assert!(matches!(with_other.try_open(), Err(Error::Broken(_))));
    // One who has the host's own key leaves no trace in the files.
    assert!(with_ours.verify(None).is_ok());
    let expect = "the head kept elsewhere: it signs another entry 5 than the log has";
    assert_eq!(with_ours.verify(Some(&kept)).unwrap_err().to_string(), expect);
    std::fs::remove_file(with_other.path("heads")).unwrap();
    assert!(with_other.verify(None).is_ok());
    assert_eq!(with_other.verify(Some(&kept)).unwrap_err().to_string(), expect);
}

#[test]
fn heads_that_do_not_belong_are_found() {
    let place = Place::with(5, &[2, 4]);
    let heads = lines(&place, "heads");
    let check = |text: String, expect: &str| {
        place.write("heads", text);
        assert_eq!(place.verify(None).unwrap_err().to_string(), format!("audit/heads, {expect}"));
    };
    check([heads[1].as_str(), &heads[0]].concat(), "line 2: it signs entry 2 after one of entry 4");
    let others = lines(&rewritten(&[8; 32]), "heads").concat();
    check([heads.concat(), others].concat(), "line 3: its signature does not fit");
    check("\n".to_owned(), "line 1: it does not have the form of a head");
    // Signed by our key, and of the last entry: a start finds it as well.
    let other = "line 1: it signs another entry 5 than the log has";
    check(lines(&rewritten(&KEY), "heads").concat(), other);
    assert_eq!(place.try_open().err().unwrap().to_string(), format!("audit/heads, {other}"));
    place.write("heads", heads.concat());
    let kept: Head = heads[0].trim_end().parse().unwrap();
    let forged = [Head { n: 0, ..kept.clone() }, Head { at: 3, ..kept.clone() }, Head { n: 3, ..kept.clone() }];
    for forged in forged {
        let broken = place.verify(Some(&forged)).unwrap_err();
        assert_eq!(broken.to_string(), "the head kept elsewhere: its signature does not fit");
    }
    let other = rewritten(&[8; 32]).open_key();
    assert!(place.verify_by(&other, Some(&kept)).is_err() && place.verify_by(&public_key(), Some(&kept)).is_ok());
}

impl Place {
    /// The public key of the other log.
    fn open_key(&self) -> [u8; 32] {
        Log::open(self.folder(std::sync::Arc::new(System)).unwrap(), &[8; 32]).unwrap().public_key()
    }
}

#[test]
fn files_that_are_named_otherwise_are_found() {
    let check = |name: &str, expect: &str| {
        let place = Place::with(3, &[]);
        std::fs::rename(place.path(FIRST_FILE), place.path(name)).unwrap();
        let broken: Broken = place.verify(None).unwrap_err();
        assert_eq!(broken.to_string(), format!("audit/{name}: {expect}"));
        assert!(matches!(place.try_open(), Err(Error::Broken(_))));
    };
    check("00000000000000000002.log", "entry 1 is the next one, and no file begins with it");
    check("00000000000000000000.log", "entry 1 is the next one, and no file begins with it");
    for name in ["1.log", "+0000000000000000001.log", "x.log", ".log", "99999999999999999999.log"] {
        check(name, "no file has such a name");
    }
    let place = Place::with(3, &[]);
    place.write("00000000000000000003.log", "");
    assert!(place.verify(None).is_err() && place.try_open().is_err());
    std::fs::remove_file(place.path("00000000000000000003.log")).unwrap();
    // What follows the last entry may have been made by a process that then died.
    place.write("00000000000000000004.log", "");
    assert_eq!(place.verify(None).unwrap().entries, 3);
    place.open().append(&[entry(4)]).unwrap();
    assert!(!place.read("00000000000000000004.log").is_empty());
    assert_eq!(place.verify(None).unwrap().entries, 4);
}

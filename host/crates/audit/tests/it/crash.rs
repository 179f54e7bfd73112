//! Every step fails, and every write is torn: what was acknowledged is there, and
//! the log goes on.

use std::sync::Arc;

use lamina_audit::{Error, Head, Log};
use lamina_disk::Seam;

use crate::support::{FIRST_FILE, Faults, How, Place, entries, entry};

const COUNT: u64 = 7;

/// What a caller was told.
#[derive(Default)]
struct Told {
    entries: u64,
    heads: Vec<Head>,
}

/// Opens, appends and signs, as often as it fails once again; stops for good when
/// the log does.
fn run(place: &Place, seam: Arc<dyn Seam>) -> Told {
    let mut told = Told::default();
    let Ok(log) = place.open_with(seam) else { return told };
    for batch in [1..=1, 2..=4, 3..=COUNT] {
        for _ in 0..2 {
            // What waits is given from its beginning, as after a crash.
            let waiting = entries(batch.clone());
            if log.append(&waiting).is_ok() {
                told.entries = *batch.end();
                break;
            }
            assert!(log.last().0 >= told.entries);
        }
        if told.entries > 0 && told.entries == log.last().0 {
            told.heads.extend(log.sign(told.entries));
        }
        if told.entries < *batch.end() {
            return told;
        }
    }
    told
}

/// The log after a start: it has what was told, and takes the rest.
fn check_after(place: &Place, told: &Told, what: &str) {
    let log = place.try_open().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(log.last().0 >= told.entries, "{what}: {} of {} entries", log.last().0, told.entries);
    place.verify(told.heads.last()).unwrap_or_else(|broken| panic!("{what}: {broken}"));
    let kept = place.files().into_iter().find(|(name, _)| name == "heads").map(|(_, bytes)| bytes).unwrap_or_default();
    let kept = String::from_utf8(kept).unwrap();
    for head in &told.heads {
        assert!(kept.contains(&head.to_string()), "{what}: {head}");
    }
    log.append(&entries(1..=COUNT)).unwrap();
    log.sign(COUNT).unwrap();
    place.verify(None).unwrap_or_else(|broken| panic!("{what}: {broken}"));
    // The same as when nothing had gone wrong.
    assert_eq!(place.read(FIRST_FILE), Place::with(COUNT, &[]).read(FIRST_FILE), "{what}");
}

#[test]
fn every_step_fails_once_and_nothing_acknowledged_is_lost() {
    let counting = Faults::none();
    let told = run(&Place::new(), counting.clone());
    assert_eq!((told.entries, told.heads.len()), (COUNT, 3));
    let (steps, mut runs, mut whole) = (counting.steps(), 0, 0);
    for nth in 1..=steps {
        for how in [How::Fail, How::Tear(0), How::Tear(1), How::Tear(400), How::Tear(usize::MAX), How::Full] {
            for is_last in [false, true] {
                let place = Place::new();
                let told = run(&place, Faults::new(nth, how, is_last));
                check_after(&place, &told, &format!("step {nth}, {how:?}, last: {is_last}"));
                runs += 1;
                whole += usize::from(told.entries == COUNT);
            }
        }
    }
    assert!(whole > 0 && whole < runs, "some failures stop the log, others do not");
    println!("{steps} steps, {runs} runs with a failure: {whole} took all entries without another start");
}

#[test]
fn every_step_of_a_start_fails_once() {
    // A file with a torn line, and heads with one.
    let torn = || {
        let place = Place::with(4, &[2, 3]);
        for (name, cut) in [(FIRST_FILE, 20), ("heads", 30)] {
            let bytes = place.read(name);
            place.write(name, &bytes[..bytes.len() - cut]);
        }
        place
    };
    let counting = Faults::none();
    torn().open_with(counting.clone()).unwrap();
    let steps = counting.steps();
    // The data directory, made and synced; for each of two files cut and sync; their
    // directory.
    assert_eq!(steps, 7);
    for nth in 1..=steps {
        for is_last in [false, true] {
            let place = torn();
            let faults = Faults::new(nth, How::Fail, is_last);
            assert!(place.open_with(faults).is_err(), "step {nth}");
            let told = Told { entries: 3, heads: Vec::new() };
            check_after(&place, &told, &format!("start, step {nth}, last: {is_last}"));
        }
    }
    println!("{steps} steps of a start, each failed once");
}

#[test]
fn a_tail_that_was_torn_at_any_byte_is_cut() {
    let place = Place::with(3, &[2]);
    let acknowledged = place.read(FIRST_FILE).len();
    place.open().append(&entries(4..=5)).unwrap();
    let (whole, heads) = (place.read(FIRST_FILE), place.read("heads"));
    for cut in acknowledged..=whole.len() {
        place.write(FIRST_FILE, &whole[..cut]);
        let complete = u64::try_from(whole[..cut].iter().filter(|byte| **byte == b'\n').count()).unwrap();
        let is_torn = whole[cut - 1] != b'\n';
        let verified = place.verify(None);
        assert_eq!(verified.as_ref().is_err_and(|broken| broken.torn), is_torn, "{cut}: {verified:?}");
        let log = place.open();
        assert_eq!(log.last().0, complete, "{cut}");
        assert_eq!(place.verify(None).unwrap().entries, complete, "{cut}");
        log.append(&entries(4..=5)).unwrap();
        assert_eq!(place.read(FIRST_FILE), whole, "{cut}");
    }
    for cut in 0..heads.len() {
        place.write("heads", &heads[..cut]);
        assert_eq!(place.verify(None).is_err_and(|broken| broken.torn), cut > 0, "{cut}");
        let log = place.open();
        assert!(place.read("heads").is_empty(), "{cut}");
        log.sign(7).unwrap();
        assert_eq!(place.verify(None).unwrap().heads, 1, "{cut}");
    }
    println!("cut at {} bytes of entries and {} of heads", whole.len() - acknowledged + 1, heads.len());
}

/// A sync that fails may have lost what was written before: nothing more is taken,
/// not even what could be written.
#[test]
fn after_a_failed_sync_nothing_more_is_taken() {
    let place = Place::with(2, &[1]);
    // After the steps of the start come the append's write and its sync.
    let counting = Faults::none();
    let log = place.open_with(counting.clone()).unwrap();
    let opened = counting.steps();
    drop(log);
    let log = place.open_with(Faults::new(opened + 2, How::Fail, false)).unwrap();
    assert!(matches!(log.append(&[entry(3)]), Err(Error::Io { doing: "syncing", .. })));
    for _ in 0..2 {
        let error = log.append(&[entry(3)]).unwrap_err();
        assert!(matches!(&error, Error::Stopped { file } if file.ends_with(FIRST_FILE)), "{error}");
    }
    assert_eq!(log.last().0, 2);
    // Heads are another file, and what is signed was acknowledged.
    assert_eq!(log.sign(9).unwrap().n, 2);
    assert_eq!(log.read(0, 9).unwrap().len(), 2);
    assert_eq!(place.open().last().0, 2, "what was not acknowledged was cut away");
}

/// A write that fails and cannot be undone leaves bytes that nobody may write after.
#[test]
fn after_a_write_that_cannot_be_undone_nothing_more_is_taken() {
    struct Worn(Arc<Faults>);
    impl Seam for Worn {
        fn before(&self, step: &lamina_disk::Step<'_>) -> std::io::Result<lamina_disk::Verdict> {
            match step {
                lamina_disk::Step::Write { .. } => Ok(lamina_disk::Verdict::Tear(9)),
                lamina_disk::Step::SetLen { .. } => Err(std::io::Error::other("worn")),
                other => self.0.before(other),
            }
        }
    }
    let place = Place::with(2, &[]);
    let log = place.open_with(Arc::new(Worn(Faults::none()))).unwrap();
    assert!(matches!(log.append(&[entry(3)]), Err(Error::Io { doing: "writing", .. })));
    assert!(matches!(log.append(&[entry(3)]), Err(Error::Stopped { .. })));
    assert!(place.verify(None).is_err_and(|broken| broken.torn));
    let log: Log = place.open();
    log.append(&entries(1..=3)).unwrap();
    assert_eq!(place.verify(None).unwrap().entries, 3);
}

/// After a power cut the sectors of the last append are there or not, each for itself;
/// those that are not read as zeros.
#[test]
fn an_append_of_which_only_some_sectors_were_written_is_cut_away() {
    let before = Place::with(2, &[2]).read(FIRST_FILE);
    let whole = Place::with(COUNT, &[]).read(FIRST_FILE);
    let first = before.len() / 512;
    let sectors = whole.len().div_ceil(512) - first;
    assert!(sectors > 1, "{sectors}");
    for lost in 1..1_u32 << sectors.min(10) {
        let mut bytes = whole.clone();
        for (at, byte) in bytes.iter_mut().enumerate().skip(before.len()) {
            if lost >> (at / 512 - first) & 1 == 1 {
                *byte = 0;
            }
        }
        let place = Place::with(2, &[2]);
        place.write(FIRST_FILE, &bytes);
        let broken = place.verify(None).unwrap_err();
        assert!(broken.torn && broken.line > 2, "lost {lost:b}: {broken}");
        let told = Told { entries: 2, heads: vec![] };
        check_after(&place, &told, &format!("lost {lost:b}"));
    }
}

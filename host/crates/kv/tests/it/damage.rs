//! Damage and edits behind the store's back: named and refused, or mended from the
//! journal.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lamina_disk::{Folder, System};
use lamina_kv::{Error, check};

use crate::{NUMBERS, copy, keys, open, opened, put};

/// What follows the last group of a file that is in use: zeros.
const END_BYTES: usize = 20;

/// A directory whose last commit is in the last file, as after a kill.
async fn killed(dir: &Path) {
    let living = dir.join("living");
    let store = open(&living).unwrap();
    put(&store, "a", 1).await.unwrap();
    put(&store, "b", 2).await.unwrap();
    store.checkpoint().await.unwrap();
    put(&store, "c", 3).await.unwrap();
    put(&store, "d", 4).await.unwrap();
    copy(&living, &dir.join("dead"));
    // The engine had not written all of its own; that is mended at a start, after
    // which the last file is as it was.
    let journal = named(&dir.join("dead"), ".journal");
    let bytes = fs::read(&journal).unwrap();
    drop(open(&dir.join("dead")).unwrap());
    for path in crate::files(&dir.join("dead/journal")) {
        if path > journal {
            fs::remove_file(path).unwrap();
        }
    }
    // Without the end after its last group.
    assert_eq!(fs::read(&journal).unwrap(), bytes[..bytes.len() - END_BYTES]);
}

fn named(dir: &Path, suffix: &str) -> PathBuf {
    let found = crate::files(&dir.join("journal"));
    found.into_iter().rfind(|path| path.to_string_lossy().ends_with(suffix)).unwrap()
}

fn records(dir: &Path) -> Result<Vec<(String, u32)>, Error> {
    open(dir)?.scan(&NUMBERS)
}

#[tokio::test]
async fn a_write_that_was_cut_off_is_cut_away_wherever_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    let whole = fs::read(named(&dead, ".journal")).unwrap();
    copy(&dead, &dir.path().join("whole"));
    let all = records(&dir.path().join("whole")).unwrap();
    assert_eq!(all.len(), 4);
    let group = (whole.len() - 32) / 2;
    assert!(group > 0 && 32 + 2 * group == whole.len(), "two groups of one size");
    // The group was not synced, so the index had not got it.
    fs::remove_dir_all(dead.join("sled")).unwrap();
    for length in 32 + group..whole.len() {
        for garbage in [0, 7] {
            let torn = dir.path().join(format!("torn-{length}-{garbage}"));
            copy(&dead, &torn);
            let mut bytes = whole[..length].to_vec();
            bytes.resize(length + garbage, 0xa5);
            fs::write(named(&torn, ".journal"), &bytes).unwrap();
            let (store, found) = opened(&torn).unwrap();
            assert_eq!(store.scan(&NUMBERS).unwrap(), all[..3], "{length}");
            // Zeros are not counted: there may be room after a group.
            let written = bytes[32 + group..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            assert_eq!(found.torn_bytes, written as u64);
            drop(store);
            fs::remove_dir_all(torn).unwrap();
        }
    }
}

/// After a power cut the sectors of the last group are there or not, each for itself:
/// also when all but the end of its MAC is.
#[tokio::test]
async fn a_group_of_which_only_some_bytes_were_written_is_cut_away() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    let file = named(&dead, ".journal");
    let whole = fs::read(&file).unwrap();
    let group = (whole.len() - 32) / 2;
    for from in 32 + group..whole.len() {
        for to in [from + 1, whole.len()] {
            if whole[from..to].iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut bytes = whole.clone();
            bytes[from..to].fill(0);
            let other = dir.path().join("other");
            copy(&dead, &other);
            fs::write(named(&other, ".journal"), bytes).unwrap();
            // Where the group was not synced the index had not got it.
            fs::remove_dir_all(other.join("sled")).unwrap();
            assert_eq!(records(&other).unwrap().len(), 3, "{from} to {to}");
            fs::remove_dir_all(other).unwrap();
        }
    }
}

/// A file is written over one that the journal has left: what is after its end are groups
/// of that one, whole or not, and they count for nothing.
#[tokio::test]
async fn what_an_older_file_left_behind_the_end_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    let older = fs::read(crate::files(&dead.join("journal")).remove(0)).unwrap();
    let older = &older[32..];
    let groups = &*fs::read(named(&dead, ".journal")).unwrap();
    let whole = [groups, &[0; END_BYTES]].concat();
    assert!(older.len() > END_BYTES && groups.len() > 32);
    let check = |what: &str, bytes: &[u8], expect: usize, torn: usize| {
        let other = dir.path().join("other");
        copy(&dead, &other);
        fs::write(named(&other, ".journal"), bytes).unwrap();
        let (store, found) = opened(&other).unwrap();
        assert_eq!((store.scan(&NUMBERS).unwrap().len(), found.torn_bytes), (expect, torn as u64), "{what}");
        drop(store);
        // And once more, after what was mended.
        assert_eq!(records(&other).unwrap().len(), expect, "{what}");
        fs::remove_dir_all(other).unwrap();
    };
    for cut in 0..older.len() {
        check(&format!("the end, then from {cut}"), &[&whole, &older[cut..]].concat(), 4, 0);
    }
    // The sector with the end was not written.
    check("no end, and an older group", &[groups, older].concat(), 4, 0);
    check("no end, and part of an older group", &[groups, &older[1..]].concat(), 4, older.len() - 1);
    // A group of its own after the end is damage: there was one before it.
    let mut bytes = whole;
    bytes[32..32 + END_BYTES].fill(0);
    let other = dir.path().join("other");
    copy(&dead, &other);
    fs::write(named(&other, ".journal"), &bytes).unwrap();
    assert!(matches!(open(&other), Err(Error::Damaged { offset: 32, .. })));
}

/// The end of the journal is cut away, at a group's end or within one, or whole files
/// of it: the index had more.
#[tokio::test]
async fn a_journal_whose_end_is_gone_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let living = dir.path().join("living");
    let store = open(&living).unwrap();
    for (number, key) in ["a", "b", "c"].into_iter().enumerate() {
        put(&store, key, u32::try_from(number).unwrap()).await.unwrap();
    }
    drop(store);
    let [file, next] = <[_; 2]>::try_from(crate::files(&living.join("journal"))).unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = fs::read(&file).unwrap();
    let group = (bytes.len() - 32) / 3;
    fs::remove_file(next).unwrap();
    for length in [32, 32 + group, 32 + 2 * group, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        let error = records(&living).unwrap_err();
        assert!(matches!(&error, Error::Damaged { file, .. } if file.ends_with(&name)), "{length}: {error}");
        assert!(error.to_string().contains("up to 3"), "{error}");
    }
    // Who wants what is left says so by a repair.
    fs::write(&file, &bytes[..32 + group]).unwrap();
    let folder = Folder::open(&living, Arc::new(System)).unwrap();
    let checked = check(&folder, &living, &keys(), true).unwrap();
    assert!(checked.findings.iter().any(|found| found.place == "sled" && found.repaired), "{checked:?}");
    assert_eq!(records(&living).unwrap().len(), 1);
}

#[tokio::test]
async fn every_flip_before_the_last_group_is_named() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    for suffix in [".journal", ".export"] {
        let file = named(&dead, suffix);
        let whole = fs::read(&file).unwrap();
        let end = if suffix == ".journal" { 32 + (whole.len() - 32) / 2 } else { whole.len() };
        for at in 0..end {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            fs::write(&file, bytes).unwrap();
            let error = open(&dead).err().unwrap_or_else(|| panic!("{suffix} byte {at} passes"));
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            assert!(matches!(&error, Error::Damaged { file, .. } if file.contains(&name)), "{at}: {error}");
        }
        fs::write(&file, whole).unwrap();
    }
    assert_eq!(records(&dead).unwrap().len(), 4, "nothing was changed");
}

#[tokio::test]
async fn after_a_clean_stop_the_last_group_counts_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "a", 1).await.unwrap();
    drop(store);
    let file = crate::files(&dir.path().join("journal")).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn files_that_are_missing_or_exchanged_are_named() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let check = |change: &dyn Fn(&Path)| {
        let other = dir.path().join("other");
        copy(&dir.path().join("living"), &other);
        change(&other);
        let error = open(&other).err().unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        fs::remove_dir_all(&other).unwrap();
    };
    check(&|dir| fs::remove_file(dir.join("journal/00000000000000000003.journal")).unwrap());
    check(&|dir| {
        fs::remove_file(named(dir, ".export")).unwrap();
        fs::remove_file(dir.join("journal/00000000000000000001.journal")).unwrap();
    });
    check(&|dir| {
        let journal = dir.join("journal");
        fs::copy(journal.join("00000000000000000001.journal"), journal.join("00000000000000000003.journal")).unwrap();
    });
}

#[tokio::test]
async fn an_export_is_not_needed_while_the_whole_journal_is_there() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    fs::remove_file(named(&dead, ".export")).unwrap();
    assert_eq!(records(&dead).unwrap().len(), 4);
}

#[tokio::test]
async fn the_index_is_made_again_whatever_happened_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "a", 1).await.unwrap();
    store.checkpoint().await.unwrap();
    drop(store);
    copy(&dir.path().join("sled"), &dir.path().join("older"));
    let store = open(dir.path()).unwrap();
    for number in 0..200_u32 {
        store.commit(move |txn| txn.put(&NUMBERS, &number.to_string(), &number)).await.unwrap();
    }
    store.checkpoint().await.unwrap();
    drop(store);
    let expect = records(dir.path()).unwrap();
    assert_eq!(expect.len(), 201);
    let sled = dir.path().join("sled");
    let check = |what: &str| {
        let (store, found) = opened(dir.path()).unwrap();
        assert_eq!(store.scan(&NUMBERS).unwrap(), expect, "{what}");
        assert!(found.rebuilt.is_some() || what == "removed", "{what}");
    };
    fs::remove_dir_all(&sled).unwrap();
    check("removed");
    fs::remove_dir_all(&sled).unwrap();
    copy(&dir.path().join("older"), &sled);
    check("an older copy");
    let whole = fs::read(sled.join("db")).unwrap();
    fs::write(sled.join("db"), &whole[..whole.len() / 2]).unwrap();
    check("cut");
    for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
        let mut bytes = fs::read(sled.join("db")).unwrap();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0xff;
        }
        fs::write(sled.join("db"), bytes).unwrap();
        let (store, _) = opened(dir.path()).unwrap();
        assert_eq!(store.scan(&NUMBERS).unwrap(), expect, "flipped at {at}");
    }
    fs::remove_file(sled.join("conf")).unwrap();
    let (store, _) = opened(dir.path()).unwrap();
    assert_eq!(store.scan(&NUMBERS).unwrap(), expect);
}

#[tokio::test]
async fn a_look_says_what_is_wrong_and_mends_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path()).await;
    let dead = dir.path().join("dead");
    let look = |repair: bool| {
        let folder = Folder::open(&dead, Arc::new(System)).unwrap();
        check(&folder, &dead, &keys(), repair).unwrap()
    };
    assert_eq!(look(false).findings, []);
    let file = named(&dead, ".journal");
    let mut bytes = fs::read(&file).unwrap();
    bytes.pop();
    fs::write(&file, bytes).unwrap();
    let found = look(false);
    assert_eq!(found.findings.len(), 2, "{found:?}");
    assert!(found.findings.iter().all(|finding| finding.repair.is_some() && !finding.repaired));
    assert_eq!(look(false), found, "nothing was changed");
    assert!(look(true).findings.iter().all(|finding| finding.repaired));
    assert_eq!(look(false).findings, []);
    assert_eq!(records(&dead).unwrap().len(), 3);
    fs::write(named(&dead, ".export"), b"nonsense").unwrap();
    let found = look(true);
    assert_eq!((found.findings.len(), found.findings[0].repair.as_ref()), (1, None), "{found:?}");
    fs::write(dead.join("journal/zzz"), b"").unwrap();
}

//! Formats: which are refused, and how format 1 is taken over.

use std::path::Path;
use std::sync::Arc;

use lamina_disk::System;
use lamina_kv::Error;

use crate::faults::Nth;
use crate::{NUMBERS, SECRETS, config, files, open, open_with, opened, put};

#[test]
fn a_directory_of_another_format_is_refused_and_not_changed() {
    let check = |text: &str, expect: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("format"), text).unwrap();
        let error = open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(expect), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    };
    check("lamina-kv 3\n", "has format 3; this program knows 2");
    check("lamina-kv 0\n", "not one of this program's: `lamina-kv 0");
    check("lamina-kv 2\ncolour: red\n", "not one of this program's");
    check("other\n", "not one of this program's: `other");
    check("", "not one of this program's");
}

#[tokio::test]
async fn records_without_a_format_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "a", 1).await.unwrap();
    drop(store);
    std::fs::remove_file(dir.path().join("format")).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Format(_))));
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Format(_))), "the journal alone, too");
}

/// As the program of format 1 left it.
fn format_1(dir: &Path) {
    std::fs::write(dir.join("format"), "lamina-kv 1\n").unwrap();
    let db = sled::open(dir.join("sled")).unwrap();
    for number in 0..300_u32 {
        db.insert(format!("numbers\0{number:04}"), number.to_string().as_bytes()).unwrap();
    }
    db.insert("secrets\0s", r#""plain""#).unwrap();
    db.flush().unwrap();
}

fn check_migrated(dir: &Path) {
    let store = open(dir).unwrap();
    let expect: Vec<(String, u32)> = (0..300).map(|number| (format!("{number:04}"), number)).collect();
    assert_eq!(store.scan(&NUMBERS).unwrap(), expect);
    assert_eq!(store.get(&SECRETS, "s").unwrap().as_deref(), Some("plain"));
    assert_eq!(std::fs::read_to_string(dir.join("format")).unwrap(), "lamina-kv 2\n");
}

#[test]
fn format_1_is_migrated_whatever_interrupts_it() {
    for nth in 1.. {
        let dir = tempfile::tempdir().unwrap();
        format_1(dir.path());
        let seam = Arc::new(Nth::new(nth, nth % 2 == 0));
        let attempt = open_with(dir.path(), seam.clone(), config());
        let failed = attempt.is_err();
        drop(attempt);
        check_migrated(dir.path());
        if !seam.struck() {
            assert!(!failed && nth > 10, "{nth} steps");
            break;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    format_1(dir.path());
    let (store, found) = opened(dir.path()).unwrap();
    assert_eq!((found.migrated_from, found.rebuilt), (Some(1), None));
    drop(store);
    let is_plain =
        |path: &std::path::PathBuf| std::fs::read(path).unwrap().windows(7).any(|window| window == br#""plain""#);
    assert!(!files(dir.path()).iter().any(is_plain), "a secret of format 1 is sealed everywhere");
    drop(open_with(dir.path(), Arc::new(System), config()).unwrap());
    // Without the export that holds them the records of format 1 are gone, and the
    // directory is not taken for an empty one.
    std::fs::remove_file(dir.path().join("journal/00000000000000000000.export")).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Damaged { .. })));
    assert!(dir.path().join("sled").exists());
}

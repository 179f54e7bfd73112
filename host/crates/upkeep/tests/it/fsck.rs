//! Directories with every kind of damage.

use std::os::unix::fs::PermissionsExt as _;

use lamina_kv::Keyring;
use lamina_upkeep::{Finding, Fsck, Report};

use super::*;

fn look(data: &Path, repair: bool) -> Report {
    let asked = Fsck { data: data.to_owned(), secrets: None, repair };
    let report = lamina_upkeep::fsck(&asked, |_, _| {}).unwrap();
    assert!(!data.with_extension("fsck").exists());
    report
}

/// Every file with its bytes, but for the index, which its engine changes by looking,
/// and the lock.
fn files(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "sled" || entry.file_name() == "lock" {
            continue;
        }
        if entry.metadata().unwrap().is_dir() {
            files.extend(self::files(&entry.path()));
        } else {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// A directory with two functions, a checkpoint and something after it.
async fn make(place: &Place) -> PathBuf {
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    platform.deploy("a").await;
    platform.audit("First").await;
    platform.store.checkpoint().await.unwrap();
    platform.deploy("b").await;
    platform.audit("Second").await;
    platform.registry.settle_audit().await;
    platform.registry.sign_audit_head().await.unwrap();
    platform.close().await;
    data
}

fn last(data: &Path, folder: &str, ending: &str) -> PathBuf {
    let names = fs::read_dir(data.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.to_str().unwrap().ends_with(ending)).max().unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = if at < bytes.len() { at } else { bytes.len() - 1 };
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    fs::write(path, [&fs::read(path).unwrap()[..], bytes].concat()).unwrap();
}

fn artifact(data: &Path, content: &str) -> PathBuf {
    let hex = Digest::of(content.as_bytes()).to_string();
    data.join("artifacts/sha256").join(&hex[..2]).join(&hex[2..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_directory_has_no_findings() {
    let place = Place::new();
    let data = make(&place).await;
    let before = files(&data);
    let report = look(&data, false);
    assert_eq!((&report.findings, &report.notes), (&Vec::new(), &Vec::new()));
    assert!(report.is_clean() && report.records > Some(0) && report.sequence > Some(0));
    assert_eq!((report.artifacts, report.audit_entries > 1), (4, true));
    assert_eq!(files(&data), before);
}

/// Damage, what is said of it, and whether a repair mends it.
async fn check(damage: fn(&Path), place_part: &str, what_part: &str, mends: bool) {
    let place = Place::new();
    let data = make(&place).await;
    damage(&data);
    let before = files(&data);
    let report = look(&data, false);
    let is_it = |finding: &Finding| finding.place.contains(place_part) && finding.what.contains(what_part);
    let found = report.findings.iter().find(|finding| is_it(finding));
    assert!(found.is_some(), "{place_part}, {what_part}: {report:?}");
    let found = found.unwrap();
    assert!(!report.is_clean() && !found.repaired);
    assert_eq!(found.repair.is_some(), mends, "{found:?}");
    assert_eq!(found.next.is_some(), !mends, "{found:?}");
    assert_eq!(files(&data), before, "{what_part}: looking changed something");

    let repaired = look(&data, true);
    assert!(repaired.findings.iter().any(|finding| is_it(finding) && finding.repaired == mends), "{repaired:?}");
    assert_eq!(repaired.is_clean(), mends, "{what_part}: {repaired:?}");
    assert_eq!(look(&data, false).findings.is_empty(), mends, "{what_part}");
    if mends {
        let platform = Platform::open(&data);
        platform.state().await;
        platform.deploy("more").await;
        platform.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_the_records_is_found() {
    let half = |data: &Path| {
        // In place of the end, after the head of a file that has nothing in it yet.
        let path = last(data, "journal", ".journal");
        fs::write(&path, [&fs::read(&path).unwrap()[..32], b"half"].concat()).unwrap();
    };
    check(half, "journal/", "cut off", true).await;
    check(|data| flip(&last(data, "journal", ".journal"), 20), "journal/", "", false).await;
    check(|data| flip(&last(data, "journal", ".export"), 60), "journal/", "", false).await;
    let gap = |data: &Path| {
        fs::remove_file(last(data, "journal", ".export")).unwrap();
        fs::remove_file(data.join("journal/00000000000000000001.journal")).unwrap();
    };
    check(gap, "journal", "", false).await;
    check(|data| fs::remove_dir_all(data.join("journal")).unwrap(), "journal", "", false).await;
    check(|data| fs::write(data.join("format"), "other 1\n").unwrap(), "journal", "format", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_says_something_else_is_found() {
    let strange = |data: &Path| {
        // That of another directory.
        let place = Place::new();
        let other = place.make("other", 9);
        Platform::open(&other).store.close();
        fs::remove_dir_all(data.join("sled")).unwrap();
        fs::rename(other.join("sled"), data.join("sled")).unwrap();
    };
    check(strange, "sled", "", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_artifacts_is_found() {
    check(|data| flip(&artifact(data, "package of a"), 0), "artifacts/sha256", "not those", false).await;
    let remove = |data: &Path| fs::remove_file(artifact(data, "package of b")).unwrap();
    check(remove, "artifacts/sha256", "it is missing, and b needs it", false).await;
    check(|data| fs::write(data.join("artifacts/tmp/x"), "half").unwrap(), "artifacts/tmp/x", "left", true).await;
    let folder = |data: &Path| {
        fs::create_dir(data.join("artifacts/tmp/y")).unwrap();
        fs::write(data.join("artifacts/tmp/y/z"), "half").unwrap();
    };
    check(folder, "artifacts/tmp/y", "left", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_the_audit_log_is_found() {
    check(|data| append(&last(data, "audit", ".log"), b"{\"n\":"), "audit/", "torn", true).await;
    check(|data| append(&data.join("audit/heads"), b"{\"n\":"), "audit/heads", "torn", true).await;
    check(|data| flip(&last(data, "audit", ".log"), 20), ".log, line 1", "", false).await;
    check(|data| flip(&data.join("audit/heads"), 20), "audit/heads, line 1", "", false).await;
    check(|data| fs::remove_file(last(data, "audit", ".log")).unwrap(), "audit/heads", "", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_keys_is_found() {
    let host = |data: &Path| fs::set_permissions(data.join("host.key"), fs::Permissions::from_mode(0o644)).unwrap();
    check(host, "host.key", "its mode is 644", true).await;
    let keys = |data: &Path| fs::set_permissions(data.join("secrets.key"), fs::Permissions::from_mode(0o640)).unwrap();
    check(keys, "secrets.key", "its mode is 640", true).await;
    check(|data| fs::remove_file(data.join("host.key")).unwrap(), "host.key", "missing", false).await;
    check(|data| fs::write(data.join("host.key"), "short").unwrap(), "host.key", "5 bytes", false).await;
    check(|data| fs::write(data.join("host.key"), [9; 32]).unwrap(), "journal", "", false).await;
    check(|data| fs::remove_file(data.join("secrets.key")).unwrap(), "secrets.key", "missing", false).await;
    check(|data| fs::write(data.join("secrets.key"), "x").unwrap(), "secrets.key", "line 1", false).await;
    let other = |data: &Path| secrets_file::write(&folder(data), &[[8; 32]]).unwrap();
    check(other, "journal", "key", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_keys_do_as_well_and_unneeded_artifacts_are_no_finding() {
    let place = Place::new();
    let data = make(&place).await;
    fs::remove_file(data.join("secrets.key")).unwrap();
    let hex = Digest::of(b"unneeded").to_string();
    let path = data.join("artifacts/sha256").join(&hex[..2]);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join(&hex[2..]), "unneeded").unwrap();
    let secrets = Some(Keyring::new([7; 32], Vec::new()));
    let mut read = 0;
    let asked = Fsck { data, secrets, repair: true };
    let report = lamina_upkeep::fsck(&asked, |bytes, total| {
        read += bytes;
        assert!(read <= total);
    });
    let report = report.unwrap();
    assert!(report.findings.is_empty() && report.is_clean(), "{report:?}");
    assert_eq!((report.artifacts, report.artifact_bytes), (5, read));
    assert!(report.notes.iter().any(|note| note.starts_with("1 artifacts of 8 bytes")), "{report:?}");
    assert!(path.join(&hex[2..]).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_use_or_of_something_else_is_refused() {
    let place = Place::new();
    let data = make(&place).await;
    let _platform = Platform::open(&data);
    let ask = |data: PathBuf| lamina_upkeep::fsck(&Fsck { data, secrets: None, repair: true }, |_, _| {});
    assert!(matches!(ask(data), Err(Error::Records(lamina_kv::Error::InUse(_)))));
    assert!(matches!(ask(place.path("none")), Err(Error::NoDirectory(_))));
    assert!(!place.path("none").exists());
    fs::create_dir(place.path("empty")).unwrap();
    assert!(matches!(ask(place.path("empty")), Err(Error::NoDirectory(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_format_is_no_finding() {
    let place = Place::new();
    let data = place.make("data", 1);
    fs::write(data.join("format"), "lamina-kv 1\n").unwrap();
    let before = files(&data);
    let report = look(&data, true);
    assert!(report.findings.is_empty() && report.notes.len() == 1, "{report:?}");
    assert_eq!(report.sequence, None);
    assert_eq!(files(&data), before);
}

//! A backup, and what is made of it.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use lamina_kit::Tasks;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_is_there_again() {
    let place = Place::new();
    let platform = Platform::open(&place.make("data", 1));
    for name in ["a", "b", "c"] {
        platform.deploy(name).await;
    }
    platform.delete("b").await;
    platform.registry.sign_audit_head().await.unwrap();
    // One that nothing refers to is left out.
    let unneeded = platform.artifacts.put("unneeded".into()).await.unwrap();
    let file = place.path("backup");
    let manifest = platform.backup(&file, 0, HashSet::new()).await;
    assert_eq!((manifest.since, manifest.artifacts().count()), (0, 4));
    assert!(manifest.artifacts().all(|digest| digest != unneeded));

    let mut read = 0;
    let data = place.path("new/restored");
    let restored = lamina_upkeep::restore(std::slice::from_ref(&file), &data, |bytes| read += bytes).unwrap();
    assert_eq!(read, fs::metadata(&file).unwrap().len());
    assert!(restored.has_secrets_key && restored.records > 0);
    assert_eq!(restored.sequence, manifest.sequence);
    assert!(!place.path("new/restored.new").exists() && !place.path("new/restored.new.fsck").exists());
    for (name, mode) in [("", 0o700), ("host.key", 0o600), ("secrets.key", 0o600)] {
        let found = fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let again = Platform::open(&data);
    assert_eq!(again.state().await, platform.state().await);
    // It goes on from there.
    again.deploy("d").await;
    again.audit("Tried").await;
    assert!(again.state().await.contains("Tried"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_sealed_and_the_operators_keys_stay_with_the_operator() {
    let place = Place::new();
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    platform.deploy("a").await;
    let file = place.path("backup");
    platform.backup(&file, 0, HashSet::new()).await;
    let bytes = fs::read(&file).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"hidden"), "a secret stands in the backup");

    let Platform { registry, store, artifacts, .. } = platform;
    let clock = Arc::new(FixedClock::at(1_764_000_000_000_000));
    let (data, host_key) = (folder(&data), [1; 32]);
    let upkeep = Upkeep::new(Deps { data, store, artifacts, registry, clock, host_key, operator_keys: true });
    let mut backup = upkeep.backup(0, HashSet::new()).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = backup.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    fs::write(&file, bytes).unwrap();
    assert!(Manifest::of(&file).unwrap().entries.iter().all(|entry| entry.name != "secrets.key"));
    let restored = lamina_upkeep::restore(&[file], &place.path("restored"), |_| {}).unwrap();
    assert!(!restored.has_secrets_key);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_platform_can_be_backed_up() {
    let place = Place::new();
    let platform = Platform::open(&place.make("data", 1));
    let file = place.path("backup");
    platform.backup(&file, 0, HashSet::new()).await;
    assert_eq!(restored(&[&file], &place.path("restored")).unwrap(), 0);
    Platform::open(&place.path("restored")).deploy("a").await;
    let ahead = platform.upkeep.backup(9, HashSet::new()).await;
    assert!(matches!(ahead, Err(Error::Ahead { since: 9, sequence: 0 })));
}

/// Functions come and go, the audit log grows and the journal is checkpointed while
/// backups are made: each is of one moment, and lacks nothing that its records name.
#[tokio::test(flavor = "multi_thread")]
async fn backups_of_a_busy_platform_are_whole() {
    let place = Place::new();
    let platform = Arc::new(Platform::with(&place.make("data", 1), 0));
    platform.deploy("first").await;
    let (tasks, stop) = (Tasks::new(), Arc::new(AtomicBool::new(false)));
    // What was put a moment ago is not collected: nothing refers to it yet.
    let putting = Arc::new(tokio::sync::RwLock::new(()));
    for worker in 0..3 {
        let (platform, stop, putting) = (platform.clone(), stop.clone(), putting.clone());
        tasks.spawn(async move {
            for round in 0.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let name = format!("f{worker}-{round}");
                let put = putting.read().await;
                platform.deploy(&name).await;
                drop(put);
                if round % 2 == 0 {
                    platform.delete(&name).await;
                    let _nobody = putting.write().await;
                    platform.artifacts.collect(platform.registry.referenced(), Duration::ZERO).await.unwrap();
                }
                if round % 5 == 0 {
                    platform.store.checkpoint().await.unwrap();
                }
            }
        });
    }
    for number in 0..6 {
        let file = place.path(&format!("backup{number}"));
        let manifest = platform.backup(&file, 0, HashSet::new()).await;
        let data = place.path(&format!("restored{number}"));
        assert_eq!(restored(&[&file], &data).unwrap(), manifest.sequence);
        Platform::open(&data).state().await;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(tasks.drain(Duration::from_secs(60)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_reads_holds_nothing_back() {
    let place = Place::new();
    let platform = Platform::open(&place.make("data", 1));
    platform.deploy("a").await;
    // More than fits between writer and reader.
    platform.artifacts.put(vec![1; 8 << 20].into()).await.unwrap();
    let backup = platform.upkeep.backup(0, HashSet::new()).await.unwrap();
    drop(backup);
    // The writer sees that its reader is gone, and lets the artifacts go.
    let collect = || platform.artifacts.collect(HashSet::new(), Duration::ZERO);
    while collect().await.unwrap().was_held {
        tokio::task::yield_now().await;
    }
    assert_eq!(platform.artifacts.usage().await.unwrap().artifacts.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_that_are_damaged_or_missing_end_a_backup() {
    let place = Place::new();
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    platform.deploy("a").await;
    let digest = platform.registry.components().into_iter().next().unwrap();
    let hex = digest.to_string();
    let path = data.join("artifacts/sha256").join(&hex[..2]).join(&hex[2..]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut backup = platform.upkeep.backup(0, HashSet::new()).await.unwrap();
    let (mut tar, mut last) = (Vec::new(), None);
    while let Some(piece) = backup.next().await {
        match piece {
            Ok(bytes) => tar.extend(bytes),
            Err(error) => last = Some(error),
        }
    }
    let is_it = |error: &Error, expect: &str| matches!(error, Error::Artifact { digest: found, how, users } if *found == digest && *how == expect && users == "a:$LATEST");
    assert!(last.as_ref().is_some_and(|error| is_it(error, "damaged")), "{last:?}");
    // What was written says so to whoever reads it.
    let file = place.path("broken.backup");
    fs::write(&file, tar).unwrap();
    for refused in [
        Manifest::of(&file).unwrap_err().to_string(),
        lamina_upkeep::restore(&[file], &place.path("restored"), |_| {}).unwrap_err().to_string(),
    ] {
        assert!(refused.contains(&format!("artifact {digest}, the code of a:$LATEST, is damaged")), "{refused}");
    }
    fs::remove_file(&path).unwrap();
    let refused = platform.upkeep.backup(0, HashSet::new()).await;
    assert!(refused.as_ref().is_err_and(|error| is_it(error, "missing")), "{refused:?}");
}

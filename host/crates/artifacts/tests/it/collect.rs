//! What nothing refers to goes when it is old, and only then.

use std::collections::HashSet;
use std::time::Duration;

use lamina_artifacts::{Artifacts, Collected, Error};
use lamina_disk::System;
use lamina_types::Digest;

use crate::support::{files, new_store};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

async fn collect(store: &Artifacts, referenced: &[Digest], age: Duration) -> Collected {
    store.collect(referenced.iter().copied().collect(), age).await.unwrap()
}

const fn removed(removed: usize, bytes: u64) -> Collected {
    Collected { removed, bytes, was_held: false }
}

#[tokio::test]
async fn the_young_and_the_referenced_stay() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    let (store, clock) = (&fixture.store, &fixture.clock);
    let old = store.put("old".into()).await.unwrap();
    let used = store.put("used".into()).await.unwrap();
    clock.advance(SECOND);
    let young = store.put("young".into()).await.unwrap();
    clock.advance(HOUR - SECOND);
    assert_eq!(collect(store, &[old, used], HOUR).await, removed(0, 0));
    assert_eq!(collect(store, &[used], HOUR).await, removed(1, 3));
    assert!(matches!(store.get(&old).await, Err(Error::Missing(_))));
    assert_eq!(store.get(&used).await.unwrap(), "used");
    assert_eq!(store.get(&young).await.unwrap(), "young");
    assert_eq!(collect(store, &[], Duration::ZERO).await, removed(2, 9));
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn what_is_put_again_counts_as_new() {
    for again in ["put", "ingest", "not at all"] {
        let folder = tempfile::tempdir().unwrap();
        let fixture = new_store(folder.path(), System);
        let digest = fixture.store.put("abc".into()).await.unwrap();
        fixture.clock.advance(HOUR);
        match again {
            "put" => assert_eq!(fixture.store.put("abc".into()).await.unwrap(), digest),
            "ingest" => assert_eq!(fixture.store.ingest(b"abc".as_slice(), 3).await.unwrap(), (digest, 3)),
            _ => {}
        }
        fixture.clock.advance(HOUR - SECOND);
        let is_new = again != "not at all";
        assert_eq!(collect(&fixture.store, &[], HOUR).await, removed(usize::from(!is_new), if is_new { 0 } else { 3 }));
        fixture.clock.advance(SECOND);
        assert_eq!(collect(&fixture.store, &[], HOUR).await.removed, usize::from(is_new), "{again}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_files() {
    let folder = tempfile::tempdir().unwrap();
    let later = new_store(folder.path(), System);
    later.clock.advance(HOUR * 24);
    later.store.put("abc".into()).await.unwrap();
    let fixture = new_store(folder.path(), System);
    assert_eq!(collect(&fixture.store, &[], SECOND).await, removed(0, 0));
    assert_eq!(collect(&fixture.store, &[], Duration::ZERO).await, removed(1, 3));
}

#[tokio::test]
async fn nothing_goes_while_a_hold_lives() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    let store = &fixture.store;
    let digest = store.put("abc".into()).await.unwrap();
    let orphan = folder.path().join(format!("packages/{}", Digest::of(b"gone")));
    std::fs::create_dir_all(&orphan).unwrap();
    let (one, two) = (store.hold(), store.clone().hold());
    let held = Collected { was_held: true, ..Collected::default() };
    assert_eq!(collect(store, &[], Duration::ZERO).await, held);
    assert_eq!(collect(store, &[digest], Duration::ZERO).await, held);
    drop(one);
    assert_eq!(collect(&store.clone(), &[], Duration::ZERO).await, held);
    assert!(orphan.exists());
    drop(two);
    assert_eq!(collect(store, &[], Duration::ZERO).await, removed(1, 3));
    assert!(!orphan.exists());
}

#[tokio::test]
async fn packages_go_with_their_artifact_or_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    let store = &fixture.store;
    let mut digests = Vec::new();
    for text in ["kept", "gone", "lost"] {
        let digest = store.put(text.into()).await.unwrap();
        store.package_dir(&digest).await.unwrap();
        digests.push(digest);
    }
    // As after a power failure that took the one removal and not the other.
    std::fs::remove_file(crate::support::content(folder.path(), &digests[2])).unwrap();
    assert_eq!(collect(store, &digests[..1], Duration::ZERO).await, removed(1, 4));
    assert_eq!(store.list().await.unwrap(), [digests[0]]);
    let packages: Vec<_> = std::fs::read_dir(folder.path().join("packages")).unwrap().collect();
    assert_eq!(packages.len(), 1);
    assert!(folder.path().join(format!("packages/{}/bootstrap.wasm", digests[0])).exists());
}

/// Puts that find their content while it is being collected must not lose it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_while_it_is_collected_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    for round in 0..100_u32 {
        let bytes = bytes::Bytes::from(round.to_le_bytes().to_vec());
        fixture.store.put(bytes.clone()).await.unwrap();
        fixture.clock.advance(HOUR);
        let put = fixture.store.put(bytes.clone());
        let (digest, collected) = tokio::join!(put, fixture.store.collect(HashSet::new(), HOUR));
        collected.unwrap();
        assert_eq!(fixture.store.get(&digest.unwrap()).await.unwrap(), bytes, "{round}");
    }
}

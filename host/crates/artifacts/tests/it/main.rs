//! The store's contract, from outside: bytes come back as they were put, or
//! are refused.

#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lamina_artifacts::{Artifacts, Error};
use lamina_kit::SeededIds;
use lamina_types::Digest;

fn open(path: &Path) -> Artifacts {
    let dir = Dir::open_ambient_dir(path, ambient_authority()).unwrap();
    Artifacts::open(dir, Arc::new(SeededIds::new(1))).unwrap()
}

fn content(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    root.join("sha256").join(&hex[..2]).join(&hex[2..])
}

fn bootstrap(dir: &Dir) -> Vec<u8> {
    assert_eq!(dir.entries().unwrap().count(), 1);
    dir.read("bootstrap.wasm").unwrap()
}

#[tokio::test]
async fn bytes_come_back_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(digest, Digest::of(b"abc"));
    assert_eq!(store.put(Bytes::from_static(b"abc")).await.unwrap(), digest);
    assert_eq!(open(folder.path()).get(&digest).await.unwrap(), "abc");
    for damaged in [b"abd".as_slice(), b"", b"abcd"] {
        std::fs::write(content(folder.path(), &digest), damaged).unwrap();
        assert!(matches!(store.get(&digest).await, Err(Error::Corrupt(named)) if named == digest));
        assert!(matches!(store.package_dir(&digest).await, Err(Error::Corrupt(_))));
        // The same upload again mends it.
        store.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(store.get(&digest).await.unwrap(), "abc");
    }
    store.remove(&digest).await.unwrap();
    store.remove(&digest).await.unwrap();
    assert!(matches!(store.get(&digest).await, Err(Error::Missing(_))));
    assert!(matches!(store.package_dir(&digest).await, Err(Error::Missing(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_put_and_open_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64_u8 {
        let store = store.clone();
        tasks.spawn(async move {
            let bytes = Bytes::from(vec![number % 4; 5_000]);
            let digest = store.put(bytes.clone()).await.unwrap();
            assert_eq!(store.get(&digest).await.unwrap(), bytes);
            assert_eq!(bootstrap(&store.package_dir(&digest).await.unwrap()), bytes);
        });
    }
    tasks.join_all().await;
    let mut listed = store.list().await.unwrap();
    listed.sort_unstable();
    let mut expect: Vec<Digest> = (0..4).map(|number| Digest::of(&[number; 5_000])).collect();
    expect.sort_unstable();
    assert_eq!(listed, expect);
    assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_damaged_package_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put(Bytes::from_static(b"abc")).await.unwrap();
    let path = folder.path().join(format!("packages/{digest}/bootstrap.wasm"));
    assert_eq!(bootstrap(&store.package_dir(&digest).await.unwrap()), b"abc");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"other").unwrap();
    assert_eq!(bootstrap(&store.package_dir(&digest).await.unwrap()), b"abc");
    store.remove(&digest).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn derived_files_are_replaced_and_named_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(store.list_derived("images").await.unwrap().is_empty());
    for text in ["a", "b"] {
        store.put_derived("images", "x_1.image", Bytes::from_static(text.as_bytes())).await.unwrap();
        assert_eq!(store.get_derived("images", "x_1.image").await.unwrap().unwrap(), text);
    }
    assert_eq!(store.list_derived("images").await.unwrap(), ["x_1.image"]);
    store.remove_derived("images", "x_1.image").await.unwrap();
    store.remove_derived("images", "x_1.image").await.unwrap();
    assert!(store.get_derived("images", "x_1.image").await.unwrap().is_none());
    for bad in ["", "..", "a/b", "A", ".x", &"x".repeat(201)] {
        assert!(matches!(store.get_derived("images", bad).await, Err(Error::Name(_))), "{bad}");
        assert!(matches!(store.list_derived(bad).await, Err(Error::Name(_))), "{bad}");
    }
}

#[test]
fn what_an_interrupted_write_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path());
    std::fs::write(folder.path().join("tmp/x"), b"").unwrap();
    open(folder.path());
    assert!(!folder.path().join("tmp/x").exists());
}

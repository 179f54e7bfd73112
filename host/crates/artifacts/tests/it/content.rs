//! Bytes come back as they were put, or are refused.

use std::io::Read as _;

use bytes::Bytes;
use lamina_artifacts::{Artifacts, Error, Usage};
use lamina_types::Digest;

use crate::support::{Recorder, bootstrap, content, new_store, open};

#[tokio::test]
async fn bytes_come_back_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(digest, Digest::of(b"abc"));
    assert_eq!(store.put(Bytes::from_static(b"abc")).await.unwrap(), digest);
    let (mut file, length) = store.open_artifact(&digest).await.unwrap();
    let mut text = String::new();
    assert_eq!((file.read_to_string(&mut text).unwrap() as u64, text.as_str()), (length, "abc"));
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
    assert!(matches!(store.open_artifact(&digest).await, Err(Error::Missing(_))));
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
    let listed = store.list().await.unwrap();
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

#[test]
fn what_an_interrupted_write_left_goes() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path());
    std::fs::write(folder.path().join("tmp/x"), b"").unwrap();
    open(folder.path());
    assert!(!folder.path().join("tmp/x").exists());
}

/// What the steps of this work are, as their names and what they change; temporary
/// names and the content's digits left out.
async fn steps(recorder: &Recorder, work: impl Future<Output = Result<(), Error>>) -> Vec<String> {
    recorder.take();
    work.await.unwrap();
    recorder.take()
}

async fn put(store: &Artifacts, bytes: &'static [u8]) -> Result<(), Error> {
    store.put(bytes.into()).await.map(drop)
}

/// The order is what a power failure is survived by: content before name, name
/// before answer.
#[tokio::test]
async fn content_is_synced_before_its_name_and_its_name_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let store = new_store(folder.path(), recorder.clone()).store;
    let written = ["Create tmp", "Write tmp", "Sync tmp", "Rename tmp sha256", "SyncDir sha256/ba"];
    let first = [&["MakeDir sha256/ba", "SyncDir sha256"], written.as_slice()].concat();
    assert_eq!(steps(&recorder, put(&store, b"abc")).await, first);
    assert_eq!(steps(&recorder, put(&store, b"abc")).await, ["SyncDir sha256/ba"]);
    let ingest = async || store.ingest(b"abc".as_slice(), 3).await.map(drop);
    let again = ["Create tmp", "Write tmp", "SyncDir sha256/ba", "Remove tmp"];
    assert_eq!(steps(&recorder, ingest()).await, again);
    std::fs::write(content(folder.path(), &Digest::of(b"abc")), "abd").unwrap();
    let replaced = ["Create tmp", "Write tmp", "SyncDir sha256", "Sync tmp", "Rename tmp sha256", "SyncDir sha256/ba"];
    assert_eq!(steps(&recorder, ingest()).await, replaced);
    let packaged = steps(&recorder, async { store.package_dir(&Digest::of(b"abc")).await.map(drop) }).await;
    assert_eq!(packaged, ["MakeDir packages", "Link sha256 tmp", "Rename tmp packages"]);
    let removed = steps(&recorder, store.remove(&Digest::of(b"abc"))).await;
    assert_eq!(removed, ["RemoveAll packages", "Remove sha256", "SyncDir sha256/ba"]);
}

#[tokio::test]
async fn usage_counts_files_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.usage().await.unwrap(), Usage::default());
    let digest = store.put("abc".into()).await.unwrap();
    store.put("defgh".into()).await.unwrap();
    store.package_dir(&digest).await.unwrap();
    store.put_derived("images", "a", "1".into()).await.unwrap();
    store.put_derived("others", "a", "23".into()).await.unwrap();
    std::fs::write(folder.path().join("sha256/ba/no digest"), "x").unwrap();
    let expect = Usage { artifacts: (2, 8), derived: (2, 3), packages: 1 };
    assert_eq!(store.usage().await.unwrap(), expect);
}

//! Derived files: replaced whole, named strictly, evicted by age.

use std::time::Duration;

use bytes::Bytes;
use lamina_artifacts::{Error, Evicted};
use lamina_disk::System;

use crate::support::{new_store, open};

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

/// Names in the order in which they were last used, each of 10 bytes; then those
/// that stay under the bound.
async fn check(used: &[&str], bytes_max: u64, expect: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    let store = fixture.store;
    let mut names = Vec::new();
    for name in used {
        fixture.clock.advance(Duration::from_secs(1));
        if names.contains(name) {
            assert_eq!(store.get_derived("images", name).await.unwrap().unwrap().len(), 10);
        } else {
            store.put_derived("images", name, Bytes::from_static(&[7; 10])).await.unwrap();
            names.push(name);
        }
    }
    store.put_derived("others", "other", "not of this kind".into()).await.unwrap();
    let evicted = store.evict("images", bytes_max).await.unwrap();
    let removed = names.len() - expect.len();
    assert_eq!(evicted, Evicted { removed, bytes: removed as u64 * 10 }, "{used:?} {bytes_max}");
    assert_eq!(store.list_derived("images").await.unwrap(), expect, "{used:?} {bytes_max}");
    assert_eq!(store.list_derived("others").await.unwrap(), ["other"]);
    assert_eq!(store.evict("images", bytes_max).await.unwrap(), Evicted::default());
}

#[tokio::test]
async fn the_newest_stay_under_the_bound_and_no_more_than_needed_goes() {
    check(&[], 0, &[]).await;
    check(&["c", "b", "a"], 30, &["a", "b", "c"]).await;
    check(&["c", "b", "a"], 29, &["a", "b"]).await;
    check(&["c", "b", "a"], 20, &["a", "b"]).await;
    check(&["c", "b", "a"], 19, &["a"]).await;
    check(&["c", "b", "a"], 9, &[]).await;
    check(&["c", "b", "a", "c"], 20, &["a", "c"]).await;
    check(&["c", "b", "a", "c", "b"], 10, &["b"]).await;
}

#[tokio::test]
async fn derived_files_are_listed_with_size_and_last_use() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = new_store(folder.path(), System);
    let list = async || fixture.store.list_derived_with("images").await.unwrap();
    for (name, text) in [("b", "12"), ("a", "1")] {
        fixture.clock.advance(Duration::from_secs(1));
        fixture.store.put_derived("images", name, text.into()).await.unwrap();
    }
    let files = list().await;
    let seen: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
    assert_eq!(seen, [("a", 1), ("b", 2)]);
    assert_eq!(files[0].modified, files[1].modified + Duration::from_secs(1));
    fixture.clock.advance(Duration::from_secs(5));
    fixture.store.get_derived("images", "a").await.unwrap();
    assert_eq!(list().await[0].modified, files[0].modified + Duration::from_secs(5));
    assert!(matches!(fixture.store.evict("..", 0).await, Err(Error::Name(_))));
}

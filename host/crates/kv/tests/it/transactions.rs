//! Transactions, as their callers see them.

use std::sync::Arc;

use lamina_disk::System;
use lamina_kv::{Config, Error, WatchError};

use crate::{NUMBERS, NUMBERS2, TEXTS, config, open, open_with, put};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for (key, value) in [("b", 2), ("a", 1), ("c", 3), ("B", 4), ("aa", 5)] {
        put(&store, key, value).await.unwrap();
    }
    let both = store.commit(|txn| {
        txn.put(&NUMBERS2, "x", &9)?;
        txn.remove(&NUMBERS, "b")?;
        txn.put(&TEXTS, "long", &"x".repeat(60_000))
    });
    both.await.unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    let expect = [("B", 4), ("a", 1), ("aa", 5), ("c", 3)].map(|(key, value)| (key.to_owned(), value));
    assert_eq!(store.scan(&NUMBERS).unwrap(), expect);
    assert_eq!(store.scan(&NUMBERS2).unwrap(), [("x".to_owned(), 9)]);
    assert_eq!(store.get(&NUMBERS, "b").unwrap(), None);
    assert_eq!(store.get(&TEXTS, "long").unwrap().unwrap().len(), 60_000);
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "a", 1).await.unwrap();
    let failed: Result<(), Error> = store
        .commit(|txn| {
            txn.put(&NUMBERS, "a", &2)?;
            txn.put(&NUMBERS2, "b", &2)?;
            assert_eq!((txn.get(&NUMBERS, "a")?, txn.get(&NUMBERS2, "b")?), (Some(2), Some(2)));
            txn.remove(&NUMBERS, "a")?;
            assert_eq!(txn.get(&NUMBERS, "a")?, None);
            Err(Error::Closed)
        })
        .await;
    assert!(matches!(failed, Err(Error::Closed)));
    let panicked: Result<(), Error> = store
        .commit(|txn| {
            txn.put(&NUMBERS, "a", &3)?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(panicked, Err(Error::Unended)));
    assert_eq!(store.get(&NUMBERS, "a").unwrap(), Some(1));
    assert_eq!(store.get(&NUMBERS2, "b").unwrap(), None);
    // The thread that ran it lives on.
    put(&store, "a", 4).await.unwrap();
    assert_eq!(store.get(&NUMBERS, "a").unwrap(), Some(4));
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let value = |length: usize| store.commit(move |txn| txn.put(&TEXTS, "k", &"x".repeat(length)));
    // Two bytes are the quotes.
    value(65_534).await.unwrap();
    let error = value(65_535).await.unwrap_err();
    assert_eq!(error.to_string(), "the record k of table texts has 65537 bytes; 65536 are allowed");
    let error = store.commit(|txn| txn.put(&TEXTS, &"k".repeat(513), &String::new())).await.unwrap_err();
    assert!(matches!(error, Error::KeyTooLong { bytes: 513, .. }), "{error}");
    let many =
        store.commit(|txn| (0..300).try_for_each(|number| txn.put(&TEXTS, &number.to_string(), &"x".repeat(60_000))));
    assert!(matches!(many.await, Err(Error::TransactionTooLarge { .. })));
    assert_eq!(store.scan(&TEXTS).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transactions_are_serial() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Arc::new(System), Config { queue_max: 8, ..config() }).unwrap().0;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..400_u32 {
        let store = store.clone();
        writers.spawn(async move {
            let change = store.commit(move |txn| {
                let count = txn.get(&NUMBERS, "count")?.unwrap_or_default() + 1;
                txn.put(&NUMBERS, "count", &count)?;
                txn.put(&NUMBERS2, &number.to_string(), &count)?;
                Ok::<_, Error>(count)
            });
            change.await.unwrap()
        });
    }
    let mut counts = writers.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=400).collect::<Vec<_>>());
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(store.get(&NUMBERS, "count").unwrap(), Some(400));
    assert_eq!(store.scan(&NUMBERS2).unwrap().len(), 400);
}

#[tokio::test]
async fn a_closed_store_takes_no_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "a", 1).await.unwrap();
    store.close();
    assert!(matches!(put(&store, "a", 2).await, Err(Error::Closed)));
    assert_eq!(store.get(&NUMBERS, "a").unwrap(), Some(1));
}

#[test]
fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let error = open(dir.path()).err().unwrap().to_string();
    assert_eq!(error, format!("the data directory {} is in use by another process", dir.path().display()));
    drop(store);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_scan_goes_on_where_the_last_page_ended() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for key in ["a", "b", "b0", "c"] {
        put(&store, key, 1).await.unwrap();
    }
    let check = |after: Option<&str>, limit: usize, expect: &[&str]| {
        let page = store.scan_page(&NUMBERS, after, limit).unwrap();
        assert_eq!(page.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), expect, "{after:?}");
    };
    check(None, 2, &["a", "b"]);
    check(Some("b"), 9, &["b0", "c"]);
    check(Some("bb"), 1, &["c"]);
    check(Some("c"), 9, &[]);
}

#[tokio::test]
async fn a_watcher_sees_every_change_in_order_or_is_told_that_it_missed_some() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, "before", 1).await.unwrap();
    let mut watch = store.watch();
    let mut slow = store.watch();
    assert_eq!(watch.from, 1);
    for number in 0..1_100_u32 {
        store.commit(move |txn| txn.put(&NUMBERS2, "k", &number)).await.unwrap();
        let seen = watch.next().await.unwrap();
        assert_eq!(seen.sequence, u64::from(number) + 2);
        let value = Some(number.to_string().into_bytes());
        assert_eq!(seen.writes, [("numbers2".to_owned(), "k".to_owned(), value)]);
    }
    assert_eq!(slow.next().await, Err(WatchError::Behind));
    store.commit(|txn| txn.remove(&NUMBERS2, "k")).await.unwrap();
    assert_eq!(watch.next().await.unwrap().writes[0].2, None);
    store.close();
    drop(store);
    assert_eq!(watch.next().await, Err(WatchError::Closed));
}

//! The store's contract, from outside.

use std::path::Path;

use lamina_kv::{Config, Error, Store, Table};

const NUMBERS: Table<u32> = Table::new("numbers");
const NUMBERS2: Table<u32> = Table::new("numbers2");
const TEXTS: Table<String> = Table::new("texts");

fn open(dir: &Path) -> Result<Store, Error> {
    Store::open(dir, Config::default())
}

async fn put(store: &Store, key: &'static str, value: u32) -> Result<(), Error> {
    store.commit(move |txn| txn.put(&NUMBERS, key, &value)).await
}

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
    let store = Store::open(dir.path(), Config { queue_max: 8, ..Config::default() }).unwrap();
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

#[test]
fn a_directory_of_another_format_is_refused_and_not_changed() {
    let check = |text: &str, expect: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("format"), text).unwrap();
        let error = open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(expect), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    };
    check("lamina-kv 2\n", "has format 2; this program knows 1");
    check("lamina-kv 0\n", "not one of this program's: `lamina-kv 0");
    check("lamina-kv 1\ncolour: red\n", "not one of this program's");
    check("other\n", "not one of this program's: `other");
    check("", "not one of this program's");
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    std::fs::remove_file(dir.path().join("format")).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Format(_))));
}

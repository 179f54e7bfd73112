//! What is secret is nowhere plain.

use std::sync::Arc;

use lamina_disk::{Folder, System};
use lamina_kv::{Error, Keyring, Keys, Place, Resealed, Store};

use crate::{SECRETS, config, files, keys, open};

const PLAIN: &str = "correct-horse-battery-staple";

fn is_plain(dir: &std::path::Path) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(PLAIN.len()).any(|window| window == PLAIN.as_bytes());
    files(dir).iter().any(|path| holds(&std::fs::read(path).unwrap()))
}

fn open_by(dir: &std::path::Path, secrets: Keyring) -> Store {
    let folder = Folder::open(dir, Arc::new(System)).unwrap();
    Store::open(&folder, dir, Keys { secrets, ..keys() }, config()).unwrap().0
}

#[tokio::test]
async fn a_secret_is_in_no_file_and_opens_with_its_key_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let put = |store: &Store, key: &'static str| {
        let store = store.clone();
        async move { store.commit(move |txn| txn.put(&SECRETS, key, &PLAIN.to_owned())).await.unwrap() }
    };
    put(&store, "a").await;
    store.checkpoint().await.unwrap();
    put(&store, "b").await;
    assert_eq!(store.get(&SECRETS, "a").unwrap().as_deref(), Some(PLAIN));
    drop(store);
    assert!(!is_plain(dir.path()));
    let store = open_by(dir.path(), Keyring::new([9; 32], vec![]));
    let error = store.get(&SECRETS, "a").unwrap_err();
    assert!(matches!(&error, Error::SealedBy { table: "secrets", .. }), "{error}");
    drop(store);

    let store = open_by(dir.path(), Keyring::new([9; 32], vec![[2; 32]]));
    assert_eq!(store.get(&SECRETS, "a").unwrap().as_deref(), Some(PLAIN));
    let first = store.reseal(Place::default(), 1).await.unwrap();
    assert_eq!(first.done, 1);
    let from = first.next.unwrap();
    assert_eq!(store.reseal(from, 10).await.unwrap(), Resealed { done: 1, next: None });
    assert_eq!(store.reseal(Place::default(), 10).await.unwrap(), Resealed { done: 0, next: None });
    drop(store);
    let store = open_by(dir.path(), Keyring::new([9; 32], vec![]));
    assert_eq!(store.scan(&SECRETS).unwrap().len(), 2);
    store.add_key([8; 32]);
    assert!(store.reseal(Place::default(), 0).await.unwrap().next.is_some());
    assert_eq!(store.reseal(Place::default(), 10).await.unwrap(), Resealed { done: 2, next: None });
    drop(store);
    assert!(!is_plain(dir.path()));
}

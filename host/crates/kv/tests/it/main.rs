//! The store's contract, from outside.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod damage;
mod faults;
mod format;
mod histories;
mod sealed;
mod transactions;

use std::path::Path;
use std::sync::Arc;

use lamina_disk::{Folder, Seam, System};
use lamina_kv::{Config, Error, Keyring, Keys, Opened, Store, Table};

pub(crate) const NUMBERS: Table<u32> = Table::new("numbers");
pub(crate) const NUMBERS2: Table<u32> = Table::new("numbers2");
pub(crate) const TEXTS: Table<String> = Table::new("texts");
pub(crate) const SECRETS: Table<String> = Table::sealed("secrets");

pub(crate) fn keys() -> Keys {
    Keys { journal: [1; 32], secrets: Keyring::new([2; 32], vec![]) }
}

pub(crate) fn config() -> Config {
    Config { sealed: &["secrets"], cache_bytes: 8 << 20, ..Config::default() }
}

pub(crate) fn open_with(dir: &Path, seam: Arc<dyn Seam>, config: Config) -> Result<(Store, Opened), Error> {
    let folder =
        Folder::open(dir, seam).map_err(|error| Error::Storage { doing: "test", reason: error.to_string() })?;
    Store::open(&folder, dir, keys(), config)
}

pub(crate) fn opened(dir: &Path) -> Result<(Store, Opened), Error> {
    open_with(dir, Arc::new(System), config())
}

pub(crate) fn open(dir: &Path) -> Result<Store, Error> {
    opened(dir).map(|(store, _)| store)
}

pub(crate) async fn put(store: &Store, key: &'static str, value: u32) -> Result<(), Error> {
    store.commit(move |txn| txn.put(&NUMBERS, key, &value)).await
}

/// Every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A copy of a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

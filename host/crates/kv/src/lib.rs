//! Records on the disk: typed tables, changed by transactions that are there whole
//! or not at all, and acknowledged only when they are on the disk.
//!
//! A journal is the truth, and sled an index of it that can be made again. The only
//! crate that names sled. It knows no record's meaning and keeps nothing larger
//! than 64 KiB. The layout is drawn in `host/ARCHITECTURE.md`.

mod answer;
mod check;
mod checkpoint;
mod commit;
mod disk;
mod error;
mod export;
mod feed;
mod files;
mod frame;
mod gather;
mod index;
mod journal;
mod migrate;
mod pending;
mod position;
mod recover;
mod reseal;
mod seal;
mod spare;
mod store;
mod table;
mod txn;
mod writer;

pub use check::{Checked, Finding, check};
pub use checkpoint::Checkpointed;
pub use error::Error;
pub use feed::{Committed, Watch, WatchError};
pub use files::{FilePart, Files, Stats, Usage};
pub use reseal::{Place, Resealed};
pub use seal::{KeyId, Keyring};
pub use store::{Config, Keys, Opened, Store};
pub use table::Table;
pub use txn::Txn;

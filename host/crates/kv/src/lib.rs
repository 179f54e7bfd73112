//! Records on the disk: typed tables over sled, changed by transactions that
//! are there whole or not at all, and acknowledged only when they are on the
//! disk.
//!
//! The only crate that names sled; the facade is narrow enough that another
//! engine, or a journal in front of it, can take its place. It knows no record's
//! meaning and keeps nothing larger than 64 KiB. The layout is drawn in
//! `host/ARCHITECTURE.md`.

mod commit;
mod disk;
mod error;
mod store;
mod table;
mod txn;

pub use error::Error;
pub use store::{Config, Store};
pub use table::Table;
pub use txn::Txn;

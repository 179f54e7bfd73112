//! Records on the disk: typed tables over sled, written in batches that are all
//! there or not at all, and acknowledged only when they are on the disk.
//!
//! The only crate that names sled; the facade is narrow enough that another
//! engine, or a journal in front of it, can take its place. The layout is drawn
//! in `host/ARCHITECTURE.md`.

mod batch;
mod commit;
mod error;
mod store;

pub use batch::{Batch, Table};
pub use error::Error;
pub use store::{Config, Store};

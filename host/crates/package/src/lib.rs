//! Packages: zips of a function's files, read strictly, listed canonically, signed
//! as a whole and written reproducibly.
//!
//! A zip says most things twice, and readers differ in which they believe. Here
//! both must agree, every byte must belong to something, and what cannot be read in
//! one way only is refused by name ([`Fault`]). The formats are drawn in
//! `host/ARCHITECTURE.md`. Pure: no I/O, no clock. Knows neither records nor disks.

mod bytes;
mod changes;
mod component;
mod error;
mod links;
mod listing;
mod name;
mod package;
mod record;
mod signed;
mod splice;
mod write;

#[cfg(test)]
mod fuzz;

pub use changes::Changes;
pub use component::{BOOTSTRAP, sign_component};
pub use error::{Fault, ZipError};
pub use lamina_signing::Verified;
pub use links::joined;
pub use listing::{LISTING_HEAD, Listing};
pub use package::{Entry, Package};
pub use record::{DEPTH_MAX, ENTRIES_MAX, NAME_BYTES_MAX, PART_BYTES_MAX};
pub use signed::{
    SIGNATURE_NAME, SignError, Signed, VerifyError, attach, sign, sign_detached, signers, unsign, verify,
};
pub use write::Writer;

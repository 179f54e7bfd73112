//! Signatures of components and packages: ed25519, offline, inside the file.
//!
//! The format is the published WebAssembly module-signature convention, as the
//! `wasmsign2` tool writes it, which carries over to components unchanged; it is
//! drawn in `host/ARCHITECTURE.md`. Pure: no I/O, no clock, no randomness of its
//! own. Whose keys count is the caller's business.

mod component;
mod envelope;
mod error;
mod key;
mod package;

#[cfg(test)]
mod fuzz;

pub use component::{Verified, sign, signers, unsign, verify};
pub use error::{Error, KeyError, VerifyError};
pub use key::{KeyId, PublicKey, SecretKey};
pub use package::{PackageSignatures, PackageSigners};

//! The platform's HTTP side, as far as it stands on its own: the signatures of
//! requests.
//!
//! The other files of this folder (routes, answers, function URLs, the server)
//! wait for the crates they stand on and are not compiled yet; see
//! `host/ARCHITECTURE.md`.

pub mod auth;

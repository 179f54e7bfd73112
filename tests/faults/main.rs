//! What is left of a data directory when an I/O call fails, when the power goes,
//! and when the process is killed.
//!
//! A child process goes through a [`history`] while a shim in front of libc
//! ([`shim`], `shim.c`) records what it changes on the disk, or makes one change
//! fail. [`power`] rebuilds from the record what a disk may hold after a cut at any
//! moment, [`twice`] cuts again while that is mended, [`once`] fails each change once, and [`kill9`] kills real servers.
//!
//! `LAMINA_FAULTS_LONG=1` makes the search wider: many more states and faults, more
//! kills. `FAULTS_SEED` is another seed, and `FAULTS_LOG` a log that was kept, of
//! whose disk the same states are looked at again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: what is not as expected fails the test"
)]
#![allow(clippy::disallowed_methods, reason = "the bans are for the platform; tests read the real clock")]

mod check;
mod child;
mod cut;
mod history;
mod kill9;
mod log;
mod model;
mod once;
mod power;
mod run;
mod seam;
mod shim;
mod twice;

/// Whether this is the nightly run.
fn is_long() -> bool {
    std::env::var_os("LAMINA_FAULTS_LONG").is_some_and(|value| value == "1")
}

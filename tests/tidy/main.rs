//! Rules of the tree that neither the compiler nor clippy checks. Each failure says
//! which file breaks which rule.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: what is not as expected fails the test"
)]

mod dependencies;
mod documents;
mod manifest;
mod names;
mod sources;
mod tree;

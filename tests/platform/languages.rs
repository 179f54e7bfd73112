//! Handlers in Python, JavaScript and Rust on the real interpreters: what each
//! language's own table says of it, and what one table says of all three.
//!
//! Every package is zipped, signed, uploaded and called over HTTP, first from its
//! sources and then from its bundle.

mod call;
mod cases;
mod conformance;
mod expect;

use std::sync::Arc;

use harness::{Options, Platform, Shared};

use crate::common::PROGRAM;

static PLATFORM: Shared<Platform> = Shared::new();

/// A platform with both runtimes, which it compiles once for all tests here.
async fn managed() -> Arc<Platform> {
    PLATFORM
        .get(async || {
            let platform = Platform::start(Options::new(PROGRAM)).await;
            platform.install_runtimes();
            platform
        })
        .await
}

/// Prints how many there were, and fails with every one that differed.
#[track_caller]
fn report(table: &str, count: usize, pending: &[String], failures: &[String]) {
    eprintln!("languages: {count} cases of {table}, {} differ", failures.len());
    for reason in pending {
        eprintln!("languages: not on a platform: {reason}");
    }
    assert!(failures.is_empty(), "{} of {count} cases of {table} differ:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_javascript_ends_as_its_table_says() {
    cases::run(&*managed().await, cases::JAVASCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_python_ends_as_its_table_says() {
    cases::run(&*managed().await, cases::PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_behaves_as_the_table_says() {
    conformance::run(&*managed().await).await;
}

//! An unmodified boto3. The assertions are in the scripts.

use std::path::PathBuf;

use harness::{Platform, python};

use crate::common::platform;

/// Runs a script of `boto3/` with these components as files.
pub(crate) fn run(platform: &Platform, script: &str, components: &[(&str, &[u8])]) {
    let path = harness::root().join("tests/platform/boto3").join(script);
    let write = |(name, bytes): &(&str, &[u8])| -> PathBuf {
        let file = platform.home().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    let files: Vec<PathBuf> = components.iter().map(write).collect();
    let arguments: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    python::boto3(platform, path.to_str().unwrap(), &arguments);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_leads_a_function_through_its_life() {
    let platform = platform().await;
    let hello = platform.sign(&test_guests::component("hello"));
    let other = platform.sign(&test_guests::component("guest-function"));
    run(&platform, "life.py", &[("hello.wasm", &hello), ("other.wasm", &other)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_raises_the_exceptions_of_the_model() {
    let platform = platform().await;
    let unsigned = harness::tiny::echo();
    let signed = platform.sign(&unsigned);
    let core = harness::tiny::core_module();
    run(&platform, "errors.py", &[("signed.wasm", &signed), ("unsigned.wasm", &unsigned), ("core.wasm", &core)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_pages_through_lists() {
    let platform = platform().await;
    let signed = platform.sign(&harness::tiny::echo());
    run(&platform, "lists.py", &[("signed.wasm", &signed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_manages_urls_and_permissions() {
    let platform = platform().await;
    let signed = platform.sign(&harness::tiny::echo());
    run(&platform, "urls.py", &[("signed.wasm", &signed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_a_stream_of_events() {
    let platform = platform().await;
    let stream = platform.sign(&test_guests::component("guest-stream"));
    let whole = platform.sign(&harness::tiny::echo());
    run(&platform, "streams.py", &[("stream.wasm", &stream), ("whole.wasm", &whole)]);
}

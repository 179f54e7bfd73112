//! gRPC through a `function-http` component: HTTP/2 with trailers, both directions
//! streaming.

use std::path::Path;

use harness::certificates::Certificate;
use harness::{Options, Platform, python};

use crate::common::{PROGRAM, common};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/platform/talk.py");

#[tokio::test(flavor = "multi_thread")]
async fn grpcs_own_client_calls_a_function() {
    let common = common().await;
    let authority = common.server.url.trim_start_matches("http://").trim_end_matches('/');
    python::grpc(&common.platform, SCRIPT, &[&common.platform.client.authority, authority]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcs_own_client_calls_a_function_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::local(folder.path());
    let platform = Platform::start(Options::new(PROGRAM).signing("off").tls(&certificate, &[])).await;
    let component = platform.home().join("server.wasm");
    std::fs::write(&component, test_guests::component("guest-http")).unwrap();
    let words = ["deploy", "server", text(&component), "--url", "--stream", "--output", "json"];
    let url = platform.cli(&words).ok().json()["FunctionUrl"].as_str().unwrap().to_owned();
    let authority = url.trim_start_matches("https://").trim_end_matches('/');
    python::grpc(&platform, SCRIPT, &[&platform.client.authority, authority, text(&certificate.authority)]);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

//! One server for all tests that leave it as it was.

use std::sync::Arc;

use harness::{Options, Platform, Shared, Url, creation};
use serde_json::{Value, json};

/// The command line under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_lamina-tested");

/// A server with one function of each kind, each with a URL that all may call.
pub(crate) struct Common {
    pub(crate) platform: Platform,
    /// The example `hello`.
    pub(crate) hello: Url,
    /// The example `stream`, which counts down.
    pub(crate) countdown: Url,
    /// `guest-http`.
    pub(crate) server: Url,
    /// A function that answers with its event.
    pub(crate) echo: Url,
}

static COMMON: Shared<Common> = Shared::new();

/// The shared server. Its functions are `hello`, `countdown`, `server` and `echo`,
/// and without URLs `does` (`guest-function`) and `streams` (`guest-stream`).
pub(crate) async fn common() -> Arc<Common> {
    COMMON.get(start).await
}

/// A server of the test's own, which trusts [`Platform::key`].
pub(crate) async fn platform() -> Platform {
    Platform::start(Options::new(PROGRAM)).await
}

async fn start() -> Common {
    let platform = platform().await;
    for (name, guest) in [
        ("hello", "hello"),
        ("countdown", "stream"),
        ("server", "guest-http"),
        ("does", "guest-function"),
        ("streams", "guest-stream"),
    ] {
        platform.create(&patient(name, &platform.sign(&test_guests::component(guest)))).await;
    }
    platform.deploy("echo", &harness::tiny::echo()).await;
    Common {
        hello: platform.url("hello", "BUFFERED").await,
        countdown: platform.url("countdown", "RESPONSE_STREAM").await,
        server: platform.url("server", "RESPONSE_STREAM").await,
        echo: platform.url("echo", "BUFFERED").await,
        platform,
    }
}

/// CreateFunction's body for a function that may take 20 s.
pub(crate) fn patient(name: &str, code: &[u8]) -> Value {
    let mut creation = creation(name, code);
    creation["Timeout"] = json!(20);
    creation
}

/// The error object of a function that failed.
pub(crate) fn failure(reply: &harness::Reply) -> (String, String) {
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, "Unhandled"), "{}", reply.text());
    let object = reply.json();
    let text = |member: &str| object[member].as_str().unwrap_or_else(|| panic!("no {member}: {object}")).to_owned();
    (text("errorType"), text("errorMessage"))
}

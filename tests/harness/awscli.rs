//! The AWS command line, version 2, as Debian packages it.

use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use crate::platform::Platform;
use crate::{debian, process};

const PROGRAM: &str = "/usr/bin/aws";
/// Time to say its version.
const VERSION_MAX: Duration = Duration::from_secs(60);

static READY: Once = Once::new();

/// Sees to it that the program is there: PyPI's is version 1, which has no `logs tail`.
fn ready() {
    READY.call_once(|| {
        if std::path::Path::new(PROGRAM).exists() {
            return;
        }
        debian::install("awscli");
    });
    let version = process::run(Command::new(PROGRAM).arg("--version"), VERSION_MAX).ok();
    assert!(version.stdout.starts_with("aws-cli/2."), "{PROGRAM} is not version 2: {}", version.stdout);
}

/// A call of the program against the platform, which it finds as anybody's does: by
/// AWS's environment variables.
pub fn aws(platform: &Platform, arguments: &[&str]) -> Command {
    ready();
    let mut command = process::command(PROGRAM, platform.home());
    let client = &platform.client;
    command
        .args(arguments)
        .current_dir(platform.home())
        // This version knows no AWS_ENDPOINT_URL.
        .args(["--endpoint-url", &platform.endpoint()])
        .env("AWS_ACCESS_KEY_ID", &client.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &client.secret_access_key)
        .env("AWS_DEFAULT_REGION", &client.region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONUNBUFFERED", "1");
    command
}

//! boto3 and other packages of Python, as anybody installs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cache;
use crate::platform::Platform;
use crate::process::{self, Finished};

const REQUIREMENTS: &str = include_str!("python/requirements.txt");
const OTLP_REQUIREMENTS: &str = include_str!("python/otlp.txt");
const AWS_REQUIREMENTS: &str = include_str!("python/aws.txt");
/// Time to make the environment.
pub(crate) const SETUP_MAX: Duration = Duration::from_secs(600);
/// Time for one script.
const SCRIPT_MAX: Duration = Duration::from_secs(300);
/// gRPC's own client.
const GRPC_REQUIREMENTS: &str = include_str!("python/grpc.txt");

/// An environment that has these packages in it.
pub(crate) fn environment(what: &str, requirements: &str) -> PathBuf {
    let version = process::run(Command::new("python3").args(["-c", "import sys; print(sys.version)"]), SETUP_MAX).ok();
    let name = format!("{what}-{}", cache::fingerprint(&[requirements.as_bytes(), version.stdout.as_bytes()]));
    cache::once(&name, |folder| install(folder, what, requirements))
}

fn install(folder: &Path, what: &str, requirements: &str) {
    eprintln!("setting up {what} in {}", folder.display());
    let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(folder), SETUP_MAX);
    assert_eq!(
        made.code,
        Some(0),
        "python3 -m venv failed (on Debian: apt-get install python3-venv):\n{}",
        made.stderr
    );
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements).expect("a file in the new folder");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    let mut command = Command::new(folder.join("bin/python"));
    let installed = process::run(command.args(pip).arg(list), SETUP_MAX);
    assert_eq!(
        installed.code,
        Some(0),
        "{what} could not be installed; the first run of these tests needs the network:\n{}",
        installed.stderr
    );
}

/// Runs a script with boto3 against the platform, which it finds as any program
/// would: by AWS's environment variables. Panics when it fails.
#[track_caller]
pub fn boto3(platform: &Platform, script: &str, arguments: &[&Path]) -> Finished {
    let mut command = process::command(environment("boto3", REQUIREMENTS).join("bin/python"), platform.home());
    command.arg(script).args(arguments);
    process::run(with_credentials(&mut command, platform), SCRIPT_MAX).ok()
}

/// Runs `aws` with the platform's credential and region. Panics when it fails.
#[track_caller]
pub fn aws(platform: &Platform, arguments: &[&str]) -> Finished {
    aws_unchecked(platform, arguments).ok()
}

/// Runs `aws` to its end, however it ends.
#[track_caller]
pub fn aws_unchecked(platform: &Platform, arguments: &[&str]) -> Finished {
    let folder = environment("aws", AWS_REQUIREMENTS);
    let mut command = process::command(folder.join("bin/python"), platform.home());
    command.arg(folder.join("bin/aws")).args(arguments);
    process::run(with_credentials(&mut command, platform), SCRIPT_MAX)
}

/// A command of an interpreter that has the official messages of OTLP in it.
pub fn otlp(home: &Path, script: &str) -> Command {
    let mut command = process::command(environment("otlp", OTLP_REQUIREMENTS).join("bin/python"), home);
    command.arg(script).current_dir(home).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn with_credentials<'a>(command: &'a mut Command, platform: &Platform) -> &'a mut Command {
    let client = &platform.client;
    command
        .current_dir(platform.home())
        .env("AWS_ENDPOINT_URL_LAMBDA", platform.endpoint())
        .env("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", platform.endpoint())
        .env("AWS_ACCESS_KEY_ID", &client.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &client.secret_access_key)
        .env("AWS_DEFAULT_REGION", &client.region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(platform.authorities().map(|file| ("AWS_CA_BUNDLE", file)))
        // A retry would hide what the platform answers.
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

/// Runs a script with grpcio in its environment. Panics when it fails.
#[track_caller]
pub fn grpc(platform: &Platform, script: &str, arguments: &[&str]) -> Finished {
    let mut command = process::command(environment("grpcio", GRPC_REQUIREMENTS).join("bin/python"), platform.home());
    command.arg(script).args(arguments).current_dir(platform.home()).env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(&mut command, SCRIPT_MAX).ok()
}

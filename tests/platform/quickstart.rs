//! The first five minutes: `lamina quickstart --once`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::process::{self, Finished};

use crate::common::PROGRAM;

/// Everything but the builds takes seconds; a runtime is compiled by the platform.
const QUICKSTART_MAX: Duration = Duration::from_secs(900);

/// Runs it in a checkout, with the runtimes in `runtimes`. It builds guests, so it keeps
/// this machine's environment (rustup, cargo) but for what could lead it to another
/// platform.
fn quickstart(checkout: &Path, runtimes: &Path) -> (Finished, String) {
    // Built beforehand, so that what is bounded is quickstart itself.
    test_guests::component("hello");
    harness::managed::built(Path::new(PROGRAM));
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("AWS_") || name.starts_with("LAMINA_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(&*name);
        }
    }
    command.args(["quickstart", "--once", "--runtimes"]).arg(runtimes);
    command.current_dir(checkout).env("TMPDIR", folder.path());
    let ended = process::run(&mut command, QUICKSTART_MAX);
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}\n{said}");
    (ended, said)
}

#[test]
fn quickstart_shows_everything_and_ends_well() {
    let runtimes = tempfile::tempdir().unwrap();
    let (ended, said) = quickstart(&harness::root(), runtimes.path());
    ended.ok();
    for text in [
        "Hello, ",
        "lift-off",
        "START RequestId: ",
        "END RequestId: ",
        "REPORT RequestId: ",
        "refused",
        "hello-python: ",
        "hello-typescript: ",
    ] {
        assert!(said.contains(text), "no `{text}`:\n{said}");
    }
}

/// The others are shown, the reason is told, and a script learns of it.
#[test]
fn quickstart_names_a_language_whose_runtime_cannot_be_built() {
    let folder = tempfile::tempdir().unwrap();
    let checkout = folder.path();
    let root = harness::root();
    fs::create_dir_all(checkout.join("components/runtimes/python")).unwrap();
    // The checkout with another build of Python.
    for linked in [
        "Cargo.toml",
        "Cargo.lock",
        "host",
        "tests",
        "guest-sdk",
        "wit",
        "components/Cargo.toml",
        "components/Cargo.lock",
        "components/examples",
        "components/runtimes/javascript",
    ] {
        symlink(root.join(linked), checkout.join(linked)).unwrap();
    }
    let build = checkout.join("components/runtimes/python/build");
    fs::write(&build, "#!/bin/sh\nexit 7\n").unwrap();
    fs::set_permissions(&build, fs::Permissions::from_mode(0o755)).unwrap();
    let runtimes = tempfile::tempdir().unwrap();
    let (ended, said) = quickstart(checkout, runtimes.path());
    let why = "python was left out: building the runtime ended with exit status: 7";
    assert!(ended.exited(1).stderr.contains(why), "{said}");
    assert!(said.contains("hello-typescript: ") && !said.contains("hello-python: /"), "{said}");
}

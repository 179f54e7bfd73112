//! The first five minutes: `lamina quickstart --once`.

use std::process::Command;
use std::time::Duration;

use harness::process;

use crate::common::PROGRAM;

/// It builds guests, so it keeps this machine's environment (rustup, cargo) but for
/// what could lead it to another platform.
#[test]
fn quickstart_shows_everything_and_ends_well() {
    // Built beforehand, so that what is bounded below is quickstart itself.
    test_guests::component("hello");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") || name.to_string_lossy().starts_with("LAMINA_") {
            command.env_remove(name);
        }
    }
    command.args(["quickstart", "--once"]).current_dir(harness::root()).env("TMPDIR", folder.path());
    let ended = process::run(&mut command, Duration::from_secs(600)).ok();
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    for text in ["Hello, ", "lift-off", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "refused"] {
        assert!(said.contains(text), "no `{text}`:\n{said}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

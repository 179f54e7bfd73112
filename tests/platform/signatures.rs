//! Keys and signatures on the command line, without a platform.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use harness::{Finished, process, tiny};
use tempfile::TempDir;

use crate::common::PROGRAM;

/// Runs a command in a folder.
fn lamina(folder: &TempDir, arguments: &[&str]) -> Finished {
    let mut command = process::command(Path::new(PROGRAM), folder.path());
    process::run(command.args(arguments).current_dir(folder.path()), Duration::from_secs(60))
}

/// A folder with a key pair and an unsigned component.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    lamina(&folder, &["keys", "new", "mine.key"]).ok();
    fs::write(folder.path().join("code.wasm"), tiny::echo()).unwrap();
    folder
}

#[test]
fn keys_are_made_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let made = lamina(&folder, &["keys", "new", "mine.key"]).ok();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let mode = fs::metadata(folder.path().join("mine.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(read("mine.key").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let public = lamina_signing::PublicKey::from_pem(&read("mine.key.pub")).unwrap();
    assert!(made.stdout.contains(public.id().as_str()), "{}", made.stdout);
    // A key is not overwritten.
    let secret = read("mine.key");
    let again = lamina(&folder, &["keys", "new", "mine.key"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(read("mine.key"), secret);
}

#[test]
fn verify_says_by_its_exit_code_what_ci_needs() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    lamina(&folder, &["verify", "code.wasm", "--key", "mine.key.pub"]).exited(1);
    lamina(&folder, &["sign", "code.wasm", "--key", "mine.key"]).ok();
    lamina(&folder, &["verify", "code.wasm", "--key", "mine.key.pub"]).exited(0);
    lamina(&folder, &["keys", "new", "other.key"]).ok();
    lamina(&folder, &["verify", "code.wasm", "--key", "other.key.pub"]).exited(1);
    lamina(&folder, &["verify", "code.wasm", "--key", "other.key.pub", "--key", "mine.key.pub"]).exited(0);
    let mut bytes = fs::read(path("code.wasm")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path("tampered.wasm"), bytes).unwrap();
    lamina(&folder, &["verify", "tampered.wasm", "--key", "mine.key.pub"]).exited(1);
    for usage in [
        ["verify", "code.wasm"].as_slice(),
        &["verify", "nowhere.wasm", "--key", "mine.key.pub"],
        &["verify", "code.wasm", "--key", "code.wasm"],
        &["verify", "--key", "mine.key.pub"],
    ] {
        let ended = lamina(&folder, usage).exited(2);
        assert!(!ended.stderr.is_empty(), "{usage:?} says nothing");
    }
}

#[test]
fn verify_tells_machines_who_signed_what() {
    let folder = folder();
    lamina(&folder, &["sign", "code.wasm", "--key", "mine.key", "--out", "signed.wasm"]).ok();
    assert_eq!(fs::read(folder.path().join("code.wasm")).unwrap(), tiny::echo(), "--out leaves the file alone");
    let public = fs::read_to_string(folder.path().join("mine.key.pub")).unwrap();
    let id = lamina_signing::PublicKey::from_pem(&public).unwrap().id();
    let good = lamina(&folder, &["verify", "signed.wasm", "--key", "mine.key.pub", "--output", "json"]).ok().json();
    let text = good.to_string();
    assert!(text.contains(id.as_str()), "who: {text}");
    let digest = lamina_types::Digest::of(&fs::read(folder.path().join("signed.wasm")).unwrap()).to_string();
    let content = lamina_types::Digest::of(&tiny::echo()[8..]).to_string();
    assert!(text.contains(&digest) || text.contains(&content), "what: {text}");
    let bad = lamina(&folder, &["verify", "code.wasm", "--key", "mine.key.pub", "--output", "json"]).exited(1).json();
    assert!(bad.to_string().contains("sign"), "why: {bad}");
}

#[test]
fn signing_twice_changes_nothing_and_unsigning_gives_the_original_back() {
    let folder = folder();
    let read = || fs::read(folder.path().join("code.wasm")).unwrap();
    lamina(&folder, &["sign", "code.wasm", "--key", "mine.key"]).ok();
    let once = read();
    lamina(&folder, &["sign", "code.wasm", "--key", "mine.key"]).ok();
    assert_eq!(read(), once);
    lamina(&folder, &["keys", "new", "other.key"]).ok();
    lamina(&folder, &["sign", "code.wasm", "--key", "other.key"]).ok();
    for key in ["mine.key.pub", "other.key.pub"] {
        lamina(&folder, &["verify", "code.wasm", "--key", key]).ok();
    }
    lamina(&folder, &["unsign", "code.wasm"]).ok();
    assert_eq!(read(), tiny::echo());
}

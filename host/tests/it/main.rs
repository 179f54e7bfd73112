//! The `lamina` command on files alone: keys, sign, unsign, verify.

#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The least that is a component, and one section of an author's.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const WITH_SECTION: &[u8] = b"\0asm\x0d\0\x01\0\0\x05\x04name";

/// A folder to work in, with a component in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("f.wasm"), WITH_SECTION).unwrap();
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs the command in the folder, with nothing in its environment.
    fn run(&self, line: &str) -> Output {
        run(self.0.path(), line)
    }

    /// Runs a command that must end with this code; answers standard output.
    fn check(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}\n{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str, code: i32) -> Value {
        serde_json::from_str(&self.check(&format!("{line} --output json"), code)).unwrap()
    }
}

fn run(folder: &Path, line: &str) -> Output {
    command(folder, line).output().unwrap()
}

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamina"));
    command.args(line.split_whitespace()).current_dir(folder).env_clear();
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_is_for_its_owner_and_never_overwritten() {
    let folder = Folder::new();
    let id = folder.check("keys new k", 0);
    assert_eq!(id.trim().len(), 32, "{id}");
    assert_eq!(mode(&folder.path("k")), 0o600);
    assert!(folder.read("k").starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    assert!(folder.read("k.pub").starts_with(b"-----BEGIN PUBLIC KEY-----\n"));

    let before = folder.read("k");
    let again = folder.run("keys new k");
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("error: k exists already"), "{}", stderr(&again));
    assert!(stderr(&again).contains("next: "), "{}", stderr(&again));
    assert_eq!(folder.read("k"), before);

    // A public key that is there is not overwritten either, and no half is left.
    fs::write(folder.path("l.pub"), "mine").unwrap();
    folder.check("keys new l", 1);
    assert!(!folder.path("l").exists());
    assert_eq!(folder.read("l.pub"), b"mine");

    let json = folder.json("keys new m", 0);
    assert_eq!(json["KeyId"].as_str().unwrap().len(), 32);
    assert_eq!((&json["KeyFile"], &json["PublicKeyFile"]), (&"m".into(), &"m.pub".into()));
}

#[test]
fn signing_verifying_and_stripping_come_full_circle() {
    let folder = Folder::new();
    let id = folder.check("keys new k", 0).trim().to_owned();
    fs::set_permissions(folder.path("f.wasm"), fs::Permissions::from_mode(0o640)).unwrap();

    let signed = folder.json("sign f.wasm --key k", 0);
    assert_eq!((&signed["KeyId"], &signed["Changed"]), (&id.as_str().into(), &true.into()));
    assert_ne!(folder.read("f.wasm"), WITH_SECTION);
    assert_eq!(mode(&folder.path("f.wasm")), 0o640);

    let verified = folder.json("verify f.wasm --key k.pub", 0);
    assert_eq!(verified["Verified"], true);
    assert_eq!(verified["Signers"], serde_json::json!([id]));
    assert_eq!(verified["Digest"], signed["Digest"]);
    assert_eq!(verified["Digest"].as_str().unwrap().len(), 64);

    // Again changes nothing.
    let before = folder.read("f.wasm");
    assert_eq!(folder.json("sign f.wasm --key k", 0)["Changed"], false);
    assert_eq!(folder.read("f.wasm"), before);

    // A second signer.
    folder.check("keys new l", 0);
    let signers = folder.json("sign f.wasm --key l", 0)["Signers"].clone();
    assert_eq!(signers.as_array().unwrap().len(), 2);
    folder.check("verify f.wasm --key l.pub", 0);
    assert_eq!(folder.json("verify f.wasm --key k.pub --key l.pub", 0)["Signers"], signers);

    // Elsewhere, and stripped.
    folder.check("unsign f.wasm --out g.wasm", 0);
    assert_eq!(folder.read("g.wasm"), WITH_SECTION);
    folder.check("unsign f.wasm", 0);
    assert_eq!(folder.read("f.wasm"), WITH_SECTION);
    folder.check("sign f.wasm --key k --out h.wasm", 0);
    assert_eq!(folder.read("f.wasm"), WITH_SECTION);
    folder.check("verify h.wasm --key k.pub", 0);
    folder.check("unsign f.wasm", 1);

    // No half-written file stays behind.
    let left = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with('.')));
}

#[test]
fn what_is_not_vouched_for_is_told_apart() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    folder.check("keys new l", 0);
    folder.check("sign f.wasm --key k", 0);

    let other = folder.json("verify f.wasm --key l.pub", 1);
    assert_eq!((&other["Verified"], &other["Code"]), (&false.into(), &"OtherSigners".into()));

    let mut changed = folder.read("f.wasm");
    *changed.last_mut().unwrap() ^= 1;
    fs::write(folder.path("f.wasm"), &changed).unwrap();
    let changed = folder.json("verify f.wasm --key k.pub", 1);
    assert_eq!(changed["Code"], "Changed");
    assert!(changed["Reason"].as_str().unwrap().contains("changed after it was signed"));
    let output = folder.run("verify f.wasm --key k.pub");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).starts_with("error: f.wasm: not verified: "), "{}", stderr(&output));

    fs::write(folder.path("bare.wasm"), COMPONENT).unwrap();
    assert_eq!(folder.json("verify bare.wasm --key k.pub", 1)["Code"], "NotSigned");
    fs::write(folder.path("text"), "no component").unwrap();
    assert_eq!(folder.json("verify text --key k.pub", 1)["Code"], "NotComponent");
    folder.check("sign text --key k", 1);
    assert_eq!(folder.read("text"), b"no component");
}

#[test]
fn every_byte_counts() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    folder.check("sign f.wasm --key k", 0);
    let signed = folder.read("f.wasm");
    for at in [0, 4, 8, signed.len() / 2, signed.len() - 5, signed.len() - 1] {
        let mut changed = signed.clone();
        changed[at] ^= 0x10;
        fs::write(folder.path("f.wasm"), &changed).unwrap();
        folder.check("verify f.wasm --key k.pub", 1);
    }
    fs::write(folder.path("f.wasm"), &signed).unwrap();
    folder.check("verify f.wasm --key k.pub", 0);
}

#[test]
fn wrong_usage_is_two() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    for line in [
        "",
        "verify f.wasm",
        "verify f.wasm --key nowhere.pub",
        "verify nowhere.wasm --key k.pub",
        "verify f.wasm --key k",
        "sign f.wasm",
        "sign f.wasm --key k --nothing",
        "deploy f f.wasm --url --stream --buffered",
    ] {
        folder.check(line, 2);
    }
    assert_eq!(folder.read("f.wasm"), WITH_SECTION);
    let secret = folder.run("verify f.wasm --key k");
    assert!(stderr(&secret).contains("next: this is the secret half: give k.pub"), "{}", stderr(&secret));
    let public = folder.run("sign f.wasm --key k.pub");
    assert!(stderr(&public).contains("next: this is the public half"), "{}", stderr(&public));
}

#[test]
fn what_cannot_be_read_or_written_is_one_with_a_next_step() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    fs::write(folder.path("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    for (line, next) in [
        ("sign f.wasm --key k.pub", "next: this is the public half"),
        ("sign f.wasm --key f.wasm", "next: make a key"),
        ("sign f.wasm --key nowhere", "next: check the path"),
        ("sign nowhere.wasm --key k", "next: check the path"),
        ("sign . --key k", "next: it is a directory"),
        ("sign f.wasm --key k --out no/where", "next: make its directory first: mkdir -p no"),
        ("sign f.wasm --key k --out k/where", "next: k is no directory"),
        ("sign core.wasm --key k", "next: this is a core module"),
        ("unsign core.wasm", "next: this is a core module"),
        ("unsign f.wasm", "next: there is nothing to take away"),
        ("keys new no/where", "next: make its directory first: mkdir -p no"),
        ("deploy f nowhere.wasm", "next: check the path"),
        ("invoke f --payload @nowhere", "next: check the path"),
    ] {
        let output = folder.run(line);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {text}");
        assert!(text.contains(next), "{line}: {text}");
    }
}

#[test]
fn programs_are_told_of_failures_on_standard_output() {
    let folder = Folder::new();
    let check = |line: &str, code: i32, message: &str, next: &str| {
        let error = folder.json(line, code)["Error"].clone();
        let has = |member: &str, text: &str| error[member].as_str().is_some_and(|found| found.contains(text));
        assert!(has("Message", message) && has("Next", next), "{line}: {error}");
        assert!(error.get("Type").is_none(), "{error}");
    };
    check("list", 1, "no platform has been started", "lamina serve");
    check("sign f.wasm --key nowhere", 1, "reading nowhere", "check the path");
    check("verify f.wasm --key nowhere", 2, "reading nowhere", "check the path");
    check("serve --data f.wasm --listen 127.0.0.1:0", 1, "data directory f.wasm: ", "give a directory");
    check("sign f.wasm --nothing", 2, "--nothing", "--help");
    let output = folder.run("list --output json");
    assert!(stderr(&output).starts_with("error: no platform"), "{}", stderr(&output));
}

#[test]
fn a_reader_that_leaves_has_read_enough() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    folder.check("keys new l", 0);
    folder.check("sign f.wasm --key k", 0);
    let alone = |line: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(folder.0.path(), line);
        let output = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap();
        output.wait_with_output().unwrap()
    };
    for (line, code) in [
        ("verify f.wasm --key k.pub", 0),
        ("verify f.wasm --key k.pub --output json", 0),
        ("verify f.wasm --key l.pub --output json", 1),
        ("sign f.wasm --key k", 0),
    ] {
        let output = alone(line);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(code), ""), "{line}");
    }
}

#[test]
fn a_directory_that_cannot_be_served_is_named_with_a_next_step() {
    let folder = Folder::new();
    for name in ["newer", "junk"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    fs::write(folder.path("newer/format"), "lamina-kv 999\n").unwrap();
    fs::write(folder.path("junk/format"), "x").unwrap();
    for (data, next) in [
        ("newer", "next: run the version of lamina that made it"),
        ("junk", "next: if it is a data directory, restore its file `format`"),
        ("f.wasm", "next: there is a file in its place"),
        ("f.wasm/data", "next: there is a file in its place"),
    ] {
        let output = folder.run(&format!("serve --listen 127.0.0.1:0 --data {data}"));
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("error: data directory {data}: ")) && text.contains(next), "{text}");
    }
}

#[test]
fn a_key_that_others_can_read_is_warned_about() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    assert_eq!(stderr(&folder.run("sign f.wasm --key k")), "");
    fs::set_permissions(folder.path("k"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = folder.run("sign f.wasm --key k");
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("warning: others can read k"), "{}", stderr(&output));
}

#[test]
fn links_are_followed_and_kept() {
    let folder = Folder::new();
    folder.check("keys new k", 0);
    std::os::unix::fs::symlink("f.wasm", folder.path("link.wasm")).unwrap();
    folder.check("sign link.wasm --key k", 0);
    assert!(fs::symlink_metadata(folder.path("link.wasm")).unwrap().is_symlink());
    folder.check("verify f.wasm --key k.pub", 0);
}

#[test]
fn a_platform_that_is_not_there_is_told_with_a_next_step() {
    let folder = Folder::new();
    for line in ["list", "status", "invoke f", "deploy f f.wasm", "trust list", "logs f", "url f", "delete f"] {
        let output = folder.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(stderr(&output).contains("next: start the platform: lamina serve --data lamina-data"), "{line}");
    }
    // An endpoint that nobody serves any more: the port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::create_dir(folder.path("lamina-data")).unwrap();
    fs::write(folder.path("lamina-data/endpoint"), format!("http://127.0.0.1:{port}\nus-east-1\n")).unwrap();
    let credentials = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S"}"#;
    fs::write(folder.path("lamina-data/credentials.json"), credentials).unwrap();
    let output = folder.run("list");
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("cannot be reached") && text.contains("next: start the platform"), "{text}");
}

#[test]
fn help_is_an_answer() {
    let folder = Folder::new();
    let help = folder.check("--help", 0);
    for word in ["serve", "quickstart", "deploy", "LAMINA_DATA", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
    let help = folder.check("deploy --help", 0);
    for word in ["Create a function", "--memory", "LAMINA_KEY", "LAMINA_ENDPOINT", "AWS_ENDPOINT_URL"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    folder.check("--version", 0);
}

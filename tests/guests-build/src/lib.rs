//! Real guests for tests: components of `components/` and `tests/guests/`, built
//! on first use by the script that authors use.
//!
//! The first build of all takes about a minute, or three where the compiler must
//! be installed first; it says so on standard error. Later ones ask cargo whether
//! something changed, and take a tenth of a second.

#![expect(clippy::panic, reason = "only tests use this: without guests they cannot go on")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The workspaces with guests, relative to the repository.
const WORKSPACES: [&str; 2] = ["components", "tests/guests"];
const SCRIPT: &str = "guest-sdk/rust/build-guests";
/// Where the lock of all who test lies. The script chooses where guests are built.
const LOCK: &str = "target/.test-guests.lock";

/// The bytes of a guest, by its package's name: `hello` and `stream`, the examples;
/// `guest-function`, `guest-stream`, `guest-http` and `guest-url`, which do what
/// they are told; `guest-conformance`, which does what a table asks of every language;
/// `guest-init`, which has an init; `guest-managed`, a managed runtime; `guest-wstd`, a
/// server on other people's library; `guest-sqs` and `guest-gateway`, on other people's
/// events; `guest-request`, which takes requests of the crate `http`.
///
/// # Panics
/// When it cannot be built, or there is none of that name.
pub fn component(name: &str) -> Vec<u8> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(build);
    let path = folder.join(format!("{}.wasm", name.replace('-', "_")));
    fs::read(&path).unwrap_or_else(|error| panic!("there is no guest {name}: {}: {error}", path.display()))
}

/// Builds both workspaces and answers the folder with the components.
fn build() -> PathBuf {
    let repository = repository();
    let lock = lock(&repository.join(LOCK));
    let mut folder = String::new();
    for workspace in WORKSPACES {
        let mut script = Command::new(repository.join(SCRIPT));
        script.arg(repository.join(workspace));
        // Its progress is shown as it comes: the first build takes long.
        script.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = script.output().unwrap_or_else(|error| panic!("{SCRIPT} did not start: {error}"));
        assert!(output.status.success(), "{SCRIPT} {workspace} failed ({}): see above", output.status);
        String::from_utf8_lossy(&output.stdout).trim().clone_into(&mut folder);
    }
    drop(lock);
    PathBuf::from(folder)
}

/// One test process builds and the others wait: it may install the compiler.
fn lock(path: &Path) -> File {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let file = folder.and_then(|()| File::create(path));
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("locking {}: {error}", path.display()));
    file
}

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| panic!("{} has no grandparent", here.display()), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_guest_is_a_component() {
        for name in [
            "hello",
            "stream",
            "guest-conformance",
            "guest-function",
            "guest-stream",
            "guest-http",
            "guest-init",
            "guest-url",
            "guest-managed",
            "guest-wstd",
            "guest-sqs",
            "guest-gateway",
            "guest-request",
        ] {
            assert!(super::component(name).starts_with(b"\0asm\x0d\0\x01\0"), "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_script_says_what_it_wants() {
        let run = |arguments: &[&str]| {
            let output = std::process::Command::new(super::repository().join(super::SCRIPT)).args(arguments).output();
            output.unwrap().status.code()
        };
        assert_eq!(run(&[]), Some(2));
        assert_eq!(run(&["--toolchain", "other", "."]), Some(2));
        assert_eq!(run(&["/nowhere"]), Some(2));
        assert_eq!(run(&["--help"]), Some(0));
    }
}

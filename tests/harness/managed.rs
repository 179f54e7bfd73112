//! Managed runtimes as an operator has them: built by `lamina runtime build`, once for
//! each state of their sources, and installed by `lamina runtime install`; and
//! packages for them to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lamina_package::Writer;

use crate::cache;
use crate::platform::Platform;
use crate::process;

/// What runtimes are made of, relative to the checkout.
const SOURCES: [&str; 4] =
    ["components/runtimes", "wit", "guest-sdk/rust/build-guests", "host/crates/runtime/src/start.rs"];
/// Time to build both on a bare machine: tools are fetched, and an engine compiled.
const BUILD_MAX: Duration = Duration::from_secs(3_000);
/// Time for a platform to compile both, built for debugging and on a busy machine.
const INSTALL_MAX: Duration = Duration::from_secs(900);
/// Files in a package of a test.
const FILES_MAX: usize = 1_000;

/// The folder of built runtimes for `--runtimes`, both of them, with the key that
/// signed them. The first call on a machine builds for minutes, and says so.
pub fn built(program: &Path) -> PathBuf {
    let mut files = Vec::new();
    for source in SOURCES {
        listed(&crate::root().join(source), &mut files);
    }
    files.sort();
    let parts: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("a source that can be read")).collect();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    cache::once(&format!("runtimes-{}", cache::fingerprint(&parts)), |folder| build(program, folder))
}

fn build(program: &Path, folder: &Path) {
    eprintln!("building the managed runtimes in {}; the first time takes minutes", folder.display());
    // With the environment of this process: compilers are found by it, and caches.
    let mut command = Command::new(program);
    command.args(["runtime", "build", "--runtimes"]).arg(folder).current_dir(crate::root());
    // They have a cache of their own, which `lamina runtime build` fills by hand, too.
    command.env_remove("CARGO_TARGET_DIR");
    process::run(&mut command, BUILD_MAX).ok();
}

/// All files of a folder, or the file itself.
fn listed(path: &Path, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        files.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        let entry = entry.expect("an entry of a folder");
        // What other tools leave among the sources.
        if !["target", "__pycache__"].iter().any(|name| entry.file_name() == *name) {
            listed(&entry.path(), files);
        }
    }
}

/// A zip of the folder's files, those that `more` adds included.
pub fn zipped(folder: &Path, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut files = Vec::new();
    listed(folder, &mut files);
    files.sort();
    assert!(files.len() <= FILES_MAX, "{} has {} files", folder.display(), files.len());
    let mut zip = Writer::new();
    for file in &files {
        let name = file.strip_prefix(folder).expect("a file of the folder").to_str().expect("a name of text");
        let content = fs::read(file).expect("a file that can be read");
        zip.file(name, 0o644, &content).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for (name, content) in more {
        zip.file(name, 0o644, content).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    zip.finish()
}

impl Platform {
    /// Installs both runtimes, which this platform compiles now.
    pub fn install_runtimes(&self) {
        let folder = built(self.program());
        let folder = folder.to_str().expect("a path of text");
        self.cli_within(&["runtime", "install", "--runtimes", folder], INSTALL_MAX).ok();
    }

    /// The package, signed with the trusted key.
    pub fn sign_package(&self, zip: &[u8]) -> Vec<u8> {
        lamina_package::sign(zip, self.key()).expect("a package that can be signed").bytes
    }
}

//! The files of the checkout: those that git tracks, and new ones that it would.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// A file, by its path from the root, with `/` between the parts.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: String,
}

impl File {
    /// Its text; `None` when it is none.
    pub(crate) fn text(&self) -> Option<String> {
        let bytes = std::fs::read(root().join(&self.path)).unwrap_or_else(|error| panic!("{}: {error}", self.path));
        String::from_utf8(bytes).ok()
    }

    /// Its text, where it must have one.
    pub(crate) fn source(&self) -> String {
        self.text().unwrap_or_else(|| panic!("{} is not UTF-8", self.path))
    }
}

pub(crate) fn root() -> PathBuf {
    harness::root()
}

/// All files whose path ends like this.
pub(crate) fn files(ending: &str) -> Vec<File> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let paths: BTreeSet<&str> = text.split('\0').filter(|path| path.ends_with(ending) && !path.is_empty()).collect();
    // What is deleted and not committed yet is listed all the same.
    let there = paths.into_iter().filter(|path| root().join(path).is_file());
    let found: Vec<File> = there.map(|path| File { path: path.to_owned() }).collect();
    assert!(!found.is_empty(), "no files end in `{ending}`: is this a git checkout?");
    found
}

/// Fails with every finding at once.
#[track_caller]
pub(crate) fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

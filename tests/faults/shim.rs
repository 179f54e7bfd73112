//! The shim, compiled with the machine's C compiler, and a child process under it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where a program writes its marks; the shim answers for it.
pub(crate) const MARKS: &str = "/lamina-shim-mark";

/// One change that fails: the nth of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    pub(crate) nth: usize,
    /// `eio`, `enospc` or `torn`.
    pub(crate) how: &'static str,
}

/// The compiled shim.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(compile)
}

fn compile() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("shim-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = folder.path().join("shim.c");
    let library = folder.path().join("shim.so");
    std::fs::write(&source, include_str!("shim.c")).unwrap();
    let mut command = Command::new("cc");
    command.args(["-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&library).arg(&source);
    let output = command.args(["-ldl", "-lpthread"]).output();
    let output = output.unwrap_or_else(|error| panic!("cc: {error}: there is no C compiler: apt-get install gcc"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the shim does not compile (apt-get install gcc libc6-dev):\n{text}");
    // A run beside this one that has loaded the file keeps it.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-shim.so");
    std::fs::rename(&library, &kept).unwrap();
    kept
}

/// Puts a child under the shim, which sees what it changes below `root`.
pub(crate) fn watch(child: &mut Command, root: &Path) {
    child.env("LD_PRELOAD", library()).env("SHIM_ROOT", root);
}

/// Appends everything that is changed to this file.
pub(crate) fn record(child: &mut Command, log: &Path) {
    child.env("SHIM_LOG", log);
}

/// Makes one change below the root's folder `below` fail, and then the file `fired`.
pub(crate) fn fail(child: &mut Command, fault: Fault, below: &str, fired: &Path) {
    child.env("SHIM_FAULT", format!("{}:{}:{}", fault.kind, fault.nth, fault.how));
    child.env("SHIM_BELOW", below).env("SHIM_FIRED", fired);
}

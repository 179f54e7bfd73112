//! Programs of Debian's packages, unpacked into the cache: nothing is installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cache;
use crate::process;

/// Time to fetch a package.
const SETUP_MAX: Duration = Duration::from_secs(600);

/// The root of an unpacked package, in the version that this machine's sources have.
pub fn package(name: &str) -> PathBuf {
    let policy = process::run(Command::new("apt-cache").args(["policy", name]), SETUP_MAX).ok().stdout;
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    let version = candidate.filter(|version| *version != "(none)");
    let version = version.unwrap_or_else(|| panic!("Debian's sources have no {name}; try: apt-get update\n{policy}"));
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let folder = format!("deb-{name}-{}", version.chars().map(plain).collect::<String>());
    cache::once(&folder, |folder| unpack(name, version, folder))
}

fn unpack(name: &str, version: &str, folder: &Path) {
    eprintln!("fetching Debian's {name} {version} into {}", folder.display());
    let mut download = Command::new("apt-get");
    download.args(["download", "--quiet", &format!("{name}={version}")]).current_dir(folder);
    let done = process::run(&mut download, SETUP_MAX);
    assert_eq!(done.code, Some(0), "the first run of these tests needs the network:\n{}", done.stderr);
    let mut files = std::fs::read_dir(folder).expect("the new folder").flatten().map(|entry| entry.path());
    let package = files.find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let package = package.expect("apt-get has fetched a package");
    process::run(Command::new("dpkg").arg("-x").arg(&package).arg(folder), SETUP_MAX).ok();
    let _ = std::fs::remove_file(package);
}

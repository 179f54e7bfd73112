//! Programs of Debian's packages, unpacked into the cache: nothing is installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{cache, debian, process};

/// Time to fetch a package.
const SETUP_MAX: Duration = Duration::from_secs(600);

/// The root of an unpacked package, in the version that this machine's sources have.
pub fn package(name: &str) -> PathBuf {
    let version = candidate(name).unwrap_or_else(|| {
        // A machine that was never asked for a package has no lists of them.
        debian::fetch("update", None);
        candidate(name).unwrap_or_else(|| panic!("Debian's sources have no {name}"))
    });
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let folder = format!("deb-{name}-{}", version.chars().map(plain).collect::<String>());
    cache::once(&folder, |folder| unpack(name, folder))
}

/// The version that would be installed.
fn candidate(name: &str) -> Option<String> {
    let policy = process::run(Command::new("apt-cache").args(["policy", name]), SETUP_MAX).ok().stdout;
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    candidate.filter(|version| *version != "(none)").map(str::to_owned)
}

fn unpack(name: &str, folder: &Path) {
    eprintln!("fetching Debian's {name} into {}", folder.display());
    debian::fetch(&format!("download {name}"), Some(folder));
    let mut files = std::fs::read_dir(folder).expect("the new folder").flatten().map(|entry| entry.path());
    let package = files.find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let package = package.expect("apt-get has fetched a package");
    process::run(Command::new("dpkg").arg("-x").arg(&package).arg(folder), SETUP_MAX).ok();
    let _ = std::fs::remove_file(package);
}

//! Programs of Debian packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::process;

/// Time to install a package.
const INSTALL_MAX: Duration = Duration::from_secs(600);
/// One at a time: apt has one lock of its lists, for which it does not wait.
static FETCHING: Mutex<()> = Mutex::new(());

/// The program of this name, installed with its package when it is not there.
pub fn program(name: &str, package: &str) -> PathBuf {
    let found = find(name).or_else(|| {
        install(package);
        find(name)
    });
    found.unwrap_or_else(|| panic!("{package} has no program {name}"))
}

/// Installs a package, if it is not there.
pub(crate) fn install(package: &str) {
    eprintln!("installing Debian's {package}");
    fetch(&format!("install --yes --no-install-recommends {package}"), None);
}

/// Runs `apt-get` with these arguments, and once more with new lists of packages: old
/// ones name versions that are gone.
pub(crate) fn fetch(arguments: &str, folder: Option<&Path>) {
    let apt = format!("apt-get --quiet -o DPkg::Lock::Timeout=300 {arguments}");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{apt} || {{ apt-get --quiet update && {apt}; }}")]);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let one = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let done = process::run(&mut command, INSTALL_MAX);
    drop(one);
    assert_eq!(
        done.code,
        Some(0),
        "apt-get {arguments} failed; the first run of these tests needs Debian, root and the network:\n{}",
        done.stderr
    );
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

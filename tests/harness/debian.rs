//! Programs of Debian packages.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::process;

/// Time to install a package.
const INSTALL_MAX: Duration = Duration::from_secs(600);
/// One installation at a time: dpkg has one lock.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The program of this name, installed with its package when it is not there.
pub fn program(name: &str, package: &str) -> PathBuf {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find(name) {
        return found;
    }
    eprintln!("installing the package {package} for its program {name}");
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--no-install-recommends", package]).env("DEBIAN_FRONTEND", "noninteractive");
    let installed = process::run(&mut command, INSTALL_MAX);
    assert_eq!(
        installed.code,
        Some(0),
        "{package} could not be installed (on Debian, as root: apt-get install {package}):\n{}",
        installed.stderr
    );
    find(name).unwrap_or_else(|| panic!("{package} has no program {name}"))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

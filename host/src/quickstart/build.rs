//! Building the example functions from their source, by the script that any
//! author uses.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::cli::environment::Environment;
use crate::cli::failure::Failure;

const SCRIPT: &str = "guest-sdk/rust/build-guests";
const COMPONENTS: &str = "components";
/// The script prints one line, a path.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// The script's way to say that root must install something.
const NEEDS_ROOT: i32 = 3;

/// The checkout of the sources: the one this program is run from by cargo, or
/// the one that the current directory is in.
pub(crate) fn checkout(environment: &Environment) -> Result<PathBuf, Failure> {
    let of_cargo = environment.get("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let by_cargo = of_cargo.as_deref().and_then(Path::parent).filter(|folder| is_checkout(folder));
    if let Some(folder) = by_cargo {
        return Ok(folder.to_owned());
    }
    let current = std::env::current_dir().map_err(|error| Failure::io("finding the current directory", &error))?;
    above(&current).map(Path::to_owned).ok_or_else(|| {
        Failure::new(format!("the example functions' sources are not in {} or above it", current.display()))
            .next("run it in a checkout of the sources: cargo run --release -- quickstart")
    })
}

fn above(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| is_checkout(folder))
}

fn is_checkout(folder: &Path) -> bool {
    folder.join(COMPONENTS).join("Cargo.toml").is_file() && folder.join(SCRIPT).is_file()
}

/// Builds all example functions; answers the folder with the components. The
/// script's own lines appear on standard error. Dropped half-way, the script is
/// killed, and the next run goes on from there.
pub(super) async fn build(checkout: &Path) -> Result<PathBuf, Failure> {
    let script = checkout.join(SCRIPT);
    let failed = |error: &io::Error| Failure::io(format_args!("running {}", script.display()), error);
    let mut child = Command::new(&script)
        .arg(checkout.join(COMPONENTS))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(OUTPUT_BYTES_MAX).read_to_string(&mut text).await.map_err(|error| failed(&error))?;
    }
    let status = child.wait().await.map_err(|error| failed(&error))?;
    match (status.success(), text.lines().last()) {
        (true, Some(folder)) => Ok(PathBuf::from(folder)),
        (true, None) => Err(Failure::new(format!("{} did not say where the components are", script.display()))),
        (false, _) if status.code() == Some(NEEDS_ROOT) => {
            Err(Failure::new("the compiler for functions is not installed, and this user may not install it")
                .next("run the commands above as root, then try again"))
        }
        (false, _) => Err(Failure::new(format!("building the example functions ended with {status}")).next(
            "the lines above say why; the script can be run by itself, too: guest-sdk/rust/build-guests components",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_within() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let by_cargo = Environment::of(&[("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))]);
        assert_eq!(checkout(&by_cargo).unwrap(), root);
        assert_eq!(above(&root.join("components/examples/hello/src")).unwrap(), root);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(above(elsewhere.path()), None);
    }
}

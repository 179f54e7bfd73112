//! The working directory: where relative names begin.
//!
//! In an instance it is kept here and not in the C library, whose own can be set only
//! where the folder is there already: the engine starts before any package is. It needs
//! no call of the host, and a snapshot holds it.

use std::borrow::Cow;
use std::path::Path;

#[cfg(target_family = "wasm")]
mod kept {
    use std::{cell::RefCell, fs, io};

    use super::{Cow, Path, joined};

    thread_local! {
        /// Lambda's.
        static FOLDER: RefCell<String> = RefCell::new("/var/task".to_owned());
    }

    pub fn current() -> String {
        FOLDER.with_borrow(Clone::clone)
    }

    pub fn change(path: &str) -> io::Result<()> {
        // The dot takes the slash at the end away.
        let folder = joined(&current(), &format!("{path}/."));
        let failed = match fs::metadata(&folder) {
            Ok(found) if found.is_dir() && !path.is_empty() => {
                FOLDER.set(folder);
                return Ok(());
            }
            Ok(_) if !path.is_empty() => libc::ENOTDIR,
            _ => libc::ENOENT,
        };
        Err(io::Error::from_raw_os_error(failed))
    }

    /// WASI does not let `..` leave a folder that it was given: none is left.
    pub fn absolute(path: &str) -> Cow<'_, Path> {
        // A name that is empty names nothing, not the folder.
        if path.is_empty() || path.starts_with('/') && !path.split('/').any(|part| part == "..") {
            return Cow::Borrowed(Path::new(path));
        }
        Cow::Owned(FOLDER.with_borrow(|folder| joined(folder, path)).into())
    }
}

#[cfg(not(target_family = "wasm"))]
mod kept {
    use std::{env, io};

    use super::{Cow, Path};

    pub fn current() -> String {
        env::current_dir().map_or_else(|_| "/".to_owned(), |path| path.display().to_string())
    }

    pub fn change(path: &str) -> io::Result<()> {
        env::set_current_dir(path)
    }

    /// The system knows itself where relative names begin.
    pub fn absolute(path: &str) -> Cow<'_, Path> {
        Cow::Borrowed(Path::new(path))
    }
}

pub use kept::{absolute, change, current};

/// `path` as seen from `folder`, without `.`, `..` and empty parts. The slash at its end
/// stays: it asks for a folder.
#[cfg(any(target_family = "wasm", test))]
fn joined(folder: &str, path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn relative_names_begin_at_the_folder() {
        for (folder, path, expected) in [
            ("/var/task", "./data.json", "/var/task/data.json"),
            ("/var/task", "../../tmp/a", "/tmp/a"),
            ("/var/task", "/var/task/../b//c/", "/var/b/c/"),
            ("/", "..", "/"),
            ("/tmp", ".", "/tmp"),
            ("/tmp", "a/b//.", "/tmp/a/b"),
        ] {
            assert_eq!(joined(folder, path), expected);
        }
    }
}

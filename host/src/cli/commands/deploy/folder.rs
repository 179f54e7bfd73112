//! A folder's files, packed: the same files give the same zip.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use lamina_package::{DEPTH_MAX, ENTRIES_MAX, Writer};
use lamina_types::limits::PACKAGE_UNZIPPED_BYTES_MAX;

use super::ignore::Ignore;
use crate::cli::failure::Failure;
use crate::cli::files;

/// The patterns of what is left out.
const IGNORE_FILE: &str = ".laminaignore";
const IGNORE_BYTES_MAX: usize = 64 << 10;

/// Files by their names in the package: what is in them, and whether they can be run.
pub(super) type Files = BTreeMap<String, (Vec<u8>, bool)>;

/// Packs files.
pub(super) fn pack(files: &Files) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::new();
    for (name, (content, runs)) in files {
        let added = writer.file(name, if *runs { 0o755 } else { 0o644 }, content);
        added.map_err(|error| {
            Failure::new(format!("packing: {error}")).next("rename it, or name it in .laminaignore")
        })?;
    }
    Ok(writer.finish())
}

/// Reads a folder, but what is ignored and `except`, a key perhaps.
pub(super) fn read(root: &Path, except: Option<&Path>) -> Result<Files, Failure> {
    let ignore_file = root.join(IGNORE_FILE);
    let text = if ignore_file.exists() { files::read(&ignore_file, IGNORE_BYTES_MAX)? } else { Vec::new() };
    let ignore = Ignore::parse(&String::from_utf8_lossy(&text)).map_err(Failure::usage)?;
    let real = root.canonicalize().map_err(|error| files::unreadable(root, &error))?;
    let except = except.and_then(|path| path.canonicalize().ok());
    let mut reader = Reader { root: real.clone(), ignore, except, files: Files::new(), bytes: 0 };
    reader.folder(&real, "", &mut vec![real.clone()])?;
    Ok(reader.files)
}

struct Reader {
    root: PathBuf,
    ignore: Ignore,
    except: Option<PathBuf>,
    files: Files,
    bytes: usize,
}

impl Reader {
    /// Reads a folder; `above` are those that it lies in, itself among them, so that a
    /// link to one of them is found out.
    fn folder(&mut self, folder: &Path, prefix: &str, above: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let unread = |error| files::unreadable(folder, &error);
        for entry in fs::read_dir(folder).map_err(unread)? {
            let path = entry.map_err(unread)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                return Err(refused(&path, "its name is not UTF-8", "rename it"));
            };
            let name = format!("{prefix}{name}");
            if self.ignore.has(&name) {
                continue;
            }
            self.entry(&path, &name, above)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let unread = |error| files::unreadable(path, &error);
        // Links are followed: packages hold none.
        let real = path.canonicalize().map_err(unread)?;
        if !real.starts_with(&self.root) {
            return Err(refused(path, "it is a link that leads out of the folder", "put the file itself there"));
        }
        if self.except.as_ref() == Some(&real) {
            return Ok(());
        }
        let metadata = fs::metadata(&real).map_err(unread)?;
        if metadata.is_dir() {
            if above.contains(&real) || above.len() > DEPTH_MAX {
                return Err(refused(path, "folders lie in one another without end", "name it in .laminaignore"));
            }
            above.push(real.clone());
            let read = self.folder(&real, &format!("{name}/"), above);
            above.pop();
            return read;
        }
        if !metadata.is_file() {
            return Err(refused(path, "it is neither a file nor a folder", "name it in .laminaignore"));
        }
        let left = PACKAGE_UNZIPPED_BYTES_MAX.saturating_sub(self.bytes);
        if metadata.len() > left as u64 || self.files.len() >= ENTRIES_MAX {
            let why = format!("a function has at most {PACKAGE_UNZIPPED_BYTES_MAX} bytes and {ENTRIES_MAX} files");
            return Err(refused(path, &why, "name what it does not need in .laminaignore"));
        }
        let content = files::read(&real, left)?;
        self.bytes += content.len();
        self.files.insert(name.to_owned(), (content, metadata.permissions().mode() & 0o100 != 0));
        Ok(())
    }
}

fn refused(path: &Path, why: &str, next: &str) -> Failure {
    Failure::new(format!("packing {}: {why}", path.display())).next(next)
}

//! Files that commands read and write.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Reads a file of at most `bytes_max` bytes.
pub(crate) fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let unread = |error: io::Error| unreadable(path, &error);
    let file = File::open(path).map_err(unread)?;
    // Room for all of it at once: what is a secret is not left behind by growing.
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let room = usize::try_from(length).unwrap_or(bytes_max).min(bytes_max).saturating_add(1);
    let bytes = fill(Vec::with_capacity(room), file, bytes_max).map_err(unread)?;
    bytes.ok_or_else(|| {
        Failure::new(format!("{} is longer than {bytes_max} bytes", path.display()))
            .next("see whether it is the file that you mean")
    })
}

/// What the operating system said about reading a file, and what to do.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format_args!("reading {}", path.display()), error).next_if(match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Some("check the path: there is no such file"),
        io::ErrorKind::PermissionDenied => Some("have its mode changed, or run this as the user who may read it"),
        io::ErrorKind::IsADirectory => Some("it is a directory: name a file in it"),
        _ => None,
    })
}

/// What the operating system said about writing a file, and what to do.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let folder = || path.parent().unwrap_or(path).display();
    Failure::io(format_args!("writing {}", path.display()), error).next_if(match error.kind() {
        io::ErrorKind::NotFound => Some(format!("make its directory first: mkdir -p {}", folder())),
        io::ErrorKind::NotADirectory => Some(format!("{} is no directory: choose another place", folder())),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("choose a place where you may write".to_owned())
        }
        io::ErrorKind::IsADirectory => Some("it is a directory: name a file in it".to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room on that disk".to_owned()),
        _ => None,
    })
}

/// Reads to the end; `None` when there is more than allowed.
pub(crate) fn bounded(reader: impl io::Read, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    fill(Vec::new(), reader, bytes_max)
}

fn fill(mut bytes: Vec<u8>, reader: impl io::Read, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= bytes_max).then_some(bytes))
}

/// Writes a file as one step: whoever reads `path` finds the old bytes or the
/// new ones, also after a crash. A file that is there keeps its mode.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // Through a symbolic link its target is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace_at(&path, bytes).map_err(|error| unwritable(&path, &error))
}

fn replace_at(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mode = fs::metadata(path).ok().map(|metadata| metadata.permissions());
    let temporary = beside(path)?;
    let written = (|| {
        let mut file = File::create_new(&temporary)?;
        if let Some(mode) = mode {
            file.set_permissions(mode)?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A name that is free, in the same folder, so that a rename stays on one disk.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", hex::encode(random)));
    Ok(path.with_file_name(hidden))
}

/// Writes a new file with this mode; one that is there is never touched.
pub(crate) fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(format!("{} exists already, and a key is never overwritten", path.display()))
                .next("choose another name, or move the old file away")
        }
        _ => unwritable(path, &error),
    })
}

/// Whether others than the owner can read the file.
pub(crate) fn open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

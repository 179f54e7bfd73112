//! The directory around the records: its lock, its format, and the syncing that the
//! index's engine leaves out.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lamina_disk::Folder;

use crate::error::Error;

/// The newest format this program reads and the one it writes.
pub(crate) const FORMAT: u32 = 2;
const FORMAT_PREFIX: &str = "lamina-kv ";
const FORMAT_FILE: &str = "format";
/// The index's directory.
const ENGINE: &str = "sled";
/// The journal's directory.
pub(crate) const JOURNAL: &str = "journal";

/// The directory, held against other processes until it is dropped.
pub(crate) struct Directory {
    /// Where the engine keeps its files.
    pub(crate) engine: PathBuf,
    /// The format it has; `None` when it is new.
    pub(crate) format: Option<u32>,
    _lock: File,
}

impl Directory {
    /// Takes the directory. One that is in use or of an unknown format is refused
    /// and not changed.
    pub(crate) fn take(data: &Folder, path: &Path) -> Result<Self, Error> {
        let storage = |error: std::io::Error| Error::storage("opening the data directory", error);
        // Before the lock, which makes a file, and again under it.
        read_format(data)?;
        let lock = File::options().create(true).append(true).open(path.join("lock")).map_err(storage)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(storage(error)),
        }
        let format = read_format(data)?;
        Ok(Self { engine: path.join(ENGINE), format, _lock: lock })
    }
}

/// The format of a directory, `None` for one without; an error unless we know it.
fn read_format(data: &Folder) -> Result<Option<u32>, Error> {
    let read = data.read(FORMAT_FILE, 4_096);
    let Some(bytes) = read.map_err(|error| Error::storage("reading the data directory's format", error))? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    match text.trim_end().strip_prefix(FORMAT_PREFIX).and_then(|number| number.parse().ok()) {
        Some(found @ 1..=FORMAT) => Ok(Some(found)),
        Some(found) if found > FORMAT => Err(Error::Newer { found, known: FORMAT }),
        _ => Err(Error::Format(text.chars().take(80).collect())),
    }
}

/// Says that the directory has the newest format from now on.
pub(crate) fn write_format(data: &Folder) -> std::io::Result<()> {
    data.remove("format.new")?;
    data.replace("format.new", FORMAT_FILE, format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())
}

fn sync_directory(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Syncs the engine's files. Its own flush on Linux is `sync_file_range`, which
/// reaches neither the drive's cache nor the metadata, and it never syncs the
/// `blobs` that hold its larger pages, nor the directories.
pub(crate) struct Syncer {
    folder: PathBuf,
    data: File,
    files: HashSet<OsString>,
    blobs: HashSet<OsString>,
}

impl Syncer {
    pub(crate) fn new(folder: &Path) -> std::io::Result<Self> {
        let data = File::open(folder.join("db"))?;
        Ok(Self { folder: folder.to_owned(), data, files: HashSet::new(), blobs: HashSet::new() })
    }

    /// Everything the engine has written is on the disk when this returns.
    pub(crate) fn sync(&mut self) -> std::io::Result<()> {
        let folder = self.folder.join("blobs");
        let blobs = names(&folder)?;
        let new: Vec<_> = blobs.difference(&self.blobs).collect();
        for name in &new {
            match File::open(folder.join(name)).and_then(|file| file.sync_all()) {
                // The engine removes blobs whenever it likes.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                synced => synced?,
            }
        }
        if !new.is_empty() {
            sync_directory(&folder)?;
        }
        self.blobs = blobs;
        self.data.sync_data()?;
        let files = names(&self.folder)?;
        if files != self.files {
            sync_directory(&self.folder)?;
            self.files = files;
        }
        Ok(())
    }
}

fn names(folder: &Path) -> std::io::Result<HashSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

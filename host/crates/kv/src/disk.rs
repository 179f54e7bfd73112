//! The directory around the engine: its lock, its format, and the syncing that
//! the engine leaves out.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The newest format this program reads and the one it writes.
const FORMAT: u32 = 1;
const FORMAT_PREFIX: &str = "lamina-kv ";

/// The directory, held against other processes until it is dropped.
pub(crate) struct Directory {
    /// Where the engine keeps its files.
    pub(crate) engine: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is not there. One that is in use or of another
    /// format is refused and not changed.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let storage = |error: std::io::Error| Error::storage("opening the data directory", error);
        fs::create_dir_all(dir).map_err(storage)?;
        // Before the lock, which makes a file, and again under it.
        read_format(dir)?;
        let lock = File::options().create(true).append(true).open(dir.join("lock")).map_err(storage)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(dir.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(storage(error)),
        }
        let engine = dir.join("sled");
        if !read_format(dir)? {
            if engine.exists() {
                return Err(Error::Format("the file is missing".to_owned()));
            }
            write_format(dir).map_err(storage)?;
        }
        fs::create_dir_all(&engine).map_err(storage)?;
        sync_directory(dir).map_err(storage)?;
        Ok(Self { engine, _lock: lock })
    }
}

/// Whether there is a format file; an error unless it is one we know.
fn read_format(dir: &Path) -> Result<bool, Error> {
    let text = match fs::read(dir.join("format")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::storage("reading the data directory's format", error)),
    };
    match text.trim_end().strip_prefix(FORMAT_PREFIX).and_then(|number| number.parse().ok()) {
        Some(FORMAT) => Ok(true),
        Some(found) if found > FORMAT => Err(Error::Newer { found, known: FORMAT }),
        _ => Err(Error::Format(text.chars().take(80).collect())),
    }
}

fn write_format(dir: &Path) -> std::io::Result<()> {
    let temporary = dir.join("format.new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{FORMAT_PREFIX}{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&temporary, dir.join("format"))
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

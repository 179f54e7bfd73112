//! A file that grows by whole lines, or not at all.

use lamina_disk::{File, Folder};

use crate::error::Error;

/// Appends to one file after the other in a folder.
pub(crate) struct Appender {
    folder: Folder,
    current: Option<Current>,
    /// Since a sync has failed, or a write could not be undone.
    is_stopped: bool,
}

/// The file that grows.
pub(crate) struct Current {
    pub(crate) file: File,
    /// Up to where it was acknowledged.
    pub(crate) len: u64,
}

impl Appender {
    pub(crate) fn new(folder: Folder, current: Option<Current>) -> Self {
        Self { folder, current, is_stopped: false }
    }

    /// The bytes of the current file; `None` before the first.
    pub(crate) fn len(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.len)
    }

    fn check(&self) -> Result<(), Error> {
        let file = || self.current.as_ref().map_or("audit", |current| current.file.path()).to_owned();
        if self.is_stopped { Err(Error::Stopped { file: file() }) } else { Ok(()) }
    }

    /// Begins a new file, which is on the disk when this returns.
    pub(crate) fn begin(&mut self, name: &str) -> Result<(), Error> {
        self.check()?;
        let file = self.folder.create(name).map_err(Error::io("making", &crate::files::shown(name)))?;
        let path = file.path().to_owned();
        self.current = Some(Current { file, len: 0 });
        let synced = self.folder.sync_dir(".");
        self.is_stopped = synced.is_err();
        synced.map_err(Error::io("syncing the directory of", &path))
    }

    /// Appends to the current file. The bytes are on the disk when this returns;
    /// after an error none of them count, and as far as the disk lets it they are
    /// cut away again.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.check()?;
        let Some(Current { file, len }) = &mut self.current else {
            return Err(Error::Stopped { file: "audit".to_owned() });
        };
        if let Err(error) = file.write_at(*len, bytes) {
            self.is_stopped = file.set_len(*len).is_err();
            return Err(Error::io("writing", file.path())(error));
        }
        if let Err(error) = file.sync() {
            self.is_stopped = true;
            // Else the next start would read from memory what the disk may have lost,
            // and take it for acknowledged.
            let _ = file.set_len(*len);
            return Err(Error::io("syncing", file.path())(error));
        }
        *len = len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

//! A file that is written through the seam.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::seam::{Seam, Step, Verdict, pass, torn};

/// An open file. Reads go to the file itself.
#[derive(Clone)]
pub struct File {
    pub(crate) file: Arc<std::fs::File>,
    pub(crate) path: Arc<str>,
    pub(crate) seam: Arc<dyn Seam>,
}

impl File {
    /// The path within the data directory, for messages.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The length in bytes.
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Writes all bytes at this offset. When it fails, some of them may be there.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.seam.before(&Step::Write { path: &self.path, offset, bytes })? {
            Verdict::Go => self.file.write_all_at(bytes, offset),
            Verdict::Tear(written) => {
                self.file.write_all_at(bytes.get(..written.min(bytes.len())).unwrap_or_default(), offset)?;
                Err(torn())
            }
        }
    }

    /// Reads exactly as many bytes from this offset.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }

    /// Cuts or lengthens the file.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        pass(&*self.seam, &Step::SetLen { path: &self.path, len }, || self.file.set_len(len))
    }

    /// `fdatasync`: the data and the length are on the disk when this returns.
    /// After an error what was written before may be lost without another.
    pub fn sync(&self) -> io::Result<()> {
        pass(&*self.seam, &Step::Sync { path: &self.path }, || self.file.sync_data())
    }
}

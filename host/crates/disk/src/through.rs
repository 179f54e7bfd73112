//! Writing over what a file has, past the kernel's cache.
//!
//! A write that is on the disk when it returns costs one request of the disk and
//! nothing of the cache: about two thirds of a cached write and its `fdatasync`.
//! It goes by whole blocks, so that the first one is written again with what stood
//! before in it.

use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use crate::file::File;
use crate::seam::{Step, Verdict, torn};

/// What disks and file systems take at a time, or a multiple of it.
pub const BLOCK_BYTES: u64 = 4_096;
const BLOCK: usize = 4_096;
/// Longer writes are not worth it.
const WRITE_BYTES_MAX: usize = 1 << 20;

/// See the module. What it writes may not be written by others meanwhile.
pub struct Through {
    file: File,
    /// `None` once the file system has refused it.
    direct: Option<std::fs::File>,
    /// Holds the last write; only from `skip` on, where a block begins in memory.
    buffer: Vec<u8>,
    skip: usize,
    /// Where in the file the buffer stands, and how many bytes of it.
    start: u64,
    length: usize,
}

/// Why a write failed.
#[derive(Debug)]
pub enum Unwritten {
    /// Some of it may be there, in memory or on the disk: cut off and synced, it is
    /// gone.
    Write(io::Error),
    /// It is not known what is on the disk, and no later sync will tell.
    Sync(io::Error),
}

impl Through {
    /// `None` where the file system has no such writes.
    pub(crate) fn open(dir: &Dir, path: &str, file: File) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECT | OFlags::DSYNC;
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(flags.bits().cast_signed());
        let direct = match dir.open_with(path, &options) {
            Ok(direct) => direct.into_std(),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => return Ok(None),
            Err(error) => return Err(error),
        };
        let buffer = vec![0; WRITE_BYTES_MAX + 3 * BLOCK];
        let skip = buffer.as_ptr().align_offset(BLOCK);
        Ok(Some(Self { file, direct: Some(direct), buffer, skip, start: 0, length: 0 }))
    }

    /// Writes all bytes at this offset, and has them on the disk when it returns.
    /// The file has at least as many bytes, up to the end of the last block; those
    /// after `bytes` in it become zeros.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Unwritten> {
        let path = self.file.path.clone();
        match self.file.seam.before(&Step::Write { path: &path, offset, bytes }).map_err(Unwritten::Write)? {
            Verdict::Go => {}
            Verdict::Tear(written) => {
                self.length = 0;
                let part = bytes.get(..written.min(bytes.len())).unwrap_or_default();
                let written = self.file.file.write_all_at(part, offset);
                return Err(Unwritten::Write(written.err().unwrap_or_else(torn)));
            }
        }
        let unsynced = match self.file.seam.before(&Step::Sync { path: &path }) {
            Ok(Verdict::Go) => None,
            Ok(Verdict::Tear(_)) => Some(torn()),
            Err(error) => Some(error),
        };
        match (unsynced, &self.direct) {
            (None, Some(_)) if bytes.len() <= WRITE_BYTES_MAX => self.write_through(offset, bytes),
            (None, _) => self.write_cached(offset, bytes),
            (Some(error), _) => {
                self.length = 0;
                self.file.file.write_all_at(bytes, offset).map_err(Unwritten::Write)?;
                Err(Unwritten::Sync(error))
            }
        }
    }

    fn write_through(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Unwritten> {
        let start = offset - offset % BLOCK_BYTES;
        let before = usize::try_from(offset - start).unwrap_or_default();
        self.keep(start, before).map_err(Unwritten::Write)?;
        let end = before + bytes.len();
        let length = end.next_multiple_of(BLOCK);
        let area = &mut self.buffer[self.skip..self.skip + length];
        area[before..end].copy_from_slice(bytes);
        area[end..].fill(0);
        let Some(direct) = &self.direct else { return self.write_cached(offset, bytes) };
        match direct.write_all_at(area, start) {
            Ok(()) => {
                (self.start, self.length) = (start, length);
                Ok(())
            }
            Err(error) => {
                self.length = 0;
                match error.kind() {
                    // It wants larger blocks than ours, or none of this at all.
                    ErrorKind::InvalidInput | ErrorKind::Unsupported => {
                        self.direct = None;
                        self.write_cached(offset, bytes)
                    }
                    ErrorKind::StorageFull => Err(Unwritten::Write(error)),
                    _ => Err(Unwritten::Sync(error)),
                }
            }
        }
    }

    /// Brings so many bytes from this place in the file to the buffer's beginning.
    fn keep(&mut self, start: u64, bytes: usize) -> io::Result<()> {
        let at = start.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        match at.filter(|at| at + bytes <= self.length) {
            Some(at) => {
                let from = self.skip + at;
                self.buffer.copy_within(from..from + bytes, self.skip);
                Ok(())
            }
            None => self.file.read_at(start, &mut self.buffer[self.skip..self.skip + bytes]),
        }
    }

    fn write_cached(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Unwritten> {
        self.length = 0;
        self.file.file.write_all_at(bytes, offset).map_err(Unwritten::Write)?;
        self.file.file.sync_data().map_err(Unwritten::Sync)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{Folder, System};

    #[test]
    fn what_is_written_reads_back_and_what_is_before_it_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), Arc::new(System)).unwrap();
        let file = folder.create("f").unwrap();
        let mut expect = vec![7; 4 << 20];
        file.write_at(0, &expect).unwrap();
        let Some(mut through) = folder.through("f", &file).unwrap() else { return };
        let mut at = 32;
        for (number, length) in [1, 20, 4_000, 4_096, 8_200, 100_000, 3, 2 << 20, 44_000].into_iter().enumerate() {
            let bytes = vec![number as u8 + 10; length];
            through.write_at(at as u64, &bytes).unwrap();
            expect[at..at + length].copy_from_slice(&bytes);
            // The next write begins before this one's end, or far from it.
            at = if number == 5 { 9_000 } else { at + length - length.min(20) };
            let mut found = vec![0; expect.len()];
            file.read_at(0, &mut found).unwrap();
            for (place, (found, expect)) in found.iter().zip(&mut expect).enumerate() {
                if found != expect {
                    assert_eq!(*found, 0, "write {number}, byte {place}");
                    *expect = 0;
                }
            }
            let zeros = expect.iter().filter(|byte| **byte == 0).count();
            assert!(zeros < (number + 1) * 4_096, "write {number}: {zeros}");
        }
    }
}

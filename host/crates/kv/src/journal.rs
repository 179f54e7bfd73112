//! The journal's files: their names, their heads, and appending to the last.

use std::io;

use lamina_disk::{BLOCK_BYTES, File, Folder, Through, Unwritten};

use crate::error::Error;
use crate::frame::{END, MAC_BYTES, Mac, Reader};
use crate::spare;

const MAGIC: &[u8; 8] = b"LAMJRN01";
/// Magic, first sequence number, MAC before it.
pub(crate) const HEADER_BYTES: u64 = 8 + 8 + MAC_BYTES as u64;
/// A file to which nothing was appended yet: that, and the end.
pub(crate) const EMPTY_BYTES: u64 = HEADER_BYTES + END.len() as u64;
/// The largest journal file that is read: a checkpoint begins a new one long before.
pub(crate) const FILE_BYTES_MAX: u64 = 2 << 30;

pub(crate) fn journal_name(first: u64) -> String {
    format!("{first:020}.journal")
}

pub(crate) fn export_name(sequence: u64) -> String {
    format!("{sequence:020}.export")
}

impl Failed {
    pub(crate) fn into_error(self) -> io::Error {
        match self {
            Self::Clean(error) | Self::Unknown(error) => error,
        }
    }
}

/// The files of the journal's folder by kind, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) journals: Vec<u64>,
    pub(crate) exports: Vec<u64>,
}

impl Listing {
    pub(crate) fn of(folder: &Folder) -> io::Result<Self> {
        let mut listing = Self::default();
        for name in folder.names(".")? {
            let number = |suffix: &str| {
                let digits = name.strip_suffix(suffix)?;
                (digits.len() == 20).then(|| digits.parse().ok())?
            };
            if let Some(first) = number(".journal") {
                listing.journals.push(first);
            } else if let Some(sequence) = number(".export") {
                listing.exports.push(sequence);
            }
        }
        Ok(listing)
    }
}

/// A journal file's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: u64,
    pub(crate) before: Mac,
}

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len()).ok()? != MAGIC {
            return None;
        }
        let first = reader.u64().ok()?;
        let mut before = [0; MAC_BYTES];
        before.copy_from_slice(reader.take(MAC_BYTES).ok()?);
        Some(Self { first, before })
    }

    /// The head, and the end after it: no group is there yet.
    fn bytes(self) -> Vec<u8> {
        [&MAGIC[..], &self.first.to_le_bytes(), &self.before, &END].concat()
    }
}

/// The last file, to which groups are appended.
pub(crate) struct Tail {
    pub(crate) file: File,
    /// Writes over the room of a file that was made ready.
    pub(crate) through: Option<Through>,
    /// The number its first transaction has, or will have.
    pub(crate) first: u64,
    /// Where the next group goes.
    pub(crate) at: u64,
    /// How long the file is: after the end there may be room.
    pub(crate) length: u64,
    /// The last transaction that is on the disk.
    pub(crate) sequence: u64,
    /// The MAC of its group.
    pub(crate) mac: Mac,
}

/// Why a group could not be appended, or a file not begun.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing of it is there; it may be tried again.
    Clean(io::Error),
    /// It is not known what is there.
    Unknown(io::Error),
}

impl Tail {
    /// A new last file, on the disk when this returns: the spare one, if there is one.
    pub(crate) fn create(folder: &Folder, spare: Option<&File>, sequence: u64, mac: Mac) -> Result<Self, Failed> {
        let header = Header { first: sequence + 1, before: mac };
        let name = journal_name(header.first);
        let head = |file: &File| file.write_at(0, &header.bytes()).and_then(|()| file.sync());
        let make = || {
            // Left by an attempt that failed half-way; nothing was ever appended to it.
            folder.remove(&name)?;
            let file = match spare {
                Some(file) => {
                    head(file)?;
                    folder.rename(spare::NAME, &name)?;
                    file.clone()
                }
                None => {
                    let file = folder.create(&name)?;
                    head(&file)?;
                    file
                }
            };
            folder.sync_dir(".")?;
            let length = file.len()?;
            let through = if spare.is_some() { folder.through(&name, &file)? } else { None };
            Ok(Self { file, through, first: header.first, at: HEADER_BYTES, length, sequence, mac })
        };
        make().map_err(|error| {
            // Were it to stay, the journal would go on in two files.
            let removed = folder.remove(&name).and_then(|_| folder.sync_dir("."));
            if removed.is_ok() { Failed::Clean(error) } else { Failed::Unknown(error) }
        })
    }

    /// The journal goes on in another file: the room that is left is given back.
    pub(crate) fn leave(self) {
        if self.length > self.at
            && let Err(error) = self.file.set_len(self.at)
        {
            tracing::debug!(%error, "a journal file stays longer than it need be");
        }
    }

    /// Bytes that may be appended without the file growing.
    pub(crate) fn room(&self) -> u64 {
        self.length.saturating_sub(self.at + END.len() as u64)
    }

    /// Whether nothing was appended to this file yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.at == HEADER_BYTES
    }

    /// Appends a group, which has its end after it, and syncs.
    pub(crate) fn append(&mut self, bytes: &[u8], sequence: u64, mac: Mac) -> Result<(), Failed> {
        let end = self.at + bytes.len() as u64;
        let written = match &mut self.through {
            Some(through) if end.next_multiple_of(BLOCK_BYTES) <= self.length => through.write_at(self.at, bytes),
            _ => {
                // The file grows from here on.
                self.through = None;
                // After a failed sync the kernel may have dropped what it could not
                // write, so that a later one would succeed without it: never go on.
                let write = self.file.write_at(self.at, bytes).map_err(Unwritten::Write);
                write.and_then(|()| self.file.sync().map_err(Unwritten::Sync))
            }
        };
        match written {
            Ok(()) => {}
            Err(Unwritten::Sync(error)) => return Err(Failed::Unknown(error)),
            Err(Unwritten::Write(error)) => {
                // What is there of it must not stay: the next group would follow it.
                let cut = self.file.set_len(self.at).and_then(|()| self.file.sync());
                (self.length, self.through) = (self.at, None);
                return Err(if cut.is_ok() { Failed::Clean(error) } else { Failed::Unknown(error) });
            }
        }
        self.length = self.length.max(end);
        self.at += (bytes.len() - END.len()) as u64;
        (self.sequence, self.mac) = (sequence, mac);
        Ok(())
    }
}

/// Damage or an edit, by file and byte.
pub(crate) fn damaged(name: &str, offset: u64, reason: impl Into<String>) -> Error {
    Error::Damaged { file: format!("journal/{name}"), offset, reason: reason.into() }
}

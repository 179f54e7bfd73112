//! Writing zips: the same files give the same bytes, whenever and wherever they are
//! packed by the same release.

use flate2::{Compress, Compression, FlushCompress};

use crate::error::{Fault, ZipError};
use crate::name;
use crate::record::{CENTRAL, CENTRAL_BYTES, DEFLATE, END, END_BYTES, ENTRIES_MAX, LOCAL, LOCAL_BYTES, STORED};

/// Made by a Unix, by the format's version 2.0.
const MADE_BY: u16 = 3 << 8 | 20;
const NEEDED: u16 = 20;
/// The name is UTF-8.
const FLAGS: u16 = 1 << 11;
/// The first day that a zip can name: 1980-01-01, at midnight.
const DATE: u16 = 1 << 5 | 1;
const REGULAR: u32 = 0o100_000;
/// What a file of a few bytes would gain is not worth unpacking it.
const DEFLATE_BYTES_MIN: usize = 64;

/// How a new entry's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// As it is: the same bytes whatever library packs.
    Stored,
    /// Deflated, where that is shorter.
    Smaller,
}

/// A new entry: its two records and its content.
pub(crate) struct Written {
    pub(crate) local: Vec<u8>,
    /// To be placed by [`place`].
    pub(crate) central: Vec<u8>,
}

/// Packs one file. The name and the sizes have been checked.
pub(crate) fn entry(name: &str, mode: u16, content: &[u8], method: Method) -> Written {
    let deflated = match method {
        Method::Smaller if content.len() >= DEFLATE_BYTES_MIN => deflate(content),
        Method::Smaller | Method::Stored => None,
    };
    let (method, data) = deflated.as_deref().map_or((STORED, content), |data| (DEFLATE, data));
    let mut shared = Vec::with_capacity(LOCAL_BYTES);
    for short in [NEEDED, FLAGS, method, 0, DATE] {
        shared.extend_from_slice(&short.to_le_bytes());
    }
    for long in [crc32fast::hash(content), length(data), length(content)] {
        shared.extend_from_slice(&long.to_le_bytes());
    }
    // The name's length fits: names are bounded.
    shared.extend_from_slice(&(name.len() as u16).to_le_bytes());
    // No extra fields.
    shared.extend_from_slice(&[0; 2]);

    let local = [LOCAL.to_le_bytes().as_slice(), &shared, name.as_bytes(), data].concat();
    let mut central = [CENTRAL.to_le_bytes().as_slice(), &MADE_BY.to_le_bytes(), &shared].concat();
    // No comment, the first disk, no internal attributes.
    central.extend_from_slice(&[0; 6]);
    central.extend_from_slice(&((REGULAR | u32::from(mode)) << 16).to_le_bytes());
    central.extend_from_slice(&[0; 4]);
    central.extend_from_slice(name.as_bytes());
    Written { local, central }
}

/// Says in a central record where its local one is.
pub(crate) fn place(central: &mut [u8], offset: usize) {
    if let Some(place) = central.get_mut(CENTRAL_BYTES - 4..CENTRAL_BYTES) {
        place.copy_from_slice(&(offset as u32).to_le_bytes());
    }
}

/// The end record, without its comment.
pub(crate) fn end(entries: usize, directory_bytes: usize, directory_at: usize, comment_bytes: usize) -> Vec<u8> {
    let mut end = Vec::with_capacity(END_BYTES);
    end.extend_from_slice(&END.to_le_bytes());
    end.extend_from_slice(&[0; 4]);
    for _ in 0..2 {
        end.extend_from_slice(&(entries as u16).to_le_bytes());
    }
    for long in [directory_bytes, directory_at] {
        end.extend_from_slice(&(long as u32).to_le_bytes());
    }
    end.extend_from_slice(&(comment_bytes as u16).to_le_bytes());
    end
}

fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// The content deflated; `None` where that is no shorter.
fn deflate(content: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(content.len());
    let mut stream = Compress::new(Compression::best(), false);
    let status = stream.compress_vec(content, &mut data, FlushCompress::Finish).ok()?;
    (status == flate2::Status::StreamEnd && data.len() < content.len()).then_some(data)
}

/// Packs files, one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    zip: Vec<u8>,
    directory: Vec<u8>,
    entries: usize,
}

impl Writer {
    /// An empty zip.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file with the lowest nine bits of its mode. Files that are to come out
    /// the same are added in the same order. The name is one that a package may have.
    pub fn file(&mut self, name: &str, mode: u16, content: &[u8]) -> Result<(), ZipError> {
        let checked = name::checked(name.as_bytes()).map_err(|fault| ZipError::of(name.as_bytes(), fault))?;
        if checked.1 {
            return Err(ZipError::of(name.as_bytes(), Fault::FolderContent));
        }
        if self.entries >= ENTRIES_MAX {
            return Err(ZipError::whole(Fault::Entries));
        }
        let Written { local, mut central } = entry(name, mode & 0o777, content, Method::Smaller);
        if self.zip.len() + local.len() > u32::MAX as usize {
            return Err(ZipError::whole(Fault::Zip64));
        }
        place(&mut central, self.zip.len());
        self.zip.extend_from_slice(&local);
        self.directory.extend_from_slice(&central);
        self.entries += 1;
        Ok(())
    }

    /// Bytes of the zip so far, without its directory.
    pub fn bytes(&self) -> usize {
        self.zip.len()
    }

    /// The zip.
    pub fn finish(self) -> Vec<u8> {
        let Self { mut zip, directory, entries } = self;
        let at = zip.len();
        zip.extend_from_slice(&directory);
        zip.extend_from_slice(&end(entries, directory.len(), at, 0));
        zip
    }
}

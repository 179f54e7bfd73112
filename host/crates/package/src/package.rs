//! A zip that was read strictly.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use lamina_types::limits::PACKAGE_UNZIPPED_BYTES_MAX;

use crate::error::{Fault, ZipError};
use crate::record::{Central, DEFLATE, End};
use crate::{links, name};

/// Types of files in a mode.
const TYPE: u16 = 0o170_000;
const TYPE_FOLDER: u16 = 0o040_000;
const TYPE_FILE: u16 = 0o100_000;
const TYPE_LINK: u16 = 0o120_000;
const PERMISSIONS: u16 = 0o777;

/// A file or a folder of a package.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its path: relative, without `.`, `..`, empty parts and a slash at the end.
    pub name: &'a str,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The lowest nine bits of its mode; 0 where no Unix packed it.
    pub mode: u16,
    /// Its size, unpacked.
    pub bytes: usize,
    /// Whether its content is the path of another, as which it is to be read.
    pub(crate) is_link: bool,
    data: &'a [u8],
    method: u16,
    crc: u32,
    /// All that belongs to it in the zip.
    pub(crate) span: Range<usize>,
    pub(crate) central: &'a [u8],
}

impl<'a> Entry<'a> {
    fn new(zip: &'a [u8], central: &Central<'a>, next: usize) -> Result<Self, ZipError> {
        let fault = |fault| ZipError::of(central.name, fault);
        let (name, is_folder) = name::checked(central.name).map_err(fault)?;
        let is_link = central.mode & TYPE == TYPE_LINK;
        match central.mode & TYPE {
            TYPE_LINK if is_folder => return Err(fault(Fault::Link)),
            TYPE_LINK | 0 => {}
            TYPE_FILE if !is_folder => {}
            TYPE_FOLDER if is_folder => {}
            _ => return Err(fault(Fault::Special)),
        }
        if is_folder && central.unpacked != 0 {
            return Err(fault(Fault::FolderContent));
        }
        let (data, end) = central.local(zip, next).map_err(fault)?;
        if end != next {
            return Err(fault(Fault::Gap));
        }
        Ok(Self {
            name,
            is_folder,
            mode: central.mode & PERMISSIONS,
            bytes: central.unpacked as usize,
            is_link,
            data: zip.get(data).unwrap_or_default(),
            method: central.method,
            crc: central.crc,
            span: central.offset..end,
            central: central.bytes,
        })
    }

    /// Becomes a copy of another, under its own name.
    pub(crate) fn copy(&mut self, other: &Self) {
        (self.data, self.method, self.crc) = (other.data, other.method, other.crc);
        (self.bytes, self.mode, self.is_link) = (other.bytes, other.mode, false);
    }

    /// Its content, which is exactly as long as it says.
    pub fn content(&self) -> Result<Cow<'a, [u8]>, ZipError> {
        let fault = |fault| ZipError::of(self.name.as_bytes(), fault);
        let content = match self.method {
            DEFLATE => Cow::Owned(inflate(self.data, self.bytes).map_err(fault)?),
            _ => Cow::Borrowed(self.data),
        };
        if crc32fast::hash(&content) == self.crc { Ok(content) } else { Err(fault(Fault::Check)) }
    }
}

/// Unpacks deflated data that must fill exactly `bytes`, and be used up by that.
fn inflate(data: &[u8], bytes: usize) -> Result<Vec<u8>, Fault> {
    // One more, so that the stream's end is read also where nothing comes of it.
    let mut content = Vec::with_capacity(bytes + 1);
    let mut stream = Decompress::new(false);
    let status = stream.decompress_vec(data, &mut content, FlushDecompress::Finish).map_err(|_| Fault::Data)?;
    match status {
        Status::StreamEnd if stream.total_in() != data.len() as u64 => Err(Fault::Data),
        Status::StreamEnd if content.len() != bytes => Err(Fault::Size),
        Status::StreamEnd => Ok(content),
        // It has room left and wants more data, or no room for what it has.
        Status::Ok | Status::BufError if content.len() <= bytes => Err(Fault::Data),
        Status::Ok | Status::BufError => Err(Fault::Size),
    }
}

/// A zip whose every byte belongs to one entry or to the directory, and whose
/// headers agree. The contents are checked when they are read.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    pub(crate) zip: &'a [u8],
    /// In the directory's order.
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) comment: &'a [u8],
}

impl<'a> Package<'a> {
    /// Reads a zip, strictly. Nothing is unpacked yet.
    pub fn read(zip: &'a [u8]) -> Result<Self, ZipError> {
        let end = End::find(zip)?;
        let mut directory = zip.get(end.directory.clone()).unwrap_or_default();
        let mut centrals = Vec::with_capacity(end.entries);
        for _ in 0..end.entries {
            let central = Central::read(directory)?;
            directory = directory.get(central.bytes.len()..).unwrap_or_default();
            centrals.push(central);
        }
        if !directory.is_empty() {
            return Err(ZipError::whole(Fault::Directory));
        }
        let in_bounds = |bytes: u64| match bytes > PACKAGE_UNZIPPED_BYTES_MAX as u64 {
            true => Err(ZipError::whole(Fault::Unzipped)),
            false => Ok(()),
        };
        in_bounds(centrals.iter().map(|central| u64::from(central.unpacked)).sum())?;
        let mut entries = located(zip, &centrals, end.directory.start)?;
        name::distinct(&entries)?;
        links::follow(&mut entries)?;
        in_bounds(entries.iter().map(|entry| entry.bytes as u64).sum())?;
        Ok(Self { zip, entries, comment: zip.get(end.comment).unwrap_or_default() })
    }

    /// Its files, in the order of their names' bytes, without a signature entry.
    pub fn files(&self) -> Vec<&Entry<'a>> {
        let mut files: Vec<_> = self.entries.iter().filter(|entry| !entry.is_folder && !entry.is_signature()).collect();
        files.sort_unstable_by_key(|entry| entry.name.as_bytes());
        files
    }

    /// Unpacks every entry, one at a time, and checks it.
    pub fn check(&self) -> Result<(), ZipError> {
        self.entries.iter().try_for_each(|entry| entry.content().map(drop))
    }

    /// Bytes of all files, unpacked.
    pub fn unpacked_bytes(&self) -> u64 {
        self.entries.iter().filter(|entry| !entry.is_signature()).map(|entry| entry.bytes as u64).sum()
    }
}

/// The entries, each of which begins where the one before it in the file ends.
fn located<'a>(zip: &'a [u8], centrals: &[Central<'a>], end: usize) -> Result<Vec<Entry<'a>>, ZipError> {
    let mut order: Vec<usize> = centrals.iter().map(|central| central.offset).collect();
    order.sort_unstable();
    if order.first().copied().unwrap_or(end) != 0 {
        return Err(ZipError::whole(Fault::Gap));
    }
    let entry = |central: &Central<'a>| {
        let fault = |fault| ZipError::of(central.name, fault);
        let after = order.partition_point(|offset| *offset <= central.offset);
        // Two at one place share their bytes.
        if after.checked_sub(2).and_then(|before| order.get(before)) == Some(&central.offset) {
            return Err(fault(Fault::Overlap));
        }
        let next = order.get(after).copied().unwrap_or(end);
        if next > end {
            return Err(fault(Fault::Overlap));
        }
        Entry::new(zip, central, next)
    };
    centrals.iter().map(entry).collect()
}

//! The records of a zip: end record, central header, local header, data
//! descriptor. Source: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5.

use std::ops::Range;

use crate::bytes::Record;
use crate::error::{Fault, ZipError};

/// Files and folders in one zip. Lambda states no number; the format itself ends
/// at 65,534 without zip64.
pub const ENTRIES_MAX: usize = 50_000;
/// A whole name, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;
/// One part of a name, in bytes: what file systems allow.
pub const PART_BYTES_MAX: usize = 255;
/// Parts of a name.
pub const DEPTH_MAX: usize = 64;

pub(crate) const LOCAL: u32 = 0x0403_4b50;
pub(crate) const CENTRAL: u32 = 0x0201_4b50;
pub(crate) const END: u32 = 0x0605_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;

pub(crate) const LOCAL_BYTES: usize = 30;
pub(crate) const CENTRAL_BYTES: usize = 46;
pub(crate) const END_BYTES: usize = 22;
const ZIP64_LOCATOR_BYTES: usize = 20;
const COMMENT_BYTES_MAX: usize = u16::MAX as usize;

pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATE: u16 = 8;
/// No byte of deflate gives more than this many: 258 for a bit and a bit.
const DEFLATE_RATIO_MAX: u64 = 1_032;

/// Encrypted; strongly encrypted; local header masked.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// How hard deflate tried; sizes follow in a descriptor; the name is UTF-8.
const KNOWN: u16 = 1 << 1 | 1 << 2 | DESCRIBED | 1 << 11;
const DESCRIBED: u16 = 1 << 3;

/// Extra fields that matter: zip64's sizes, Info-ZIP's other name, AES.
const EXTRA_ZIP64: u16 = 0x0001;
const EXTRA_NAME: u16 = 0x7075;
const EXTRA_AES: u16 = 0x9901;

/// The end record.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) entries: usize,
    /// Where the central directory is.
    pub(crate) directory: Range<usize>,
    pub(crate) comment: Range<usize>,
}

impl End {
    /// The only end record that fits the file.
    pub(crate) fn find(zip: &[u8]) -> Result<Self, ZipError> {
        let first = zip.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
        let last = zip.len().checked_sub(END_BYTES).ok_or(ZipError::whole(Fault::NoEnd))?;
        let is_end = |at: &usize| zip.get(*at..).is_some_and(|rest| rest.starts_with(&END.to_le_bytes()));
        let fits = |at: &usize| {
            let comment = Record(zip).u16(at + END_BYTES - 2);
            comment.is_some_and(|length| at + END_BYTES + usize::from(length) == zip.len())
        };
        let mut ends = (first..=last).rev().filter(is_end);
        let at = ends.next().ok_or(ZipError::whole(Fault::NoEnd))?;
        // Some readers take the last one, others the first one that fits.
        let another = ends.any(|at| fits(&at));
        match (fits(&at), another) {
            (true, false) => {}
            (_, true) => return Err(ZipError::whole(Fault::TwoEnds)),
            (false, false) => return Err(ZipError::whole(Fault::Trailing)),
        }
        Self::read(zip, at).map_err(ZipError::whole)
    }

    fn read(zip: &[u8], at: usize) -> Result<Self, Fault> {
        let record = Record(zip.get(at..).ok_or(Fault::NoEnd)?);
        let short = |place| record.u16(place).ok_or(Fault::NoEnd);
        let long = |place| record.u32(place).ok_or(Fault::NoEnd);
        let (disk, directory_disk, here, entries) = (short(4)?, short(6)?, short(8)?, short(10)?);
        let (bytes, start) = (long(12)?, long(16)?);
        let locator = at.checked_sub(ZIP64_LOCATOR_BYTES).and_then(|locator| Record(zip).u32(locator));
        let all_ones = disk == u16::MAX || entries == u16::MAX || bytes == u32::MAX || start == u32::MAX;
        if locator == Some(ZIP64_LOCATOR) || all_ones {
            return Err(Fault::Zip64);
        }
        if disk != 0 || directory_disk != 0 || here != entries {
            return Err(Fault::Parts);
        }
        if usize::from(entries) > ENTRIES_MAX {
            return Err(Fault::Entries);
        }
        let directory = start as usize..at;
        if start as usize > at || directory.len() != bytes as usize {
            return Err(Fault::Directory);
        }
        Ok(Self { entries: entries.into(), directory, comment: at + END_BYTES..zip.len() })
    }
}

/// What both headers say of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Central<'a> {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) unpacked: u32,
    /// Upper half of the external attributes: type and mode where a Unix packed.
    pub(crate) mode: u16,
    /// Of the local header.
    pub(crate) offset: usize,
    pub(crate) name: &'a [u8],
    /// The record's bytes.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Central<'a> {
    /// The record that `directory` begins with, and its own checks.
    pub(crate) fn read(directory: &'a [u8]) -> Result<Self, ZipError> {
        let broken = ZipError::whole(Fault::Record);
        let central = Self::split(directory).ok_or(broken)?;
        let extra_at = CENTRAL_BYTES + central.name.len();
        let extra = Record(directory).u16(30).and_then(|length| central.bytes.get(extra_at..)?.get(..length.into()));
        let checked = central.check().and_then(|()| check_extra(extra.ok_or(Fault::Record)?, central.name));
        checked.map_err(|fault| ZipError::of(central.name, fault))?;
        Ok(central)
    }

    fn split(directory: &'a [u8]) -> Option<Self> {
        let record = Record(directory);
        if record.u32(0)? != CENTRAL {
            return None;
        }
        let lengths = [record.u16(28)?, record.u16(30)?, record.u16(32)?].map(usize::from);
        let bytes = directory.get(..CENTRAL_BYTES + lengths.iter().sum::<usize>())?;
        Some(Self {
            flags: record.u16(8)?,
            method: record.u16(10)?,
            crc: record.u32(16)?,
            packed: record.u32(20)?,
            unpacked: record.u32(24)?,
            mode: record.u16(40)?,
            offset: record.u32(42)? as usize,
            name: bytes.get(CENTRAL_BYTES..)?.get(..lengths[0])?,
            bytes,
        })
    }

    fn check(&self) -> Result<(), Fault> {
        let disk = Record(self.bytes).u16(34);
        if [self.packed, self.unpacked].contains(&u32::MAX)
            || self.offset == u32::MAX as usize
            || disk == Some(u16::MAX)
        {
            return Err(Fault::Zip64);
        }
        if disk != Some(0) {
            return Err(Fault::Parts);
        }
        if self.flags & ENCRYPTED != 0 {
            return Err(Fault::Encrypted);
        }
        if self.flags & !KNOWN != 0 {
            return Err(Fault::Flags);
        }
        match self.method {
            STORED if self.packed != self.unpacked => Err(Fault::Size),
            DEFLATE if u64::from(self.unpacked) > u64::from(self.packed) * DEFLATE_RATIO_MAX => Err(Fault::Ratio),
            STORED | DEFLATE => Ok(()),
            method => Err(Fault::Method(method)),
        }
    }

    /// Compares the local header with this one; answers where the data is, and where
    /// all that belongs to the entry ends. `next` is where the next one begins.
    pub(crate) fn local(&self, zip: &[u8], next: usize) -> Result<(Range<usize>, usize), Fault> {
        let header = zip.get(self.offset..next).ok_or(Fault::Overlap)?;
        let record = Record(header);
        let short = |place| record.u16(place).ok_or(Fault::Record);
        let long = |place| record.u32(place).ok_or(Fault::Record);
        if long(0)? != LOCAL {
            return Err(Fault::Record);
        }
        if short(6)? != self.flags || short(8)? != self.method {
            return Err(Fault::HeadersDiffer);
        }
        let names = LOCAL_BYTES + usize::from(short(26)?);
        if header.get(LOCAL_BYTES..names) != Some(self.name) {
            return Err(Fault::NamesDiffer);
        }
        let data = names + usize::from(short(28)?);
        check_extra(header.get(names..data).ok_or(Fault::Record)?, self.name)?;
        let described = self.flags & DESCRIBED != 0;
        let found = [long(14)?, long(18)?, long(22)?];
        let same = |(own, found): (u32, u32)| own == found || (described && found == 0);
        if ![self.crc, self.packed, self.unpacked].into_iter().zip(found).all(same) {
            return Err(Fault::SizesDiffer);
        }
        let start = self.offset + data;
        let end = start + self.packed as usize;
        if end > next {
            return Err(Fault::Overlap);
        }
        let after = if described { self.descriptor(zip.get(end..next).unwrap_or_default())? } else { 0 };
        Ok((start..end, end + after))
    }

    /// The length of the data descriptor, which is all there is up to the next entry.
    fn descriptor(&self, rest: &[u8]) -> Result<usize, Fault> {
        let values = match rest.len() {
            12 => rest,
            16 if Record(rest).u32(0) == Some(DESCRIPTOR) => rest.get(4..).unwrap_or_default(),
            20 | 24 => return Err(Fault::Zip64),
            _ => return Err(Fault::Gap),
        };
        let own = [self.crc, self.packed, self.unpacked];
        let found = [0, 4, 8].map(|at| Record(values).u32(at).unwrap_or_default());
        if found == own { Ok(rest.len()) } else { Err(Fault::SizesDiffer) }
    }
}

fn check_extra(mut extra: &[u8], name: &[u8]) -> Result<(), Fault> {
    while !extra.is_empty() {
        let record = Record(extra);
        let (kind, length) = (record.u16(0).ok_or(Fault::Extra)?, record.u16(2).ok_or(Fault::Extra)?);
        let body = extra.get(4..).and_then(|rest| rest.get(..length.into())).ok_or(Fault::Extra)?;
        match kind {
            EXTRA_ZIP64 => return Err(Fault::Zip64),
            EXTRA_AES => return Err(Fault::Encrypted),
            // Version, a check of the name, and the name in UTF-8.
            EXTRA_NAME if body.get(5..) != Some(name) => return Err(Fault::OtherName),
            _ => {}
        }
        extra = extra.get(4 + body.len()..).unwrap_or_default();
    }
    Ok(())
}

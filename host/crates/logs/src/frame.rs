//! The bytes of a segment (`host/ARCHITECTURE.md`, "The logs"): its head, and blocks.
//! What is read here was on a disk: nothing in it is believed before its check.

use lamina_types::Timestamp;
use memchr::memmem;

pub(crate) const SEGMENT_MAGIC: &[u8; 8] = b"LAMLOG01";
pub(crate) const BLOCK_MAGIC: &[u8; 4] = b"LBLK";
/// A block before its body: magic, length, check, first number, time taken.
pub(crate) const BLOCK_HEAD: usize = 4 + 4 + 4 + 8 + 8;
/// The longest body: a page of lines and one line more.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;
/// A line before its text: stream, call, time, length.
const LINE_HEAD: usize = 2 + 4 + 8 + 4;
/// Places that are tried for the block after a broken one, so that bytes which look
/// like many blocks cost little.
const TRIES_MAX: usize = 1_000;

/// Why bytes are no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// A reader of little-endian numbers and texts.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Broken("it ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        self.take(N)?.try_into().map_err(|_| Broken("it ends too early"))
    }

    fn u16(&mut self) -> Result<u16, Broken> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, Broken> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, Broken> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.take(length)?).map_err(|_| Broken("a text is not UTF-8"))
    }

    /// Texts with their lengths in two bytes each.
    fn texts(&mut self, count: usize) -> Result<Vec<&'a str>, Broken> {
        // Not more than could be there, whatever the count says.
        let mut texts = Vec::with_capacity(count.min(self.0.len() / 2));
        for _ in 0..count {
            let length = self.u16()?;
            texts.push(self.text(length.into())?);
        }
        Ok(texts)
    }
}

/// The head of a group's segments.
pub(crate) fn head(group: &str) -> Vec<u8> {
    let mut head = SEGMENT_MAGIC.to_vec();
    let length = u16::try_from(group.len()).unwrap_or(u16::MAX);
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(group.as_bytes().get(..length.into()).unwrap_or_default());
    head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    head
}

/// The group that a segment says it is of, and the length of its head.
pub(crate) fn read_head(bytes: &[u8]) -> Result<(&str, usize), Broken> {
    let mut reader = Bytes(bytes);
    if &reader.array::<8>()? != SEGMENT_MAGIC {
        return Err(Broken("it does not begin with LAMLOG01"));
    }
    let length = usize::from(reader.u16()?);
    let name = reader.text(length)?;
    let covered = bytes.get(..8 + 2 + length).unwrap_or_default();
    if reader.u32()? != crc32fast::hash(covered) {
        return Err(Broken("the check of its head does not fit"));
    }
    Ok((name, covered.len() + 4))
}

/// A block whose check fits.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// The number of its first line.
    pub(crate) first_sequence: u64,
    /// When they were taken.
    pub(crate) taken: Timestamp,
    /// Its bytes, the head among them.
    pub(crate) length: usize,
    streams: Vec<&'a str>,
    calls: Vec<&'a str>,
    lines: &'a [u8],
}

/// A line of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) stream: &'a str,
    pub(crate) call: Option<&'a str>,
    pub(crate) message: &'a str,
}

impl<'a> Block<'a> {
    /// The block that begins with these bytes.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut reader = Bytes(bytes);
        if &reader.array::<4>()? != BLOCK_MAGIC {
            return Err(Broken("a block does not begin with LBLK"));
        }
        let (length_bytes, check) = (reader.array::<4>()?, reader.u32()?);
        let body_length = u32::from_le_bytes(length_bytes) as usize;
        if body_length > BODY_BYTES_MAX {
            return Err(Broken("a block is longer than any that was written"));
        }
        let length = BLOCK_HEAD + body_length;
        let covered = bytes.get(12..length).ok_or(Broken("a block ends too early"))?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&length_bytes);
        hasher.update(covered);
        if hasher.finalize() != check {
            return Err(Broken("the check of a block does not fit"));
        }
        let (first_sequence, taken) = (reader.u64()?, Timestamp(reader.u64()?));
        let mut body = Bytes(reader.take(body_length)?);
        let streams = usize::from(body.u16()?);
        let streams = body.texts(streams)?;
        let calls = body.u32()? as usize;
        let calls = body.texts(calls)?;
        Ok(Self { first_sequence, taken, length, streams, calls, lines: body.0 })
    }

    /// Its lines in order, up to the first that is not one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'a>> + '_ {
        let mut rest = Bytes(self.lines);
        let mut sequence = self.first_sequence;
        std::iter::from_fn(move || {
            if rest.0.len() < LINE_HEAD {
                return None;
            }
            let line = self.line(&mut rest, sequence).ok()?;
            sequence = sequence.saturating_add(1);
            Some(line)
        })
    }

    fn line(&self, rest: &mut Bytes<'a>, sequence: u64) -> Result<Line<'a>, Broken> {
        let (stream, call) = (rest.u16()?, rest.u32()?);
        let (time, length) = (rest.u64()?, rest.u32()?);
        let message = rest.text(length as usize)?;
        let stream = self.streams.get(usize::from(stream)).ok_or(Broken("a line has no stream"))?;
        Ok(Line { sequence, time: Timestamp(time), stream, call: self.calls.get(call as usize).copied(), message })
    }
}

/// Where the next block after a broken one begins, from this byte on.
pub(crate) fn next_block(bytes: &[u8], from: usize) -> Option<usize> {
    let mut tries = 0;
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memmem::find(rest, BLOCK_MAGIC)) {
        let begin = at + found;
        if bytes.get(begin..).is_some_and(|rest| Block::read(rest).is_ok()) {
            return Some(begin);
        }
        tries += 1;
        if tries >= TRIES_MAX {
            return None;
        }
        at = begin + 1;
    }
    None
}

#[cfg(test)]
mod tests;

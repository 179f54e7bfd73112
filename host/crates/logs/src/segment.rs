//! A segment as it is known in memory: where in it which lines are.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use lamina_disk::Folder;
use lamina_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::encode::Span;
use crate::error::Damage;
use crate::frame::{self, Block};

/// Blocks that follow one another are one chunk of the index up to so many bytes.
const CHUNK_BYTES: u64 = 64 << 10;
/// The longest segment that is read: far above any that is written.
const SEGMENT_BYTES_READ_MAX: u64 = 1 << 30;
const INDEX_MAGIC: &[u8; 8] = b"LAMIDX01";
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// Blocks that follow one another: the grain of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    first_sequence: u64,
    last_sequence: u64,
    first_time: u64,
    last_time: u64,
}

impl Chunk {
    pub(crate) fn span(&self) -> Span {
        Span {
            first_sequence: self.first_sequence,
            last_sequence: self.last_sequence,
            first_time: Timestamp(self.first_time),
            last_time: Timestamp(self.last_time),
        }
    }

    fn set(&mut self, span: Span) {
        self.first_sequence = span.first_sequence;
        self.last_sequence = span.last_sequence;
        self.first_time = span.first_time.0;
        self.last_time = span.last_time.0;
    }
}

/// A stream's lines in one segment; times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) first_time: u64,
    pub(crate) last_time: u64,
    pub(crate) last_taken: u64,
    pub(crate) last_sequence: u64,
    pub(crate) bytes: u64,
}

impl Summary {
    pub(crate) fn join(&mut self, other: &Self) {
        self.first_time = self.first_time.min(other.first_time);
        self.last_time = self.last_time.max(other.last_time);
        self.last_taken = self.last_taken.max(other.last_taken);
        self.last_sequence = self.last_sequence.max(other.last_sequence);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// The number of its first line: its name.
    pub(crate) number: u64,
    /// Where the next block goes.
    pub(crate) length: u64,
    /// When its first block was taken, in microseconds.
    pub(crate) begun: u64,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) streams: BTreeMap<Arc<str>, Summary>,
    /// Whether its index is on the disk.
    #[serde(skip)]
    pub(crate) indexed: bool,
}

/// The file of a segment.
pub(crate) fn file(number: u64) -> String {
    format!("{number:020}.segment")
}

/// The file of its index.
pub(crate) fn index_file(number: u64) -> String {
    format!("{number:020}.index")
}

impl Segment {
    /// All its lines, if there are any.
    pub(crate) fn span(&self) -> Option<Span> {
        let mut spans = self.chunks.iter().map(Chunk::span);
        let mut all = spans.next()?;
        spans.for_each(|span| all.join(span));
        Some(all)
    }

    /// Takes note of a block that stands at its end.
    pub(crate) fn push(&mut self, block: &Block<'_>) {
        let mut span: Option<Span> = None;
        for line in block.lines() {
            let of = Span::of(line.sequence, line.time);
            span.get_or_insert(of).join(of);
            let one = Summary {
                first_time: line.time.0,
                last_time: line.time.0,
                last_taken: block.taken.0,
                last_sequence: line.sequence,
                bytes: line.message.len() as u64,
            };
            match self.streams.get_mut(line.stream) {
                Some(summary) => summary.join(&one),
                None => {
                    self.streams.insert(line.stream.into(), one);
                }
            }
        }
        let length = block.length as u64;
        if self.chunks.is_empty() {
            self.begun = block.taken.0;
        }
        if let Some(span) = span {
            let at_end = |chunk: &&mut Chunk| chunk.offset + chunk.length == self.length;
            match self.chunks.last_mut().filter(at_end) {
                Some(chunk) if chunk.length + length <= CHUNK_BYTES => {
                    chunk.length += length;
                    let mut joined = chunk.span();
                    joined.join(span);
                    chunk.set(joined);
                }
                _ => {
                    let mut chunk = Chunk {
                        offset: self.length,
                        length,
                        first_sequence: 0,
                        last_sequence: 0,
                        first_time: 0,
                        last_time: 0,
                    };
                    chunk.set(span);
                    self.chunks.push(chunk);
                }
            }
        }
        self.length += length;
    }

    /// Finds out what is in a segment's bytes. What is broken is named; its length is
    /// where the last whole block ends.
    fn scan(number: u64, bytes: &[u8], label: &str, damage: &mut Vec<Damage>) -> Self {
        let mut name = |offset: usize, what: &str| {
            damage.push(Damage { file: label.to_owned(), offset: offset as u64, what: what.to_owned() });
        };
        let mut segment = Self { number, ..Self::default() };
        let mut at = match frame::read_head(bytes) {
            Ok((_, length)) => length,
            Err(broken) => {
                name(0, broken.0);
                0
            }
        };
        segment.length = at as u64;
        // A head whose check does not fit was named already.
        let mut named = at == 0;
        while at < bytes.len() {
            match Block::read(bytes.get(at..).unwrap_or_default()) {
                Ok(block) => {
                    segment.length = at as u64;
                    segment.push(&block);
                    at += block.length;
                    named = false;
                }
                Err(broken) => {
                    if !named {
                        name(at, broken.0);
                        named = true;
                    }
                    match frame::next_block(bytes, at + 1) {
                        Some(next) => at = next,
                        None => break,
                    }
                }
            }
        }
        segment
    }

    /// Reads a segment: by its index where that fits, else from its bytes. `label` is
    /// the group's folder, for messages.
    pub(crate) fn open(folder: &Folder, number: u64, label: &str, damage: &mut Vec<Damage>) -> io::Result<Self> {
        let name = file(number);
        let length = folder.metadata(&name)?.map_or(0, |metadata| metadata.len());
        match Self::read_index(folder, number)? {
            Some(Ok(segment)) if segment.number == number && segment.length == length => return Ok(segment),
            // An index of a file that has grown or shrunk since says nothing.
            None | Some(Ok(_)) => {}
            Some(Err(what)) => damage.push(Damage {
                file: format!("{label}/{}", index_file(number)),
                offset: 0,
                what: format!("{what}; it was made again"),
            }),
        }
        let bytes = folder.read(&name, SEGMENT_BYTES_READ_MAX)?.unwrap_or_default();
        Ok(Self::scan(number, &bytes, &format!("{label}/{name}"), damage))
    }

    fn read_index(folder: &Folder, number: u64) -> io::Result<Option<Result<Self, &'static str>>> {
        let Some(bytes) = folder.read(&index_file(number), INDEX_BYTES_MAX)? else { return Ok(None) };
        Ok(Some(parse_index(&bytes)))
    }

    /// Writes the index beside the segment. Not synced: it is made again when it is
    /// not whole.
    pub(crate) fn write_index(&mut self, folder: &Folder) -> io::Result<()> {
        let json = serde_json::to_vec(&*self)?;
        let mut bytes = INDEX_MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&json).to_le_bytes());
        bytes.extend_from_slice(&json);
        let name = index_file(self.number);
        folder.remove(&name)?;
        folder.create(&name)?.write_at(0, &bytes)?;
        self.indexed = true;
        Ok(())
    }
}

fn parse_index(bytes: &[u8]) -> Result<Segment, &'static str> {
    let rest = bytes.strip_prefix(INDEX_MAGIC).ok_or("it does not begin with LAMIDX01")?;
    let (check, json) = rest.split_at_checked(4).ok_or("it ends too early")?;
    if check != crc32fast::hash(json).to_le_bytes() {
        return Err("its check does not fit");
    }
    let mut segment: Segment = serde_json::from_slice(json).map_err(|_| "it is not what was written")?;
    segment.indexed = true;
    Ok(segment)
}

//! Lines become a block.

use std::collections::HashMap;

use lamina_telemetry::LineRef;
use lamina_types::Timestamp;

use crate::frame::{BLOCK_HEAD, BLOCK_MAGIC};

/// A call's place in a block, of a line that no call wrote.
const NO_CALL: u32 = u32::MAX;

/// What a block says of itself, for the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first_sequence: u64,
    pub(crate) last_sequence: u64,
    /// The least and the greatest time of a line.
    pub(crate) first_time: Timestamp,
    pub(crate) last_time: Timestamp,
}

impl Span {
    pub(crate) fn of(sequence: u64, time: Timestamp) -> Self {
        Self { first_sequence: sequence, last_sequence: sequence, first_time: time, last_time: time }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.first_sequence = self.first_sequence.min(other.first_sequence);
        self.last_sequence = self.last_sequence.max(other.last_sequence);
        self.first_time = self.first_time.min(other.first_time);
        self.last_time = self.last_time.max(other.last_time);
    }
}

/// Texts that lines refer to by their place.
#[derive(Default)]
struct Texts<'a> {
    bytes: Vec<u8>,
    places: HashMap<&'a str, u32>,
    last: Option<(&'a str, u32)>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> u32 {
        if let Some((_, place)) = self.last.filter(|(last, _)| *last == text) {
            return place;
        }
        let next = u32::try_from(self.places.len()).unwrap_or(NO_CALL);
        let place = *self.places.entry(text).or_insert_with(|| {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            self.bytes.extend_from_slice(&length.to_le_bytes());
            self.bytes.extend_from_slice(text.as_bytes().get(..length.into()).unwrap_or_default());
            next
        });
        self.last = Some((text, place));
        place
    }
}

/// The block of these lines, whose numbers rise by one; `None` when there are none.
pub(crate) fn block<'a>(lines: impl Iterator<Item = LineRef<'a>>, taken: Timestamp) -> Option<Vec<u8>> {
    let (mut streams, mut calls) = (Texts::default(), Texts::default());
    let (mut body, mut first_sequence) = (Vec::new(), None);
    for line in lines {
        first_sequence.get_or_insert(line.sequence);
        let stream = u16::try_from(streams.place(line.stream)).unwrap_or(u16::MAX);
        let call = line.call.map_or(NO_CALL, |call| calls.place(call.as_str()));
        let length = u32::try_from(line.message.len()).unwrap_or(u32::MAX);
        body.extend_from_slice(&stream.to_le_bytes());
        body.extend_from_slice(&call.to_le_bytes());
        body.extend_from_slice(&line.time.0.to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(line.message.as_bytes());
    }
    let length = 2 + streams.bytes.len() + 4 + calls.bytes.len() + body.len();
    let mut block = Vec::with_capacity(BLOCK_HEAD + length);
    block.extend_from_slice(BLOCK_MAGIC);
    block.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    block.extend_from_slice(&[0; 4]);
    block.extend_from_slice(&first_sequence?.to_le_bytes());
    block.extend_from_slice(&taken.0.to_le_bytes());
    block.extend_from_slice(&u16::try_from(streams.places.len()).ok()?.to_le_bytes());
    block.extend_from_slice(&streams.bytes);
    block.extend_from_slice(&u32::try_from(calls.places.len()).ok()?.to_le_bytes());
    block.extend_from_slice(&calls.bytes);
    block.extend_from_slice(&body);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(block.get(4..8)?);
    hasher.update(block.get(12..)?);
    let check = hasher.finalize();
    block.get_mut(8..12)?.copy_from_slice(&check.to_le_bytes());
    Some(block)
}

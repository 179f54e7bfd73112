//! Reading lines: what is on the disk, then what is still in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use lamina_kit::Clock;
use lamina_telemetry::{Batch, Logs};
use lamina_types::Timestamp;

use crate::encode::Span;
use crate::error::{Damage, Error};
use crate::frame::{self, Block};
use crate::group::{Group, folder_name};
use crate::pattern::Pattern;
use crate::segment::{self, Chunk, Segment};

/// How long one search with a costly pattern goes on, and one line more: a regular
/// expression may be slow on lines that were written for it.
const COSTLY_MAX: Duration = Duration::from_secs(2);

/// Which streams of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams<'a> {
    /// Every one.
    All,
    /// These.
    Named(&'a [String]),
    /// Those whose names begin so.
    Prefixed(&'a str),
    /// Those whose names begin with one of these.
    AnyPrefix(&'a [String]),
}

impl Streams<'_> {
    /// Whether this one is among them.
    pub fn include(&self, stream: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == stream),
            Self::Prefixed(prefix) => stream.starts_with(prefix),
            Self::AnyPrefix(prefixes) => prefixes.iter().any(|prefix| stream.starts_with(prefix)),
        }
    }
}

/// From where on, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The first lines after this one.
    After(u64),
    /// The last lines before this one.
    Before(u64),
}

/// Which lines are asked for, and how many.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Of which streams.
    pub streams: Streams<'a>,
    /// Not before this, in milliseconds since the Unix epoch.
    pub start_ms: Option<u64>,
    /// Before this, in milliseconds since the Unix epoch.
    pub end_ms: Option<u64>,
    /// That match.
    pub pattern: Option<&'a Pattern>,
    /// That this call wrote, or that name it.
    pub call: Option<&'a str>,
    /// From where on.
    pub from: Position,
    /// So many at most.
    pub lines_max: usize,
    /// So many bytes of text, and one line more.
    pub bytes_max: usize,
    /// So many bytes of the disk are read at most, and one chunk more.
    pub scan_bytes_max: u64,
}

impl<'a> Query<'a> {
    /// The first lines of a group, without any condition.
    pub fn all(lines_max: usize) -> Query<'a> {
        Query {
            streams: Streams::All,
            start_ms: None,
            end_ms: None,
            pattern: None,
            call: None,
            from: Position::After(0),
            lines_max,
            bytes_max: usize::MAX,
            scan_bytes_max: u64::MAX,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Rises with every line of its group; never given again.
    pub sequence: u64,
    /// When it was written.
    pub time: Timestamp,
    /// When it was kept; for one that is not yet, when it was written.
    pub taken: Timestamp,
    /// Its stream.
    pub stream: Arc<str>,
    /// The call that wrote it, if one did.
    pub call: Option<Box<str>>,
    /// The text.
    pub message: Box<str>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of their numbers.
    pub events: Vec<Event>,
    /// The number of the last line that was looked at: where to go on.
    pub reached: u64,
    /// Whether the bounds ended it, so that more may follow.
    pub more: bool,
    /// What could not be read.
    pub damage: Vec<Damage>,
}

/// A group as it is at one moment.
pub(crate) struct Snapshot {
    group: Arc<Group>,
    segments: Vec<Arc<Segment>>,
    memory: Vec<Batch>,
    deleted: BTreeMap<String, u64>,
    cutoff: Option<Timestamp>,
}

impl Snapshot {
    pub(crate) fn of(group: Arc<Group>, logs: &Logs, now: Timestamp) -> Self {
        let state = group.lock();
        let segments = state.segments.iter().cloned().collect();
        let (mut memory, mut last) = (Vec::new(), state.last_sequence);
        // While the group is held nothing goes from memory to the disk.
        while let Some(batch) = logs.peek(&group.name, last) {
            last = batch.last_sequence();
            memory.push(batch);
        }
        let (deleted, cutoff) = (state.meta.deleted.clone(), state.cutoff(now));
        drop(state);
        Self { group, segments, memory, deleted, cutoff }
    }

    /// The lines that are asked for.
    pub(crate) fn read(&self, query: &Query<'_>, clock: &dyn Clock) -> Result<Found, Error> {
        let start =
            query.start_ms.map_or(Timestamp(0), Timestamp::from_millis).max(self.cutoff.unwrap_or(Timestamp(0)));
        let reached = match query.from {
            Position::After(number) | Position::Before(number) => number,
        };
        let found = Found { reached, ..Found::default() };
        let is_costly = query.pattern.is_some_and(|pattern| pattern.is_costly);
        let until = is_costly.then(|| (clock, clock.monotonic().saturating_add(COSTLY_MAX)));
        let deleted = &self.deleted;
        let mut reading = Reading { query, start, deleted, found, text: 0, scanned: 0, until, looked: false };
        match query.from {
            Position::After(_) => self.forward(&mut reading)?,
            Position::Before(_) => {
                self.backward(&mut reading)?;
                reading.found.events.reverse();
            }
        }
        Ok(reading.found)
    }

    fn forward(&self, reading: &mut Reading<'_>) -> Result<(), Error> {
        for segment in &self.segments {
            if segment.span().is_none_or(|span| !reading.wants(span)) {
                continue;
            }
            let Some(mut file) = self.file(segment)? else { continue };
            for chunk in segment.chunks.iter() {
                if !reading.wants(chunk.span()) {
                    continue;
                }
                self.chunk(&mut file, chunk, reading, false)?;
                if reading.found.more {
                    return Ok(());
                }
            }
        }
        for line in self.memory.iter().flat_map(Batch::lines) {
            let line = frame::Line {
                sequence: line.sequence,
                time: line.time,
                stream: line.stream,
                call: line.call.map(lamina_types::RequestId::as_str),
                message: line.message,
            };
            if !reading.take(&line, line.time) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn backward(&self, reading: &mut Reading<'_>) -> Result<(), Error> {
        for batch in self.memory.iter().rev() {
            let lines: Vec<_> = batch.lines().collect();
            for line in lines.iter().rev() {
                let line = frame::Line {
                    sequence: line.sequence,
                    time: line.time,
                    stream: line.stream,
                    call: line.call.map(lamina_types::RequestId::as_str),
                    message: line.message,
                };
                if !reading.take(&line, line.time) {
                    return Ok(());
                }
            }
        }
        for segment in self.segments.iter().rev() {
            if segment.span().is_none_or(|span| !reading.wants(span)) {
                continue;
            }
            let Some(mut file) = self.file(segment)? else { continue };
            for chunk in segment.chunks.iter().rev() {
                if !reading.wants(chunk.span()) {
                    continue;
                }
                self.chunk(&mut file, chunk, reading, true)?;
                if reading.found.more {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// `None` when it was removed since: its lines are past their bounds.
    fn file(&self, segment: &Segment) -> Result<Option<Open>, Error> {
        let name = segment::file(segment.number);
        let label = format!("logs/{}/{name}", folder_name(&self.group.name));
        match self.group.folder.dir().open(&name) {
            Ok(file) => Ok(Some(Open { file: file.into_std(), label, bytes: Vec::new() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { what: format!("opening {label}"), source }),
        }
    }

    fn chunk(&self, open: &mut Open, chunk: &Chunk, reading: &mut Reading<'_>, reverse: bool) -> Result<(), Error> {
        let Open { file, label, bytes } = open;
        bytes.resize(usize::try_from(chunk.length).unwrap_or(0), 0);
        if let Err(source) = file.read_exact_at(bytes, chunk.offset) {
            if source.kind() == io::ErrorKind::UnexpectedEof {
                let what = "lines that were there are cut off".to_owned();
                reading.found.damage.push(Damage { file: label.clone(), offset: chunk.offset, what });
                return Ok(());
            }
            return Err(Error::Io { what: format!("reading {label}"), source });
        }
        reading.scanned += chunk.length;
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            match Block::read(bytes.get(at..).unwrap_or_default()) {
                Ok(block) => {
                    at += block.length;
                    blocks.push(block);
                }
                Err(broken) => {
                    let offset = chunk.offset + at as u64;
                    reading.found.damage.push(Damage { file: label.clone(), offset, what: broken.0.to_owned() });
                    match frame::next_block(bytes, at + 1) {
                        Some(next) => at = next,
                        None => break,
                    }
                }
            }
        }
        if reverse {
            for block in blocks.iter().rev() {
                let lines: Vec<_> = block.lines().collect();
                if !lines.iter().rev().all(|line| reading.take(line, block.taken)) {
                    return Ok(());
                }
            }
        } else if !blocks.iter().all(|block| block.lines().all(|line| reading.take(&line, block.taken))) {
            return Ok(());
        }
        if reading.scanned >= reading.query.scan_bytes_max {
            reading.found.more = true;
        }
        Ok(())
    }
}

/// A segment that is being read.
struct Open {
    file: File,
    label: String,
    bytes: Vec<u8>,
}

struct Reading<'q> {
    query: &'q Query<'q>,
    start: Timestamp,
    deleted: &'q BTreeMap<String, u64>,
    found: Found,
    text: usize,
    scanned: u64,
    /// When it ends, if its pattern is costly.
    until: Option<(&'q dyn Clock, Duration)>,
    /// Whether it has looked at a line.
    looked: bool,
}

impl Reading<'_> {
    fn beyond(&self, sequence: u64) -> bool {
        match self.query.from {
            Position::After(number) => sequence > number,
            Position::Before(number) => sequence < number,
        }
    }

    /// Whether any line of these may be asked for.
    fn wants(&self, span: Span) -> bool {
        let far = match self.query.from {
            Position::After(_) => span.last_sequence,
            Position::Before(_) => span.first_sequence,
        };
        self.beyond(far)
            && span.last_time >= self.start
            && self.query.end_ms.is_none_or(|end| span.first_time.millis() < end)
    }

    /// Takes a line if it is asked for. Whether to go on.
    fn take(&mut self, line: &frame::Line<'_>, taken: Timestamp) -> bool {
        if !self.beyond(line.sequence) {
            return true;
        }
        let is_late = || self.looked && self.until.is_some_and(|(clock, until)| clock.monotonic() > until);
        if self.found.events.len() >= self.query.lines_max || self.text >= self.query.bytes_max || is_late() {
            self.found.more = true;
            return false;
        }
        self.looked = true;
        self.found.reached = line.sequence;
        if self.matches(line) {
            self.text += line.message.len();
            // Most often the one of the line before.
            let stream = match self.found.events.last() {
                Some(last) if &*last.stream == line.stream => last.stream.clone(),
                _ => line.stream.into(),
            };
            self.found.events.push(Event {
                sequence: line.sequence,
                time: line.time,
                taken,
                stream,
                call: line.call.map(Into::into),
                message: line.message.into(),
            });
        }
        true
    }

    fn matches(&self, line: &frame::Line<'_>) -> bool {
        let query = self.query;
        line.time >= self.start
            && query.end_ms.is_none_or(|end| line.time.millis() < end)
            && query.streams.include(line.stream)
            && self.deleted.get(line.stream).is_none_or(|through| line.sequence > *through)
            && query.call.is_none_or(|call| line.call == Some(call) || line.message.contains(call))
            && query.pattern.is_none_or(|pattern| pattern.matches(line.message))
    }
}

//! One group: its segments, what it is besides, and how lines get into it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lamina_disk::Folder;
use lamina_telemetry::{Batch, LineRef, Logs};
use lamina_types::{Digest, Timestamp};

use crate::config::Config;
use crate::encode;
use crate::error::Damage;
use crate::frame::{self, Block};
use crate::meta::Meta;
use crate::segment::{self, Segment};

/// A segment is ended after so long, so that retention is not late by more.
const SEGMENT_AGE_MICROS: u64 = 86_400_000_000;
const DAY_MICROS: u64 = 86_400_000_000;
/// Batches that are taken at a time from one group, before others have their turn.
const BATCHES_AT_A_TIME: usize = 16;

/// See the module.
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    pub(crate) folder: Folder,
    state: Mutex<State>,
}

/// What is known of it; held while lines are written, never while they are read.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) meta: Meta,
    /// Oldest first.
    pub(crate) segments: VecDeque<Arc<Segment>>,
    /// Of the segments.
    pub(crate) bytes: u64,
    pub(crate) last_sequence: u64,
    /// When a line was written last.
    pub(crate) written: u64,
    /// Whether somebody has removed it: lines go to another of its name.
    pub(crate) removed: bool,
}

/// What an append needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
}

/// The folder of a group: names of groups hold slashes, and are too long.
pub(crate) fn folder_name(group: &str) -> String {
    Digest::of(group.as_bytes()).to_string().chars().take(32).collect()
}

impl Group {
    /// A new group; its file is on the disk when this returns.
    pub(crate) fn create(name: &str, root: &Folder, now: Timestamp) -> io::Result<Self> {
        let folder = root.folder(&folder_name(name))?;
        let meta = Meta { name: name.to_owned(), created_ms: now.millis(), ..Meta::default() };
        meta.write(&folder)?;
        let state = State { meta, written: now.0, ..State::default() };
        Ok(Self { name: name.into(), folder, state: Mutex::new(state) })
    }

    /// The group in this folder; `None` when nothing in it says which it is.
    pub(crate) fn open(root: &Folder, id: &str, damage: &mut Vec<Damage>) -> io::Result<Option<Self>> {
        let folder = root.existing(id)?;
        let label = format!("logs/{id}");
        let numbers: Vec<u64> = folder
            .names(".")?
            .iter()
            .filter_map(|name| name.strip_suffix(".segment").filter(|digits| digits.len() == 20)?.parse().ok())
            .collect();
        let meta = match Meta::read(&folder)? {
            Ok(meta) => meta,
            Err(what) => {
                let named = numbers.iter().find_map(|number| named_by(&folder, *number));
                let then = if named.is_some() { "made again, without retention" } else { "the folder is left alone" };
                let what = format!("{what}; {then}");
                damage.push(Damage { file: format!("{label}/group"), offset: 0, what });
                let Some(name) = named else { return Ok(None) };
                let meta = Meta { name, ..Meta::default() };
                meta.write(&folder)?;
                meta
            }
        };
        let mut state = State { meta, ..State::default() };
        for number in numbers {
            let segment = Segment::open(&folder, number, &label, damage)?;
            state.bytes += segment.length;
            state.last_sequence = state.last_sequence.max(segment.span().map_or(0, |span| span.last_sequence));
            state.written = segment.streams.values().map(|stream| stream.last_taken).max().unwrap_or(state.written);
            state.segments.push_back(Arc::new(segment));
        }
        cut(&folder, &mut state, &label, damage)?;
        let name = state.meta.name.as_str().into();
        Ok(Some(Self { name, folder, state: Mutex::new(state) }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the rings have. Answers whether there may be more; `None` when the
    /// group was removed. What could not be written stays where it is.
    pub(crate) fn drain(&self, logs: &Logs, bounds: impl Fn() -> Bounds) -> io::Result<Option<bool>> {
        let mut state = self.lock();
        if state.removed {
            return Ok(None);
        }
        for _ in 0..BATCHES_AT_A_TIME {
            let Some(batch) = logs.batch(&self.name, state.last_sequence) else { return Ok(Some(false)) };
            // Taken after the batch: no line in it is younger than when it was kept.
            let lost = self.append(&mut state, &batch, bounds())?;
            // Those that went with their group were counted when it did.
            if batch.evicted().is_none() {
                logs.said_lost(lost);
            }
            logs.release(&self.name, state.last_sequence, batch.lost);
        }
        Ok(Some(true))
    }

    /// Writes the lines of a batch, and before them how many were lost, which it answers.
    fn append(&self, state: &mut State, batch: &Batch, bounds: Bounds) -> io::Result<u64> {
        let next = state.last_sequence.saturating_add(1);
        let said = match (batch.lines().next(), batch.evicted()) {
            // It has the number of the last of them.
            (Some(first), _) => LineRef { sequence: first.sequence.saturating_sub(1), call: None, ..first },
            (None, Some(last)) => last,
            (None, None) => return Ok(0),
        };
        // Some of them may have been kept before they went.
        let lost = batch.lost.min(said.sequence.saturating_add(1).saturating_sub(next));
        if lost > 0 {
            let why = match batch.evicted() {
                None => "written faster than they could be kept",
                Some(_) => "as they could not be kept, and there was no more room in memory",
            };
            let text = format!("LAMINA log lines lost: {lost}, {why}");
            let said = LineRef { message: &text, ..said };
            self.write(state, encode::block(std::iter::once(said), bounds.now), bounds)?;
            // Not again, should the rest fail.
            state.last_sequence = said.sequence;
        }
        self.write(state, encode::block(batch.lines(), bounds.now), bounds)?;
        state.last_sequence = state.last_sequence.max(batch.last_sequence());
        state.written = bounds.now.0;
        Ok(lost)
    }

    /// Appends a block to the last segment, or to a new one. When it fails, what was
    /// written of it is written over by the next.
    fn write(&self, state: &mut State, block: Option<Vec<u8>>, bounds: Bounds) -> io::Result<()> {
        let Some(bytes) = block else { return Ok(()) };
        let block = Block::read(&bytes).map_err(|broken| io::Error::other(broken.0))?;
        self.end_if_due(state, bounds)?;
        let folder = &self.folder;
        let segment = match state.segments.back_mut() {
            Some(segment) if !is_ended(segment, bounds) => segment,
            _ => {
                let number = block.first_sequence;
                let head = frame::head(&self.name);
                // What a failed attempt left.
                folder.remove(&segment::file(number))?;
                folder.create(&segment::file(number))?.write_at(0, &head)?;
                let new = Segment { number, length: head.len() as u64, ..Segment::default() };
                state.bytes += new.length;
                state.segments.push_back(Arc::new(new));
                let Some(segment) = state.segments.back_mut() else { return Ok(()) };
                segment
            }
        };
        if segment.indexed {
            folder.remove(&segment::index_file(segment.number))?;
        }
        folder.edit(&segment::file(segment.number))?.write_at(segment.length, &bytes)?;
        let segment = Arc::make_mut(segment);
        segment.indexed = false;
        segment.push(&block);
        state.bytes += bytes.len() as u64;
        while state.bytes > bounds.config.group_bytes_max && state.segments.len() > 1 {
            self.remove_oldest(state)?;
        }
        Ok(())
    }

    /// Writes the index of a segment that nothing is appended to any more.
    fn end_if_due(&self, state: &mut State, bounds: Bounds) -> io::Result<()> {
        if let Some(segment) = state.segments.back_mut().filter(|segment| is_ended(segment, bounds) && !segment.indexed)
        {
            Arc::make_mut(segment).write_index(&self.folder)?;
        }
        Ok(())
    }

    /// Writes the index of the last segment, so that the next start need not read it.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.lock();
        match state.segments.back_mut().filter(|segment| !segment.indexed) {
            Some(segment) => {
                self.folder.edit(&segment::file(segment.number))?.sync()?;
                Arc::make_mut(segment).write_index(&self.folder)
            }
            None => Ok(()),
        }
    }

    /// Removes the oldest segment. The bytes that this gives back.
    pub(crate) fn remove_oldest(&self, state: &mut State) -> io::Result<u64> {
        let Some(oldest) = state.segments.front() else { return Ok(0) };
        self.folder.remove(&segment::index_file(oldest.number))?;
        self.folder.remove(&segment::file(oldest.number))?;
        let length = oldest.length;
        let last = oldest.span().map_or(0, |span| span.last_sequence);
        state.segments.pop_front();
        state.bytes = state.bytes.saturating_sub(length);
        // What was said of lines that are gone needs no saying.
        let gone = |through: &u64| *through <= last;
        if state.meta.deleted.values().any(gone) {
            state.meta.deleted.retain(|_, through| !gone(through));
            state.meta.write(&self.folder)?;
        }
        Ok(length)
    }

    /// Removes segments whose lines are all past the group's retention.
    pub(crate) fn expire(&self, now: Timestamp) -> io::Result<()> {
        let mut state = self.lock();
        let Some(cutoff) = state.cutoff(now) else { return Ok(()) };
        while !state.removed {
            let oldest = state.segments.front().and_then(|segment| segment.span());
            if oldest.is_none_or(|span| span.last_time >= cutoff) {
                break;
            }
            self.remove_oldest(&mut state)?;
        }
        Ok(())
    }
}

impl State {
    /// Lines before this are past the retention.
    pub(crate) fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        let days = u64::from(self.meta.retention_days?);
        Some(Timestamp(now.0.saturating_sub(days.saturating_mul(DAY_MICROS))))
    }

    /// Every stream, and what is known of its lines.
    pub(crate) fn streams(&self) -> BTreeMap<Arc<str>, Option<segment::Summary>> {
        let mut streams: BTreeMap<Arc<str>, Option<segment::Summary>> =
            self.meta.streams.keys().map(|name| (name.as_str().into(), None)).collect();
        for (name, summary) in self.segments.iter().flat_map(|segment| &segment.streams) {
            let deleted = self.meta.deleted.get(&**name).is_some_and(|through| summary.last_sequence <= *through);
            if deleted {
                continue;
            }
            match streams.entry(name.clone()).or_default() {
                Some(all) => all.join(summary),
                none => *none = Some(*summary),
            }
        }
        streams
    }
}

fn is_ended(segment: &Segment, bounds: Bounds) -> bool {
    segment.length >= bounds.config.segment_bytes_max
        || (!segment.chunks.is_empty() && bounds.now.0.saturating_sub(segment.begun) > SEGMENT_AGE_MICROS)
}

/// The group that a segment's head names.
fn named_by(folder: &Folder, number: u64) -> Option<String> {
    let bytes = folder.read(&segment::file(number), u64::MAX).ok().flatten()?;
    frame::read_head(&bytes).ok().map(|(name, _)| name.to_owned())
}

/// Cuts away what a write that was cut off left at the end of the last segment.
fn cut(folder: &Folder, state: &mut State, label: &str, damage: &mut Vec<Damage>) -> io::Result<()> {
    let Some(segment) = state.segments.back() else { return Ok(()) };
    let (number, length) = (segment.number, segment.length);
    let name = segment::file(number);
    let found = folder.metadata(&name)?.map_or(0, |metadata| metadata.len());
    let mut say = |what: String| damage.push(Damage { file: format!("{label}/{name}"), offset: length, what });
    if segment.chunks.is_empty() && length == 0 {
        // Not even its head is whole: nothing can be appended to it.
        say(format!("no line in it is whole; its {found} bytes were removed"));
        folder.remove(&segment::index_file(number))?;
        folder.remove(&name)?;
        state.segments.pop_back();
    } else if found > length {
        say(format!("a write that was cut off; its {} bytes were cut away", found - length));
        folder.edit(&name)?.set_len(length)?;
    }
    Ok(())
}

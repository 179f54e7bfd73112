//! The lines of one log group, oldest first, in a few buffers that are used again:
//! a line costs its bytes and no allocation of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use lamina_types::{RequestId, Timestamp};

use super::dropped::Evicted;
use super::ring::LogEvent;

/// The bounds are kept in steps of this part of them.
const PAGES: usize = 16;
/// Calls of a page that are looked at before one is written again: those whose lines
/// alternate.
const CALLS_LOOKED_AT: usize = 8;
/// What a line of no call has for its call.
const NO_CALL: u32 = u32::MAX;

/// Bounds of what is kept; of the bytes one line more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lines_max: usize,
    pub(super) bytes_max: usize,
}

/// Whose line it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) stream: &'a Arc<str>,
    pub(crate) call: Option<&'a RequestId>,
}

/// A run of lines.
#[derive(Debug, Default, Clone)]
pub(super) struct Page {
    /// The sequence number of the first line.
    first: u64,
    text: String,
    lines: Vec<Line>,
    /// The log streams of the lines; most often one.
    streams: Vec<Arc<str>>,
    /// The calls of the lines; one can be there twice.
    calls: Vec<RequestId>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    time: Timestamp,
    /// Where its text ends.
    end: usize,
    stream: u32,
    call: u32,
}

/// All that is kept of a group.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: VecDeque<Page>,
    /// An empty one, to be used again.
    spare: Option<Page>,
    lines: usize,
    bytes: usize,
    last_sequence: u64,
    /// The number of the last line that was written, 0 before the first.
    last_written: u64,
    /// Lines that went before they were released.
    lost: u64,
}

/// One line of a [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'a> {
    /// See [`LogEvent`].
    pub sequence: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The log stream.
    pub stream: &'a Arc<str>,
    /// The call that wrote it, if one did.
    pub call: Option<&'a RequestId>,
    /// The text, without its newline.
    pub message: &'a str,
}

/// A copy of some lines of a group, in order.
#[derive(Debug, Clone)]
pub struct Batch {
    page: Page,
    skip: usize,
    /// Lines that went before anybody took them, because they came too fast.
    pub lost: u64,
    /// When and where the last of them was written, if there are no lines because all
    /// went with their group: see [`Batch::evicted`].
    gone: Option<(Timestamp, Arc<str>)>,
}

impl Batch {
    /// Its lines; their sequence numbers rise by one.
    pub fn lines(&self) -> impl Iterator<Item = LineRef<'_>> {
        (self.skip..self.page.lines.len()).filter_map(|at| self.page.line(at))
    }

    /// No lines, but what is to be said of those that went with their group: so many, of
    /// which the last had this number.
    pub(super) fn of_evicted(gone: &Evicted) -> Self {
        let Evicted { lines, last_sequence, time, stream } = gone;
        let page = Page { first: last_sequence + 1, ..Page::default() };
        Self { page, skip: 0, lost: *lines, gone: Some((*time, stream.clone())) }
    }

    /// When its lines went with their group: the last of them, without its text.
    pub fn evicted(&self) -> Option<LineRef<'_>> {
        let (time, stream) = self.gone.as_ref()?;
        Some(LineRef { sequence: self.last_sequence(), time: *time, stream, call: None, message: "" })
    }

    /// The last line's sequence number.
    pub fn last_sequence(&self) -> u64 {
        (self.page.first + self.page.lines.len() as u64).saturating_sub(1)
    }
}

impl Page {
    fn fits(&self, bounds: Bounds) -> bool {
        self.lines.len() < (bounds.lines_max / PAGES).max(1) && self.text.len() < bounds.bytes_max / PAGES
    }

    fn stream(&mut self, stream: &Arc<str>) -> u32 {
        let known = self.streams.iter().rposition(|known| Arc::ptr_eq(known, stream) || known == stream);
        let at = known.unwrap_or_else(|| {
            self.streams.push(stream.clone());
            self.streams.len() - 1
        });
        index(at)
    }

    fn call(&mut self, call: Option<&RequestId>) -> u32 {
        let Some(call) = call else { return NO_CALL };
        let known = self.calls.iter().rev().take(CALLS_LOOKED_AT).position(|known| known == call);
        let at = match known {
            Some(back) => self.calls.len() - 1 - back,
            None => {
                self.calls.push(call.clone());
                self.calls.len() - 1
            }
        };
        index(at)
    }

    fn text(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.lines.get(before)).map_or(0, |line| line.end);
        let end = self.lines.get(at).map_or(start, |line| line.end);
        self.text.get(start..end).unwrap_or_default()
    }

    fn line(&self, at: usize) -> Option<LineRef<'_>> {
        let line = self.lines.get(at)?;
        Some(LineRef {
            sequence: self.first + at as u64,
            time: line.time,
            stream: self.streams.get(line.stream as usize)?,
            call: self.calls.get(line.call as usize),
            message: self.text(at),
        })
    }

    fn event(&self, at: usize) -> Option<LogEvent> {
        let LineRef { sequence, time, stream, message, .. } = self.line(at)?;
        Some(LogEvent { sequence, time, stream: stream.clone(), message: message.into() })
    }

    fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
        self.streams.clear();
        self.calls.clear();
    }
}

/// A page has far fewer lines.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NO_CALL)
}

impl Pages {
    /// Empty ones, whose first line has the number after this one.
    pub(super) fn after_sequence(floor: u64) -> Self {
        Self { last_sequence: floor, ..Self::default() }
    }

    /// Adds the line that `write` writes, and answers it.
    pub(super) fn push(
        &mut self,
        bounds: Bounds,
        time: Timestamp,
        origin: Origin<'_>,
        write: impl FnOnce(&mut String),
    ) -> &str {
        if !self.pages.back().is_some_and(|page| page.fits(bounds)) {
            let page = self.recycled(bounds);
            self.pages.push_back(page);
        }
        self.last_sequence += 1;
        self.last_written = self.last_sequence;
        let Some(page) = self.pages.back_mut() else { return "" };
        let before = page.text.len();
        write(&mut page.text);
        let (stream, call) = (page.stream(origin.stream), page.call(origin.call));
        page.lines.push(Line { time, end: page.text.len(), stream, call });
        self.lines += 1;
        self.bytes += page.text.len() - before;
        page.text.get(before..).unwrap_or_default()
    }

    /// An empty page: the spare one, or the oldest one's buffers when the bounds say
    /// that it goes.
    fn recycled(&mut self, bounds: Bounds) -> Page {
        let mut freed = self.spare.take();
        let page_lines = (bounds.lines_max / PAGES).max(1);
        while self.lines + page_lines > bounds.lines_max || self.bytes + bounds.bytes_max / PAGES > bounds.bytes_max {
            let Some(oldest) = self.pages.pop_front() else { break };
            self.lines -= oldest.lines.len();
            self.bytes -= oldest.text.len();
            self.lost += oldest.lines.len() as u64;
            freed = Some(oldest);
        }
        let mut page = freed.unwrap_or_default();
        page.first = self.last_sequence + 1;
        page.clear();
        page
    }

    /// The number of the newest line, 0 when none was written here: numbers may begin
    /// far above what a reader has seen.
    pub(super) fn last_written(&self) -> u64 {
        self.last_written
    }

    /// The number of the newest line, or the one before the first.
    pub(super) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// The lines after this number, oldest first.
    pub(super) fn after(&self, sequence: u64) -> impl Iterator<Item = LogEvent> + '_ {
        self.pages.iter().flat_map(move |page| {
            let skip = usize::try_from(sequence.saturating_sub(page.first - 1)).unwrap_or(usize::MAX);
            (skip.min(page.lines.len())..page.lines.len()).filter_map(|at| page.event(at))
        })
    }

    /// A copy of the first lines after this number that stand together; at most a
    /// page of them.
    pub(super) fn batch(&self, sequence: u64) -> Option<Batch> {
        let page = self.pages.iter().find(|page| page.first + page.lines.len() as u64 > sequence.saturating_add(1))?;
        let skip = usize::try_from((sequence + 1).saturating_sub(page.first)).unwrap_or(usize::MAX);
        Some(Batch { page: page.clone(), skip, lost: self.lost, gone: None })
    }

    /// Forgets the pages whose lines all have numbers up to this one, and that many
    /// of the lost lines: somebody has kept the ones and said the others.
    pub(super) fn release(&mut self, through: u64, lost: u64) {
        self.lost = self.lost.saturating_sub(lost);
        while self.pages.front().is_some_and(|page| page.first + page.lines.len() as u64 <= through.saturating_add(1)) {
            let Some(mut page) = self.pages.pop_front() else { break };
            self.lines -= page.lines.len();
            self.bytes -= page.text.len();
            page.clear();
            self.spare = Some(page);
        }
    }

    /// Whether there is no line.
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// What goes when these do, if anything does.
    pub(super) fn evicted(&self) -> Option<Evicted> {
        let page = self.pages.back()?;
        let last = page.line(page.lines.len().checked_sub(1)?)?;
        let lines = self.lost.saturating_add(self.lines as u64);
        Some(Evicted { lines, last_sequence: self.last_sequence, time: last.time, stream: last.stream.clone() })
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bounds: Bounds, lines: u64) -> Pages {
        let mut pages = Pages::default();
        for at in 1..=lines {
            let stream: Arc<str> = if at % 3 == 0 { "b" } else { "a" }.into();
            let text = pages.push(bounds, Timestamp(at), Origin { stream: &stream, call: None }, |text| {
                text.push_str(&format!("line {at}"));
            });
            assert_eq!(text, format!("line {at}"));
        }
        pages
    }

    #[test]
    fn the_newest_lines_are_kept_and_the_bounds_too() {
        for (lines_max, bytes_max) in [(1, 1 << 20), (10, 1 << 20), (100, 1 << 20), (1 << 20, 640), (1 << 20, 1)] {
            let bounds = Bounds { lines_max, bytes_max };
            for lines in [0, 1, 9, 10, 11, 99, 1_000] {
                let pages = filled(bounds, lines);
                let events: Vec<_> = pages.after(0).collect();
                let expect = lines + 1 - events.len() as u64..=lines;
                assert!(events.iter().map(|event| event.sequence).eq(expect), "{bounds:?} {lines}");
                let bytes = events.iter().map(|event| event.message.len()).sum::<usize>();
                assert!(events.len() <= lines_max && bytes < bytes_max + "line 1000".len(), "{bounds:?}");
                assert!(lines == 0 || !events.is_empty(), "{bounds:?}");
                for event in events {
                    assert_eq!(event.message.as_ref(), format!("line {}", event.sequence));
                    assert_eq!(event.stream.as_ref(), if event.sequence % 3 == 0 { "b" } else { "a" });
                    assert_eq!(event.time, Timestamp(event.sequence));
                }
            }
        }
    }

    #[test]
    fn reading_starts_after_a_number() {
        let pages = filled(Bounds { lines_max: 64, bytes_max: 1 << 20 }, 100);
        for sequence in [0, 36, 37, 50, 99, 100, 101, u64::MAX] {
            let expect = (sequence.max(36).saturating_add(1)).min(101);
            let first = pages.after(sequence).next().map_or(101, |event| event.sequence);
            assert!(first >= expect.min(101) && (sequence < 40 || first == expect), "{sequence}: {first}");
        }
    }
}

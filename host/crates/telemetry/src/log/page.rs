//! The lines of one log group, oldest first, in a few buffers that are used again:
//! a line costs its bytes and no allocation of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use lamina_types::Timestamp;

use super::ring::LogEvent;

/// The bounds are kept in steps of this part of them.
const PAGES: usize = 16;

/// Bounds of what is kept; of the bytes one line more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lines_max: usize,
    pub(super) bytes_max: usize,
}

/// A run of lines.
#[derive(Debug, Default)]
struct Page {
    /// The sequence number of the first line.
    first: u64,
    text: String,
    lines: Vec<Line>,
    /// The log streams of the lines; most often one.
    streams: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Line {
    time: Timestamp,
    /// Where its text ends.
    end: usize,
    stream: usize,
}

/// All that is kept of a group.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: VecDeque<Page>,
    lines: usize,
    bytes: usize,
    last_sequence: u64,
}

impl Page {
    fn fits(&self, bounds: Bounds) -> bool {
        self.lines.len() < (bounds.lines_max / PAGES).max(1) && self.text.len() < bounds.bytes_max / PAGES
    }

    fn stream(&mut self, stream: &Arc<str>) -> usize {
        if let Some(at) = self.streams.iter().rposition(|known| Arc::ptr_eq(known, stream) || known == stream) {
            return at;
        }
        self.streams.push(stream.clone());
        self.streams.len() - 1
    }

    fn text(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.lines.get(before)).map_or(0, |line| line.end);
        let end = self.lines.get(at).map_or(start, |line| line.end);
        self.text.get(start..end).unwrap_or_default()
    }

    fn event(&self, at: usize) -> Option<LogEvent> {
        let line = self.lines.get(at)?;
        Some(LogEvent {
            sequence: self.first + at as u64,
            time: line.time,
            stream: self.streams.get(line.stream)?.clone(),
            message: self.text(at).into(),
        })
    }
}

impl Pages {
    /// Adds the line that `write` writes, and answers it.
    pub(super) fn push(
        &mut self,
        bounds: Bounds,
        time: Timestamp,
        stream: &Arc<str>,
        write: impl FnOnce(&mut String),
    ) -> &str {
        if !self.pages.back().is_some_and(|page| page.fits(bounds)) {
            let page = self.recycled(bounds);
            self.pages.push_back(page);
        }
        self.last_sequence += 1;
        let Some(page) = self.pages.back_mut() else { return "" };
        let before = page.text.len();
        write(&mut page.text);
        let stream = page.stream(stream);
        page.lines.push(Line { time, end: page.text.len(), stream });
        self.lines += 1;
        self.bytes += page.text.len() - before;
        page.text.get(before..).unwrap_or_default()
    }

    /// An empty page: the oldest one's buffers when the bounds say that it goes.
    fn recycled(&mut self, bounds: Bounds) -> Page {
        let mut freed = None;
        let page_lines = (bounds.lines_max / PAGES).max(1);
        while self.lines + page_lines > bounds.lines_max || self.bytes + bounds.bytes_max / PAGES > bounds.bytes_max {
            let Some(oldest) = self.pages.pop_front() else { break };
            self.lines -= oldest.lines.len();
            self.bytes -= oldest.text.len();
            freed = Some(oldest);
        }
        let mut page = freed.unwrap_or_default();
        page.first = self.last_sequence + 1;
        page.text.clear();
        page.lines.clear();
        page.streams.clear();
        page
    }

    /// The number of the newest line, 0 when there was none.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bounds: Bounds, lines: u64) -> Pages {
        let mut pages = Pages::default();
        for at in 1..=lines {
            let stream: Arc<str> = if at % 3 == 0 { "b" } else { "a" }.into();
            let text = pages.push(bounds, Timestamp(at), &stream, |text| text.push_str(&format!("line {at}")));
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

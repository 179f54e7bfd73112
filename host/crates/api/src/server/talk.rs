//! What an HTTP/2 client says beside its requests: pings, settings, windows,
//! priorities, resets. Each is cheap for it and makes us work, so that there is a
//! rate at which they may come; h2 has none.
//!
//! Only the heads of frames are looked at (RFC 9113, section 4.1); whether frames
//! are what they should be is h2's to say.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes before the first frame.
const PREFACE_BYTES: usize = 24;
const HEAD_BYTES: usize = 9;
/// Frames in a period. A client that only reads may send one for each KiB besides.
const FRAMES_MAX: u64 = 2_000;
const PERIOD: Duration = Duration::from_secs(10);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

/// One client's side of a connection, from its preface on.
#[derive(Debug)]
pub(super) struct Talk {
    /// Bytes that belong to what was looked at already.
    skip: usize,
    /// The beginning of a frame's head, so many bytes of it.
    head: [u8; HEAD_BYTES],
    filled: usize,
    /// Frames that may still come.
    credit: u64,
    /// Since when.
    since: Instant,
    /// Bytes of answers that have not been counted as a KiB.
    written: usize,
}

impl Talk {
    pub(super) fn new() -> Self {
        let head = [0; HEAD_BYTES];
        Self { skip: PREFACE_BYTES, head, filled: 0, credit: FRAMES_MAX, since: Instant::now(), written: 0 }
    }

    /// Looks at what came; whether that is not too much.
    pub(super) fn has_read(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            for (to, from) in self.head.iter_mut().skip(self.filled).zip(bytes) {
                *to = *from;
            }
            let taken = (HEAD_BYTES - self.filled).min(bytes.len());
            self.filled += taken;
            bytes = bytes.get(taken..).unwrap_or_default();
            if self.filled == HEAD_BYTES && !self.frame() {
                return false;
            }
        }
        true
    }

    /// Counts the frame whose head is there.
    fn frame(&mut self) -> bool {
        let [high, middle, low, kind, ..] = self.head;
        self.filled = 0;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        // These have bounds of their own.
        if matches!(kind, DATA | HEADERS | CONTINUATION) {
            return true;
        }
        if self.credit == 0 {
            let now = Instant::now();
            if now - self.since < PERIOD {
                return false;
            }
            (self.since, self.credit) = (now, FRAMES_MAX);
        }
        self.credit -= 1;
        true
    }

    /// So many bytes were written: a client that takes them opens windows.
    pub(super) fn has_written(&mut self, bytes: usize) {
        self.written = self.written.saturating_add(bytes);
        let credit = u64::try_from(self.written >> 10).unwrap_or(u64::MAX);
        self.credit = self.credit.saturating_add(credit).min(FRAMES_MAX);
        self.written &= 1_023;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 0], &vec![6; payload]].concat()
    }

    fn talk() -> Talk {
        let mut talk = Talk::new();
        assert!(talk.has_read(&[0; PREFACE_BYTES]));
        talk
    }

    #[test]
    fn frames_are_counted_in_whatever_pieces_they_come() {
        let bytes = [frame(6, 8), frame(DATA, 300), frame(HEADERS, 70_000), frame(4, 0), frame(8, 4)].concat();
        for size in [1, 2, 8, 9, 10, 1_000, bytes.len()] {
            let mut talk = talk();
            assert!(bytes.chunks(size).all(|piece| talk.has_read(piece)));
            assert_eq!((talk.credit, talk.skip, talk.filled), (FRAMES_MAX - 3, 0, 0), "{size}");
        }
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut talk = talk();
        let most = usize::try_from(FRAMES_MAX).unwrap();
        assert!(talk.has_read(&frame(6, 8).repeat(most)));
        assert!(talk.has_read(&frame(DATA, 1).repeat(most)), "a body is no talk");
        talk.has_written(2_500);
        talk.has_written(600);
        assert!(talk.has_read(&frame(8, 4).repeat(3)), "a window for each KiB");
        assert!(!talk.has_read(&frame(8, 4)));
    }

    #[test]
    fn another_period_begins_anew() {
        let mut talk = talk();
        let most = usize::try_from(FRAMES_MAX).unwrap();
        assert!(talk.has_read(&frame(6, 8).repeat(most)));
        talk.since -= PERIOD;
        assert!(talk.has_read(&frame(6, 8).repeat(most)));
        assert!(!talk.has_read(&frame(6, 8)));
    }
}

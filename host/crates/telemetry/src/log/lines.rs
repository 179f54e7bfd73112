//! A guest's bytes become lines: split at newlines, bounded in length.

use std::borrow::Cow;

/// Splits one output stream of one call. A line longer than the bound is cut,
/// and the cut is said at its end.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    cut: u64,
}

impl Lines {
    /// Takes bytes and hands every completed line to `emit`.
    pub(crate) fn write(&mut self, mut bytes: &[u8], line_bytes_max: usize, mut emit: impl FnMut(&str)) {
        while let Some(at) = bytes.iter().position(|&b| b == b'\n') {
            let (line, rest) = bytes.split_at(at);
            if self.partial.is_empty() && self.cut == 0 && line.len() <= line_bytes_max {
                emit(&text(line));
            } else {
                self.push(line, line_bytes_max);
                emit(&self.take());
            }
            bytes = &rest[1..];
        }
        self.push(bytes, line_bytes_max);
    }

    /// Hands out what was written after the last newline, if anything.
    pub(crate) fn finish(&mut self, emit: impl FnOnce(&str)) {
        if !self.partial.is_empty() || self.cut > 0 {
            emit(&self.take());
        }
    }

    fn push(&mut self, bytes: &[u8], line_bytes_max: usize) {
        let room = line_bytes_max.saturating_sub(self.partial.len()).min(bytes.len());
        self.partial.extend_from_slice(&bytes[..room]);
        self.cut += (bytes.len() - room) as u64;
    }

    fn take(&mut self) -> String {
        let line = std::mem::take(&mut self.partial);
        match std::mem::take(&mut self.cut) {
            0 => text(&line).into_owned(),
            cut => format!("{} [truncated: {cut} more bytes]", String::from_utf8_lossy(strip(&line))),
        }
    }
}

fn strip(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn text(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(strip(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(writes: &[&[u8]], expect: &[&str]) {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for bytes in writes {
            lines.write(bytes, 8, |line| seen.push(line.to_string()));
        }
        lines.finish(|line| seen.push(line.to_string()));
        assert_eq!(seen, expect, "{writes:?}");
    }

    #[test]
    fn lines() {
        check(&[b"a\nb\n"], &["a", "b"]);
        check(&[b"a", b"b\n", b"c"], &["ab", "c"]);
        check(&[b"\n\n"], &["", ""]);
        check(&[b"a\r\n"], &["a"]);
        check(&[b""], &[]);
        check(&[b"12345678\n"], &["12345678"]);
        check(&[b"123456789\nx\n"], &["12345678 [truncated: 1 more bytes]", "x"]);
        check(&[b"12345", b"67890", b"12345\n"], &["12345678 [truncated: 7 more bytes]"]);
        check(&[b"\xff\n"], &["\u{fffd}"]);
        check(&[b"a\n", b"123456789"], &["a", "12345678 [truncated: 1 more bytes]"]);
    }
}

//! Stack traces in the author's own files: source maps, read when an error is reported.
//!
//! The format is that of ECMA-426. Maps of maps (`sections`) are not read.

use std::collections::HashMap;

use serde_json::Value;

use crate::package::files;

/// Longest map that is read, and how much of a file's end is searched for its name.
const MAP_BYTES_MAX: usize = 16 << 20;
const TAIL_BYTES: usize = 16 << 20;
/// Files whose maps one report looks at.
const FILES_MAX: usize = 64;

/// What the frames of our own scripts lie in.
const OURS: &str = "at node:internal/lamina/";
const OURS_NAMED: &str = "(node:internal/lamina/";
/// What follows the last frame on its line where an error is shown with its members, or
/// within another value.
const AFTER: [char; 5] = [' ', '{', '}', ']', ','];

/// A text with stack traces in it, with the places of their frames mapped, and without
/// our own frames.
pub(crate) fn mapped(text: &str) -> String {
    if !text.contains("    at ") {
        return text.to_owned();
    }
    let mut maps = HashMap::new();
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let (place, after) = line.split_at(line.trim_end_matches(AFTER).len());
        if !line.contains(OURS) && !line.contains(OURS_NAMED) {
            lines.push(frame(place, &mut maps).map_or_else(|| line.to_owned(), |frame| frame + after));
        } else if let Some(last) = lines.last_mut() {
            last.push_str(after);
        }
    }
    lines.join("\n")
}

/// A line of a stack trace with its place mapped; `None` where it has none.
fn frame(line: &str, maps: &mut HashMap<String, Option<Map>>) -> Option<String> {
    let rest = line.trim_start().strip_prefix("at ")?;
    let (place, ends) = match rest.rfind('(') {
        Some(at) => (rest.get(at + 1..)?.strip_suffix(')')?, true),
        None => (rest, false),
    };
    let (file, row, column) = position(place)?;
    let url = file.starts_with("file://");
    let path = if url { files::from_url(file)? } else { file.starts_with('/').then(|| file.to_owned())? };
    if !maps.contains_key(&path) && maps.len() >= FILES_MAX {
        return None;
    }
    let map = maps.entry(path.clone()).or_insert_with(|| Map::of(&path)).as_ref()?;
    let (source, row, column) = map.find(row.checked_sub(1)?, column.saturating_sub(1))?;
    let source = if url && source.starts_with('/') { files::to_url(&source) } else { source };
    let head = line.strip_suffix(if ends { ")" } else { "" })?.strip_suffix(place)?;
    Some(format!("{head}{source}:{}:{}{}", row + 1, column + 1, if ends { ")" } else { "" }))
}

/// `FILE:LINE:COLUMN`, taken apart.
fn position(place: &str) -> Option<(&str, u32, u32)> {
    let (rest, column) = place.rsplit_once(':')?;
    let (file, row) = rest.rsplit_once(':')?;
    Some((file, row.parse().ok()?, column.parse().ok()?))
}

struct Map {
    sources: Vec<String>,
    mappings: String,
}

impl Map {
    /// The map that a file names in its last comment of that kind.
    fn of(path: &str) -> Option<Self> {
        let source = files::read(path)?;
        let tail = source.get(source.len().saturating_sub(TAIL_BYTES)..)?;
        let name = named(tail)?;
        let (bytes, base) = match name.strip_prefix("data:") {
            Some(data) => (data_url(data)?, path.to_owned()),
            None => {
                let at = files::join(files::parent(path)?, &files::unescape(&name)?);
                (files::read(&at).filter(|bytes| bytes.len() <= MAP_BYTES_MAX)?, at)
            }
        };
        Self::parse(&bytes, &base)
    }

    /// `base` is the path that sources are relative to.
    fn parse(bytes: &[u8], base: &str) -> Option<Self> {
        let text = bytes.strip_prefix(b")]}'\n").unwrap_or(bytes);
        let mut value: Value = serde_json::from_slice(text).ok()?;
        let Value::String(mappings) = value.get_mut("mappings")?.take() else { return None };
        let root = value.get("sourceRoot").and_then(Value::as_str).unwrap_or_default();
        let folder = files::parent(base)?;
        let sources = value.get("sources")?.as_array()?.iter().map(|source| {
            let source = source.as_str().unwrap_or_default();
            let source =
                if root.is_empty() { source.to_owned() } else { format!("{}/{source}", root.trim_end_matches('/')) };
            match (files::from_url(&source), source.contains("://")) {
                (Some(path), _) => path,
                // `webpack://name/./src/a.ts` and the like are no paths: as they are.
                (None, true) => source,
                (None, false) => files::join(folder, &source),
            }
        });
        Some(Self { sources: sources.collect(), mappings })
    }

    /// The place in a source that a line and column stand for, all from 0.
    fn find(&self, row: u32, column: u32) -> Option<(String, u32, u32)> {
        let (mut source, mut source_row, mut source_column) = (0_i64, 0_i64, 0_i64);
        let mut best = None;
        for (at, line) in self.mappings.split(';').enumerate() {
            let mut generated = 0_i64;
            for segment in line.split(',').filter(|segment| !segment.is_empty()) {
                let mut numbers = Numbers(segment.as_bytes());
                generated += numbers.next()?;
                let place = match (numbers.next(), numbers.next(), numbers.next()) {
                    (Some(source_by), Some(row_by), Some(column_by)) => {
                        source += source_by;
                        source_row += row_by;
                        source_column += column_by;
                        Some((source, source_row, source_column))
                    }
                    _ => None,
                };
                if at == row as usize && generated <= i64::from(column) {
                    best = place;
                }
            }
            if at == row as usize {
                break;
            }
        }
        let (source, row, column) = best?;
        let name = self.sources.get(usize::try_from(source).ok()?)?;
        Some((name.clone(), u32::try_from(row).ok()?, u32::try_from(column).ok()?))
    }
}

/// The last `//# sourceMappingURL=` of a source.
fn named(source: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"sourceMappingURL=";
    let at = source.windows(MARK.len()).rposition(|window| window == MARK)?;
    let before = source.get(at.checked_sub(4)?..at)?;
    if ![b"//# ", b"//@ ", b"/*# "].contains(&before.try_into().ok()?) {
        return None;
    }
    let rest = source.get(at + MARK.len()..)?;
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'*').unwrap_or(rest.len());
    String::from_utf8(rest.get(..end)?.to_vec()).ok()
}

/// What stands in a `data:` URL, its scheme taken off.
fn data_url(data: &str) -> Option<Vec<u8>> {
    let (kind, content) = data.split_once(',')?;
    if !kind.ends_with(";base64") {
        return files::unescape(content).map(String::into_bytes);
    }
    let mut bytes = Vec::with_capacity(content.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in content.bytes().filter(|byte| *byte != b'=') {
        bits = (bits << 6) | u32::from(digit(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Numbers in base 64, five bits a digit, the sign in the lowest bit.
struct Numbers<'a>(&'a [u8]);

impl Iterator for Numbers<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let (mut value, mut shift) = (0_i64, 0_u32);
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = i64::from(digit(*first)?);
            value |= (bits & 31).checked_shl(shift)?;
            if bits & 32 == 0 {
                break;
            }
            shift += 5;
            if shift > 40 {
                return None;
            }
        }
        Some(if value & 1 == 1 { -(value >> 1) } else { value >> 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"version":3,"sources":["../src/index.ts"],"names":[],"mappings":"AAAA;AACA,SAAS;;IAEL"}"#;

    #[test]
    fn places_are_mapped() {
        let map = Map::parse(MAP.as_bytes(), "/var/task/dist/index.js.map").expect("a map");
        for (row, column, expected) in [(0, 0, (0, 0)), (1, 0, (1, 0)), (1, 9, (1, 9)), (3, 4, (3, 4))] {
            assert_eq!(map.find(row, column), Some(("/var/task/src/index.ts".to_owned(), expected.0, expected.1)));
        }
        assert_eq!(map.find(2, 0), None);
        assert_eq!(map.find(9, 0), None);
    }

    #[test]
    fn maps_are_found_by_their_comment() {
        assert_eq!(named(b"x\n//# sourceMappingURL=a.js.map\n").as_deref(), Some("a.js.map"));
        assert_eq!(named(b"x('sourceMappingURL=a')"), None);
        assert_eq!(data_url("application/json;base64,eyJ2IjozfQ==").as_deref(), Some(&br#"{"v":3}"#[..]));
        assert_eq!(data_url("application/json,%7B%7D").as_deref(), Some(&b"{}"[..]));
    }

    #[test]
    fn lines_without_a_map_stay() {
        let text = "Error: x\n    at f (/no/such.js:1:2)\n    at node:internal/a:1:1\n    at (";
        assert_eq!(mapped(text), text);
    }

    #[test]
    fn what_follows_a_frame_of_ours_stays() {
        let text = "Error: x\n    at f (/a.js:1:2)\n    at g (node:internal/lamina/invoke:1:2)\n    at node:internal/lamina/a:1:2 {\n  code: 1\n}";
        assert_eq!(mapped(text), "Error: x\n    at f (/a.js:1:2) {\n  code: 1\n}");
        let text = "[\n  Error: x\n      at f (/a.js:1:2)\n      at node:internal/lamina/a:1:2,\n  1\n]";
        assert_eq!(mapped(text), "[\n  Error: x\n      at f (/a.js:1:2),\n  1\n]");
    }

    #[test]
    fn nothing_panics_on_a_broken_map() {
        for mappings in ["////////////////;", "A", ",,,;;;", "\u{e9}", "ggggggggggggggggggggggA", "AAAA;AACA,SAAS"] {
            let map = Map { sources: vec!["/a".to_owned()], mappings: mappings.to_owned() };
            for row in 0..3 {
                map.find(row, 5);
            }
        }
    }
}

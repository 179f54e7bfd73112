//! A small JSON writer: straight into one buffer, no tree, for the hot path.

/// Appends `text` as a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    content(out, text);
    out.push(b'"');
}

/// Appends the inside of a JSON string. Runs without escapes are copied whole.
pub(super) fn content(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(start..at).unwrap_or_default());
        start = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
    }
    out.extend_from_slice(bytes.get(start..).unwrap_or_default());
}

/// Appends bytes that are probably text as a JSON string's inside; what is no
/// UTF-8 becomes replacement characters.
pub(super) fn lossy_content(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => content(out, text),
        Err(_) => content(out, &String::from_utf8_lossy(bytes)),
    }
}

/// `,"name":"value"`, for a name that needs no escapes.
pub(super) fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    string(out, value);
}

/// JSON without the white space between its tokens.
pub(super) fn compact(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let (mut inside, mut escaped) = (false, false);
    for byte in json {
        if inside {
            out.push(*byte);
            match (escaped, byte) {
                (true, _) => escaped = false,
                (false, b'\\') => escaped = true,
                (false, b'"') => inside = false,
                (false, _) => {}
            }
        } else if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            inside = *byte == b'"';
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back() {
        for text in ["", "a", "\"", "\\", "a\nb\r\t\u{1}\u{1f}", "\u{e4}\u{1f600}\u{7f}"] {
            let mut out = Vec::new();
            string(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn white_space_goes() {
        assert_eq!(compact(b" { \"a b\" : [ 1 , \"\\\" x\" ] } "), b"{\"a b\":[1,\"\\\" x\"]}");
    }
}

//! Text to bytes and back.

use rquickjs::{Ctx, Object, Result};

use super::bytes::{self, Bytes};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "utf8Encode" => utf8_encode,
        "utf8Length" => |text: String| text.len(),
        "utf8Decode" => utf8_decode,
        "utf8DecodeFatal" => utf8_decode_fatal,
        "latin1Encode" => latin1_encode,
        "latin1Decode" => latin1_decode,
        "hexEncode" => hex_encode,
        "hexDecode" => hex_decode,
        "base64Encode" => base64_encode,
        "base64Decode" => base64_decode,
        "find" => find,
        "findLast" => find_last,
        "compare" => compare,
    )
}

fn utf8_encode<'js>(ctx: Ctx<'js>, text: String) -> Result<Bytes<'js>> {
    bytes::new(&ctx, text.into_bytes())
}

fn utf8_decode(bytes: Bytes<'_>) -> String {
    bytes::with(&bytes, |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn utf8_decode_fatal(bytes: Bytes<'_>) -> Option<String> {
    bytes::with(&bytes, |bytes| std::str::from_utf8(bytes).ok().map(str::to_owned))
}

/// The low byte of each UTF-16 unit.
fn latin1_encode<'js>(ctx: Ctx<'js>, text: String) -> Result<Bytes<'js>> {
    bytes::new(&ctx, text.encode_utf16().map(|unit| unit as u8).collect())
}

fn latin1_decode(bytes: Bytes<'_>) -> String {
    bytes::with(&bytes, |bytes| bytes.iter().map(|&byte| char::from(byte)).collect())
}

fn hex_encode(bytes: Bytes<'_>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes::with(&bytes, |bytes| {
        let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
        bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect()
    })
}

/// Up to the first pair that is no hexadecimal, as Node reads it.
fn hex_decode<'js>(ctx: Ctx<'js>, text: String) -> Result<Bytes<'js>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks_exact(2);
    bytes::new(&ctx, pairs.map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect())
}

fn base64_encode(bytes: Bytes<'_>, url: bool) -> String {
    const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let alphabet = if url { URL } else { PLAIN };
    bytes::with(&bytes, |bytes| {
        let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                if place <= chunk.len() {
                    text.push(char::from(alphabet[(bits >> (18 - 6 * place) & 63) as usize]));
                } else if !url {
                    text.push('=');
                }
            }
        }
        text
    })
}

/// Both alphabets; what is in neither is passed over, as Node does; ends at `=`.
fn base64_decode<'js>(ctx: Ctx<'js>, text: String) -> Result<Bytes<'js>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    bytes::new(&ctx, out)
}

/// Where `needle` first is in `bytes`, from `start`; -1 if nowhere.
fn find(bytes: Bytes<'_>, needle: Bytes<'_>, start: usize, step: usize) -> i64 {
    bytes::with(&bytes, |bytes| {
        bytes::with(&needle, |needle| {
            let last = bytes.len().checked_sub(needle.len());
            let found =
                last.and_then(|last| (start..=last).step_by(step.max(1)).find(|&at| bytes[at..].starts_with(needle)));
            found.map_or(-1, |at| at as i64)
        })
    })
}

/// Where `needle` last is in `bytes`, at `start` or before.
fn find_last(bytes: Bytes<'_>, needle: Bytes<'_>, start: usize) -> i64 {
    bytes::with(&bytes, |bytes| {
        bytes::with(&needle, |needle| {
            let last = bytes.len().checked_sub(needle.len());
            let found = last.and_then(|last| (0..=start.min(last)).rev().find(|&at| bytes[at..].starts_with(needle)));
            found.map_or(-1, |at| at as i64)
        })
    })
}

fn compare(left: Bytes<'_>, right: Bytes<'_>) -> i32 {
    bytes::with(&left, |left| bytes::with(&right, |right| left.cmp(right) as i32))
}

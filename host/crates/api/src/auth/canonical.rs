//! The canonical request of signature version 4 (reference 2).

use http::HeaderMap;
use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};

use super::sigv4::{AuthError, PathMode, SignedParts};

/// What is left out of a presigned query before it is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Omit {
    /// Nothing: the signature is in a header.
    Nothing,
    /// The signature.
    Signature,
    /// The signature and the token: some signers add the token afterwards.
    SignatureAndToken,
}

/// The hash of the canonical request, in hexadecimal.
pub(super) fn hash(
    parts: &SignedParts<'_>,
    path: PathMode,
    signed_headers: &str,
    omit: Omit,
    payload_hash: &str,
) -> Result<String, AuthError> {
    let mut hasher = Sha256::new();
    hasher.update(parts.method);
    hasher.update("\n");
    hasher.update(canonical_path(parts.path, path));
    hasher.update("\n");
    hasher.update(canonical_query(parts.query, omit));
    hasher.update("\n");
    for name in signed_headers.split(';') {
        hasher.update(canonical_header(name, parts.headers)?);
    }
    hasher.update("\n");
    hasher.update(signed_headers);
    hasher.update("\n");
    hasher.update(payload_hash);
    Ok(hex::encode(hasher.finalize()))
}

fn canonical_path(path: &str, mode: PathMode) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    match mode {
        PathMode::AsSent if path.is_empty() => out.push('/'),
        PathMode::AsSent => encode(path.as_bytes(), b"/", &mut out),
        PathMode::Normalised => {
            let mut segments: Vec<&str> = Vec::new();
            for segment in path.split('/') {
                match segment {
                    "" | "." => {}
                    ".." => {
                        segments.pop();
                    }
                    segment => segments.push(segment),
                }
            }
            for segment in &segments {
                out.push('/');
                encode(segment.as_bytes(), b"", &mut out);
            }
            let folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
            if folder || out.is_empty() {
                out.push('/');
            }
        }
    }
    out
}

fn canonical_query(query: &str, omit: Omit) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| match omit {
            Omit::Nothing => true,
            Omit::Signature => *name != "X-Amz-Signature",
            Omit::SignatureAndToken => *name != "X-Amz-Signature" && *name != "X-Amz-Security-Token",
        })
        .map(|(name, value)| (encoded_again(name), encoded_again(value)))
        .collect();
    pairs.sort_unstable();
    let mut out = String::with_capacity(query.len() + 16);
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&name);
        out.push('=');
        out.push_str(&value);
    }
    out
}

/// The one encoding that signers agree on, whatever the wire used.
fn encoded_again(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len());
    let decoded: Vec<u8> = percent_decode(piece.as_bytes()).collect();
    encode(&decoded, b"", &mut out);
    out
}

fn encode(bytes: &[u8], also_plain: &[u8], out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) || also_plain.contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// `name:value\n`, repeats joined by commas, runs of spaces as one.
fn canonical_header(name: &str, headers: &HeaderMap) -> Result<Vec<u8>, AuthError> {
    let mut line = Vec::with_capacity(64);
    line.extend_from_slice(name.as_bytes());
    line.push(b':');
    let mut values = headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Err(AuthError::Incomplete(format!("the signed header '{name}' is not in the request")));
    }
    for (at, value) in values.enumerate() {
        if at > 0 {
            line.push(b',');
        }
        let words = value.as_bytes().split(|b| *b == b' ' || *b == b'\t').filter(|word| !word.is_empty());
        for (at, word) in words.enumerate() {
            if at > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(word);
        }
    }
    line.push(b'\n');
    Ok(line)
}

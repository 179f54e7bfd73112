//! An entry, and the line that it is in the log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::chain::Fault;
use crate::error::Error;

/// The longest line, in bytes, with its newline.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// The `prev` of the first line.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";
/// What a line has after the bytes that are hashed.
const SUFFIX_BYTES: usize = BEFORE_HASH.len() + NO_HASH.len() + AFTER_HASH.len();

/// What somebody did. As JSON it is a line without `prev` and `hash`; a whole line
/// can be read as an entry, which checks nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: from 1, without gaps.
    pub n: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// Who.
    pub principal: String,
    /// The id of the request that it was done by, if it was one.
    pub request: Option<String>,
    /// What was done.
    pub action: String,
    /// To what, and how.
    pub detail: Map<String, Value>,
}

impl Entry {
    /// Whether its line is short enough. One that is not can never be appended, so
    /// this is to be asked before the entry becomes part of a transaction.
    pub fn check(&self) -> Result<(), Error> {
        self.line(NO_HASH).map(drop)
    }

    /// Its line, with the newline.
    pub(crate) fn line(&self, prev: &str) -> Result<Line, Error> {
        let body = Body {
            n: self.n,
            at: self.at,
            principal: Cow::Borrowed(&self.principal),
            request: self.request.as_deref().map(Cow::Borrowed),
            action: Cow::Borrowed(&self.action),
            detail: &self.detail,
            prev: Cow::Borrowed(prev),
        };
        let mut text = serde_json::to_string(&body).map_err(|error| Error::Entry { n: self.n, source: error })?;
        text.truncate(text.len().saturating_sub(1));
        let hash = hash(text.as_bytes());
        for part in [BEFORE_HASH, &hash, AFTER_HASH, "\n"] {
            text.push_str(part);
        }
        if text.len() > LINE_BYTES_MAX {
            return Err(Error::TooLong { n: self.n, bytes: text.len(), max: LINE_BYTES_MAX });
        }
        Ok(Line { text, hash })
    }
}

/// A line that was made.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) hash: String,
}

/// A line up to its hash. `D` is the detail: what it says when one is made, its
/// bytes when one is read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a, D> {
    n: u64,
    at: u64,
    #[serde(borrow)]
    principal: Cow<'a, str>,
    request: Option<Cow<'a, str>>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    detail: D,
    #[serde(borrow)]
    prev: Cow<'a, str>,
}

/// How a line that was read is linked.
pub(crate) struct Links {
    pub(crate) n: u64,
    pub(crate) prev: String,
    pub(crate) hash: String,
}

impl Links {
    /// Reads a line, without its newline, which must have the one form that the log
    /// writes, and its own hash.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Fault> {
        if line.len() >= LINE_BYTES_MAX {
            return Err(Fault::TooLong);
        }
        let line = std::str::from_utf8(line).map_err(|_| Fault::Form)?;
        let at = line.len().checked_sub(SUFFIX_BYTES).ok_or(Fault::Form)?;
        let (hashed, suffix) = line.split_at_checked(at).ok_or(Fault::Form)?;
        let own = suffix.strip_prefix(BEFORE_HASH).and_then(|rest| rest.strip_suffix(AFTER_HASH)).ok_or(Fault::Form)?;
        let text = format!("{hashed}}}");
        let body: Body<'_, &RawValue> = serde_json::from_str(&text).map_err(|_| Fault::Form)?;
        let again = serde_json::to_string(&body).map_err(|_| Fault::Form)?;
        if again != text || !is_tight_object(body.detail.get()) {
            return Err(Fault::Form);
        }
        if own != hash(hashed.as_bytes()) {
            return Err(Fault::Hash);
        }
        Ok(Self { n: body.n, prev: body.prev.into_owned(), hash: own.to_owned() })
    }
}

/// Whether this JSON is an object without white space. Not compared with what it
/// would be if it were made again: a number may have two forms, and the order of
/// members is the writer's.
fn is_tight_object(json: &str) -> bool {
    let (mut is_text, mut is_escaped) = (false, false);
    let has_space = json.bytes().any(|byte| {
        let is_space = !is_text && byte.is_ascii_whitespace();
        is_text ^= byte == b'"' && !is_escaped;
        is_escaped = is_text && byte == b'\\' && !is_escaped;
        is_space
    });
    json.starts_with('{') && !has_space
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(detail: &str) -> Entry {
        Entry {
            n: 1,
            at: 1_764_000_000_123,
            principal: "AKIA\"X".to_owned(),
            request: None,
            action: "TrustAdded".to_owned(),
            detail: serde_json::from_str(detail).unwrap(),
        }
    }

    // The hash was computed by another program.
    #[test]
    fn a_line_has_the_documented_form() {
        let line = entry("{\"key\":\"00ff\",\"name\":null}").line(NO_HASH).unwrap();
        let expect = concat!(
            "{\"n\":1,\"at\":1764000000123,\"principal\":\"AKIA\\\"X\",\"request\":null,\"action\":\"TrustAdded\",",
            "\"detail\":{\"key\":\"00ff\",\"name\":null},",
            "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",",
            "\"hash\":\"916af46bbdf2b748af71403acec8446fcd8c2add19ff7b956233b217ddacfb3f\"}\n",
        );
        assert_eq!(line.text, expect);
        let links = Links::parse(line.text.trim_end().as_bytes()).unwrap();
        assert_eq!((links.n, links.prev.as_str(), &links.hash), (1, NO_HASH, &line.hash));
        let again: Entry = serde_json::from_str(&line.text).unwrap();
        assert_eq!(again, entry("{\"key\":\"00ff\",\"name\":null}"));
    }

    /// A line with this text before its hash, which fits.
    fn hashed(text: &str) -> String {
        format!("{text},\"hash\":\"{}\"}}", hash(text.as_bytes()))
    }

    #[test]
    fn a_line_has_one_form() {
        const GOOD: &str = "{\"n\":1,\"at\":2,\"principal\":\"p q\",\"request\":null,\"action\":\"a\",\
                            \"detail\":{\"z\":[1e3,{\"b c\":\"\\\" d\"}],\"a\":0.10},\"prev\":\"00\"";
        let check = |from: &str, to: &str, expect: Option<Fault>| {
            assert!(GOOD.contains(from), "{from}");
            let line = hashed(&GOOD.replace(from, to));
            assert_eq!(Links::parse(line.as_bytes()).err(), expect, "{from} -> {to}");
        };
        check("p q", "p  q", None);
        check("null", "\"r\"", None);
        check(",\"prev\"", ",\"prev\"", None);
        for (from, to) in [
            ("{\"n\"", " {\"n\""),
            ("\"n\":1", "\"n\": 1"),
            ("\"n\":1", "\"n\":01"),
            ("\"n\":1", "\"n\":1.0"),
            ("\"n\":1", "\"n\":-1"),
            ("\"n\":1", "\"n\":18446744073709551616"),
            ("\"n\":1,\"at\":2", "\"at\":2,\"n\":1"),
            ("\"n\":1", "\"n\":1,\"n\":1"),
            ("\"n\":1", "\"n\":1,\"more\":1"),
            ("\"request\":null,", ""),
            ("p q", "p\\u0020q"),
            ("\"action\":\"a\"", "\"action\":null"),
            ("[1e3", "[ 1e3"),
            ("0.10}", "0.10 }"),
            ("0.10}", "0.10},\"detail\":{}"),
            ("\"detail\":", "\"detail\": "),
            ("\"detail\":{\"z\":[1e3,{\"b c\":\"\\\" d\"}],\"a\":0.10}", "\"detail\":[]"),
            ("\"prev\":\"00\"", "\"prev\":\"00\" "),
        ] {
            check(from, to, Some(Fault::Form));
        }
        for cut in 0..hashed(GOOD).len() {
            assert!(Links::parse(&hashed(GOOD).as_bytes()[..cut]).is_err(), "{cut}");
        }
        let other = hashed(GOOD).replace("\"at\":2", "\"at\":3");
        assert_eq!(Links::parse(other.as_bytes()).err(), Some(Fault::Hash));
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let of = |bytes: usize| entry(&format!("{{\"a\":\"{}\"}}", "x".repeat(bytes)));
        let most = LINE_BYTES_MAX - of(0).line(NO_HASH).unwrap().text.len();
        let line = of(most).line(NO_HASH).unwrap().text;
        assert_eq!(line.len(), LINE_BYTES_MAX);
        assert!(of(most).check().is_ok() && Links::parse(line.trim_end().as_bytes()).is_ok());
        let text = of(most + 1).check().unwrap_err().to_string();
        assert_eq!(text, "entry 1 of the audit log makes a line of 65537 bytes: at most 65536 are allowed");
        assert_eq!(Links::parse(line.as_bytes()).err(), Some(Fault::TooLong));
    }
}

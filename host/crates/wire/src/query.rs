//! Query strings: decoded, taken by name, and refused by name when unknown.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::error::Invalid;
use crate::violation::Violations;

/// Names of a presigned query; the signature check has already read them.
const PRESIGNED: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];

/// The decoded pairs of a query string that have not been read yet.
#[derive(Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads what follows the `?`. Broken escapes and bytes that are no UTF-8
    /// become replacement characters, which no pattern accepts.
    pub fn parse(text: &str) -> Self {
        let pairs = pairs(text).into_iter();
        Self { pairs: pairs.filter(|(name, _)| !PRESIGNED.contains(&name.as_str())).collect() }
    }

    /// The value of a name given at most once.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Invalid::Parameter(format!("{name} is given more than once"))),
        }
    }

    /// All values of a name, in order.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let (taken, rest) = std::mem::take(&mut self.pairs).into_iter().partition(|(other, _)| other == name);
        self.pairs = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Refuses what nobody has taken.
    pub fn finish(self, operation: &str) -> Result<(), Invalid> {
        match self.pairs.first() {
            Some((name, _)) => {
                let name: String = name.chars().take(100).collect();
                Err(Invalid::not_yet(&name, &format!("it is no known parameter of {operation}")))
            }
            None => Ok(()),
        }
    }
}

/// All pairs of a query or a form, decoded, in order.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    pairs.collect()
}

/// One piece of a query, decoded: `+` is a space, `%41` an `A`.
fn decode(text: &str) -> String {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Where a page of a list starts and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Entries up to and with this key have been answered already.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Page {
    /// Reads `Marker` and `MaxItems` (1 to 10000); `most` is what a page holds
    /// at most, whatever is asked.
    pub fn take(query: &mut Query, most: usize) -> Result<Self, Invalid> {
        let marker = query.take("Marker")?;
        let limit = match query.take("MaxItems")? {
            None => None,
            Some(text) => Some(
                text.parse::<i64>().map_err(|_| Invalid::Serialization("MaxItems must be a whole number".into()))?,
            ),
        };
        let mut violations = Violations::new();
        violations.range("maxItems", limit, 1..=10_000);
        violations.finish()?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(most).min(most);
        let after = marker.filter(|marker| !marker.is_empty()).map(|marker| unmark(&marker)).transpose()?;
        Ok(Self { after, limit })
    }
}

/// The `NextMarker` of a page whose last entry has this key.
pub fn mark(key: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key)
}

fn unmark(marker: &str) -> Result<String, Invalid> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(marker).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Invalid::Parameter("Marker is not one that this platform has answered".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_taken() {
        let mut query = Query::parse("Qualifier=%24LATEST&tagKeys=a+b&tagKeys=c&X-Amz-Date=x&flag");
        assert_eq!(query.take("Qualifier").unwrap().as_deref(), Some("$LATEST"));
        assert_eq!(query.take_all("tagKeys"), ["a b", "c"]);
        let refused = query.finish("GetFunction").unwrap_err();
        assert_eq!(refused.to_string(), "flag is not supported yet: it is no known parameter of GetFunction");
        assert!(Query::parse("a=1&a=2").take("a").is_err());
        assert!(Query::parse("").finish("X").is_ok());
    }

    #[test]
    fn pages() {
        let page = |text: &str| Page::take(&mut Query::parse(text), 50);
        assert_eq!(page("").unwrap(), Page { after: None, limit: 50 });
        assert_eq!(page("MaxItems=2").unwrap().limit, 2);
        assert_eq!(page("MaxItems=10000").unwrap().limit, 50);
        assert_eq!(page(&format!("Marker={}", mark("f"))).unwrap().after.as_deref(), Some("f"));
        assert!(matches!(page("MaxItems=0"), Err(Invalid::Validation(_))));
        assert!(matches!(page("Marker=%21"), Err(Invalid::Parameter(_))));
    }
}

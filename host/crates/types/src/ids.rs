//! Ids the platform gives out. They are made from 16 random bytes that the
//! caller brings (`kit::ids`), so that a test can fix them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::names::NameError;

fn uuid(random: [u8; 16]) -> Arc<str> {
    // RFC 9562, section 5.4: version 4, variant 10.
    let mut b = random;
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let mut text = [0u8; 36];
    let mut at = 0;
    for (index, byte) in b.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text[at] = b'-';
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 0xf)];
        at += 2;
    }
    String::from_utf8_lossy(&text).as_ref().into()
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}

macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// A version 4 UUID over these random bytes.
            pub fn from_random(random: [u8; 16]) -> Self {
                Self(uuid(random))
            }

            /// The UUID as text, lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if is_uuid(text) {
                    return Ok(Self(text.into()));
                }
                Err(NameError::new(text, $what, "a UUID in lower case"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_type!(
    /// The id of one request: the invocation's, and the answer's `x-amzn-RequestId`.
    RequestId,
    "a request id"
);
uuid_type!(
    /// The revision of a record; changes with every change of it.
    RevisionId,
    "a revision id"
);

/// The id of a function URL: 32 of `[a-z0-9]`, the first label of its host name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlId(Arc<str>);

impl UrlId {
    /// An id over these random bytes, in base 32.
    pub fn from_random(random: [u8; 32]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let text: String = random.iter().map(|b| char::from(LETTERS[usize::from(b & 31)])).collect();
        Self(text.as_str().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UrlId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() == 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Ok(Self(text.into()));
        }
        Err(NameError::new(text, "a function URL id", "32 lower-case letters and digits"))
    }
}

impl TryFrom<String> for UrlId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<UrlId> for String {
    fn from(id: UrlId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for UrlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_their_version_and_variant() {
        let id = RequestId::from_random([0xff; 16]);
        assert_eq!(id.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.as_str().parse::<RequestId>().unwrap(), id);
        assert!("FFFFFFFF-ffff-4fff-bfff-ffffffffffff".parse::<RequestId>().is_err());
    }

    #[test]
    fn url_ids_are_host_labels() {
        let id = UrlId::from_random([7; 32]);
        assert_eq!(id.as_str().parse::<UrlId>().unwrap(), id);
    }
}

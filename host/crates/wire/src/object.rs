//! A strict reader of JSON objects: every member is taken by name or refused by
//! name, and nothing is copied before it is asked for (`ZipFile` is large).

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Invalid;

/// Members a request or one of its parts may have.
const MEMBERS_MAX: usize = 5_000;

/// A JSON object whose members have not been read yet.
#[derive(Debug, Default)]
pub struct Object<'a> {
    /// `""`, or the name of the member this object is, with a dot.
    path: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads a request's body; an empty one is an empty object.
    pub fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let Members(members) = serde_json::from_slice(body)
            .map_err(|error| Invalid::Serialization(format!("Could not parse request body into json: {error}")))?;
        Ok(Self { path: String::new(), members })
    }

    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        let (_, value) = self.members.swap_remove(at);
        (value.get() != "null").then_some(value)
    }

    /// The member as any type; `null` means not given.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Invalid> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| self.wrong_type(name))
    }

    /// A string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        self.value(name)
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, Invalid> {
        self.value(name)
    }

    /// A boolean.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, Invalid> {
        self.value(name)
    }

    /// A list of strings.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Invalid> {
        self.value(name)
    }

    /// A map of strings.
    pub fn text_map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>, Invalid> {
        self.value(name)
    }

    /// Bytes in base64.
    pub fn blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, Invalid> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let quoted = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let plain = quoted.ok_or_else(|| self.wrong_type(name))?;
        let decoded = if plain.contains('\\') {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| self.wrong_type(name))?;
            STANDARD.decode(text)
        } else {
            STANDARD.decode(plain)
        };
        decoded.map(Some).map_err(|_| Invalid::Serialization(format!("{}{name} must be base64", self.path)))
    }

    /// An object of its own.
    pub fn object(&mut self, name: &str) -> Result<Option<Object<'a>>, Invalid> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let Members(members) = serde_json::from_str(raw.get()).map_err(|_| self.wrong_type(name))?;
        Ok(Some(Object { path: format!("{}{name}.", self.path), members }))
    }

    /// Refuses what nobody has taken.
    pub fn finish(self, operation: &str) -> Result<(), Invalid> {
        match self.members.iter().find(|(_, value)| value.get() != "null") {
            Some((name, _)) => {
                let name: String = name.chars().take(100).collect();
                Err(Invalid::not_yet(&format!("{}{name}", self.path), &format!("it is no known member of {operation}")))
            }
            None => Ok(()),
        }
    }

    fn wrong_type(&self, name: &str) -> Invalid {
        Invalid::Serialization(format!("{}{name} has the wrong type", self.path))
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.len() >= MEMBERS_MAX {
                        return Err(A::Error::custom("too many members"));
                    }
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom("a member is given twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_taken_or_refused() {
        let body = br#"{"A":"x","B":{"C":1,"D":true},"E":null,"Z":"QUI="}"#;
        let mut object = Object::parse(body).unwrap();
        assert_eq!(object.text("A").unwrap().as_deref(), Some("x"));
        assert_eq!(object.text("E").unwrap(), None);
        assert_eq!(object.blob("Z").unwrap().unwrap(), b"AB");
        let mut inner = object.object("B").unwrap().unwrap();
        assert_eq!(inner.integer("C").unwrap(), Some(1));
        let refused = inner.finish("CreateFunction").unwrap_err();
        assert_eq!(refused.to_string(), "B.D is not supported yet: it is no known member of CreateFunction");
        assert!(object.finish("CreateFunction").is_ok());
    }

    #[test]
    fn bodies_that_are_no_objects() {
        for body in [&b"[]"[..], b"{", b"1", b"{\"a\":1,\"a\":2}", b"\xff", b"{} x"] {
            assert!(matches!(Object::parse(body), Err(Invalid::Serialization(_))), "{body:?}");
        }
        assert!(Object::parse(b"").unwrap().finish("X").is_ok());
        assert!(Object::parse(br#"{"A":1}"#).unwrap().text("A").is_err());
        assert!(Object::parse(br#"{"A":"!"}"#).unwrap().blob("A").is_err());
    }
}

//! Names of functions, versions and aliases.
//!
//! Rules: reference section 1.2 (the model's patterns).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arn::FunctionArn;

/// A text that is no name, and what is allowed in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {what}: {rule}")]
pub struct NameError {
    /// The text as it was given, cut at 200 characters.
    pub value: String,
    /// What was expected, with its article: `a function name`.
    pub what: &'static str,
    /// What is allowed.
    pub rule: &'static str,
}

impl NameError {
    pub(crate) fn new(value: &str, what: &'static str, rule: &'static str) -> Self {
        let value = value.chars().take(200).collect();
        Self { value, what, rule }
    }
}

/// A function's name: 1 to 64 of `[a-zA-Z0-9-_]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FunctionName(Arc<str>);

impl FunctionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(text: &str, length_max: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= length_max && text.bytes().all(allowed)
}

impl FromStr for FunctionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_word(text, 64) {
            return Ok(Self(text.into()));
        }
        Err(NameError::new(text, "a function name", "1 to 64 letters, digits, hyphens and underscores"))
    }
}

impl TryFrom<String> for FunctionName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<FunctionName> for String {
    fn from(name: FunctionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of a function: `$LATEST`, or a number from 1 that is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// The one version that can change.
    Latest,
    /// A published version.
    Number(u64),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What follows the function's name: a version or an alias.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Qualifier {
    /// `$LATEST` or a number.
    Version(Version),
    /// An alias, 1 to 128 of `[a-zA-Z0-9-_]`, not all digits. No alias can be
    /// made yet, so it never resolves.
    Alias(String),
}

impl Qualifier {
    /// `$LATEST`.
    pub const LATEST: Self = Self::Version(Version::Latest);
}

impl FromStr for Qualifier {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "$LATEST" {
            return Ok(Self::LATEST);
        }
        let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        if let (true, Ok(number)) = (digits, text.parse()) {
            return Ok(Self::Version(Version::Number(number)));
        }
        if is_word(text, 128) && !text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::Alias(text.to_owned()));
        }
        Err(NameError::new(
            text,
            "a qualifier",
            "$LATEST, a version number, or an alias of up to 128 letters, digits, hyphens and underscores",
        ))
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Alias(alias) => f.write_str(alias),
        }
    }
}

/// A function as a caller names it: name and, when given, qualifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionRef {
    /// The function.
    pub name: FunctionName,
    /// The qualifier as given; absent means `$LATEST`, but shows in ARNs.
    pub qualifier: Option<Qualifier>,
}

impl FunctionRef {
    /// The ARN of what is named here, in this region and account.
    pub fn arn(&self, region: &crate::Region, account: &crate::AccountId) -> String {
        let (region, account, name) = (region.as_str(), account.as_str(), self.name.as_str());
        let mut arn = ["arn:aws:lambda:", region, ":", account, ":function:", name].concat();
        if let Some(qualifier) = &self.qualifier {
            arn.push(':');
            arn.push_str(&qualifier.to_string());
        }
        arn
    }
}

/// How a function may be named in a request, parsed but not yet compared with
/// this platform's own account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionNaming {
    /// `f`, `f:1`, `function:f`.
    Plain(FunctionRef),
    /// `ACCOUNT:function:f`: another account's, perhaps.
    Partial(crate::AccountId, FunctionRef),
    /// A full ARN.
    Arn(FunctionArn),
}

impl FromStr for FunctionNaming {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.starts_with("arn:") {
            return text.parse().map(Self::Arn);
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            [account, "function", rest @ ..] if !rest.is_empty() && account.len() == 12 => {
                Ok(Self::Partial(account.parse()?, function_ref(rest, text)?))
            }
            ["function", rest @ ..] if !rest.is_empty() => Ok(Self::Plain(function_ref(rest, text)?)),
            rest => Ok(Self::Plain(function_ref(rest, text)?)),
        }
    }
}

/// `[name]` or `[name, qualifier]`.
pub(crate) fn function_ref(parts: &[&str], whole: &str) -> Result<FunctionRef, NameError> {
    match parts {
        [name] => Ok(FunctionRef { name: name.parse()?, qualifier: None }),
        [name, qualifier] => Ok(FunctionRef { name: name.parse()?, qualifier: Some(qualifier.parse()?) }),
        _ => Err(NameError::new(
            whole,
            "a function",
            "NAME, ACCOUNT:function:NAME or a function ARN, each with :QUALIFIER if wanted",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions() {
        for good in ["f", "A-b_9", &"x".repeat(64)] {
            assert_eq!(good.parse::<FunctionName>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a.b", "\u{e4}", "a/b", "$LATEST", &"x".repeat(65)] {
            assert!(bad.parse::<FunctionName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn qualifiers() {
        assert_eq!("$LATEST".parse::<Qualifier>().unwrap(), Qualifier::LATEST);
        assert_eq!("12".parse::<Qualifier>().unwrap(), Qualifier::Version(Version::Number(12)));
        assert_eq!("live".parse::<Qualifier>().unwrap(), Qualifier::Alias("live".into()));
        for bad in ["", "0", "01", "$latest", "a:b", "99999999999999999999999"] {
            assert!(bad.parse::<Qualifier>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ways_to_name_a_function() {
        let plain = |name: &str, qualifier: Option<&str>| FunctionRef {
            name: name.parse().unwrap(),
            qualifier: qualifier.map(|q| q.parse().unwrap()),
        };
        let check =
            |text: &str, expect: FunctionNaming| assert_eq!(text.parse::<FunctionNaming>().unwrap(), expect, "{text}");
        check("f", FunctionNaming::Plain(plain("f", None)));
        check("f:1", FunctionNaming::Plain(plain("f", Some("1"))));
        check("function:f:live", FunctionNaming::Plain(plain("f", Some("live"))));
        check("function", FunctionNaming::Plain(plain("function", None)));
        check("000000000000:function:f", FunctionNaming::Partial("000000000000".parse().unwrap(), plain("f", None)));
        assert!(matches!("arn:aws:lambda:us-east-1:000000000000:function:f:1".parse(), Ok(FunctionNaming::Arn(_))));
        for bad in ["f:1:2", "", "a b", "function:f:1:2"] {
            assert!(bad.parse::<FunctionNaming>().is_err(), "{bad}");
        }
    }
}

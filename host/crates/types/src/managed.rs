//! Managed runtimes: languages, the names of runtimes, and what is recorded of those
//! that are installed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::names::NameError;
use crate::time::Timestamp;

/// A language that a managed runtime runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// JavaScript.
    JavaScript,
    /// Python.
    Python,
}

impl Language {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::JavaScript, Self::Python];

    /// Its name: `javascript`, `python`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JavaScript => "javascript",
            Self::Python => "python",
        }
    }

    /// The names of runtimes that are this language's, whichever version is at hand.
    pub const fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::JavaScript => &["nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"],
            Self::Python => &["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"],
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let found = Self::ALL.into_iter().find(|language| language.as_str() == text);
        found.ok_or_else(|| NameError::new(text, "a language", "javascript or python"))
    }
}

/// What a value of `Runtime` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// A component of the author's own: `provided...`.
    Own,
    /// The managed runtime of this language.
    Managed(Language),
    /// A runtime of Lambda's that there is none of here.
    Foreign,
}

impl RuntimeKind {
    /// Of a name that a function may have.
    pub fn of(runtime: &str) -> Self {
        if runtime.starts_with("provided") {
            return Self::Own;
        }
        let named = Language::ALL.into_iter().find(|language| language.runtimes().contains(&runtime));
        named.map_or(Self::Foreign, Self::Managed)
    }
}

/// A managed runtime that is installed. Its component's digest is its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstalledRuntime {
    /// The component.
    pub component: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// The language that it runs.
    pub language: Language,
    /// For people.
    pub description: String,
    /// What is in it, each with its version.
    pub versions: BTreeMap<String, String>,
    /// When it was installed.
    pub installed: Timestamp,
    /// Ids of the trusted keys that had signed it when it was installed.
    pub signers: Vec<String>,
}

/// When a function gets another runtime version: Lambda's `UpdateRuntimeOn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateRuntimeOn {
    /// As soon as there is one.
    Auto,
    /// When the function is updated next.
    FunctionUpdate,
    /// When it is told to.
    Manual,
}

impl UpdateRuntimeOn {
    /// Lambda's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::FunctionUpdate => "FunctionUpdate",
            Self::Manual => "Manual",
        }
    }
}

/// Which runtime version a version of a function runs on. One that has none of its
/// own is Auto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeManagement {
    /// When that changes.
    pub update: UpdateRuntimeOn,
    /// The one it stays on; `None` for the current one of its language.
    pub version: Option<Digest>,
}

impl RuntimeManagement {
    /// The default.
    pub const AUTO: Self = Self { update: UpdateRuntimeOn::Auto, version: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_languages() {
        for (name, kind) in [
            ("provided.al2023", RuntimeKind::Own),
            ("nodejs18.x", RuntimeKind::Managed(Language::JavaScript)),
            ("nodejs24.x", RuntimeKind::Managed(Language::JavaScript)),
            ("nodejs16.x", RuntimeKind::Foreign),
            ("python3.9", RuntimeKind::Managed(Language::Python)),
            ("python3.14", RuntimeKind::Managed(Language::Python)),
            ("python3.8", RuntimeKind::Foreign),
            ("java21", RuntimeKind::Foreign),
        ] {
            assert_eq!(RuntimeKind::of(name), kind, "{name}");
        }
        assert_eq!("python".parse(), Ok(Language::Python));
        assert!("Python".parse::<Language>().is_err());
        assert_eq!(serde_json::to_string(&Language::JavaScript).unwrap(), r#""javascript""#);
    }
}

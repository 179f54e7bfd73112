//! What a platform does with code that nobody it trusts has signed.

use std::str::FromStr;

/// The signing policy of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// Refuses it: at deploy, and again each time its image is loaded.
    #[default]
    Enforce,
    /// Admits it with a warning in the log. A signature that is malformed or does
    /// not fit is still refused, as on Lambda.
    Warn,
    /// Looks at no signature.
    Off,
}

/// Not a signing policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a signing policy: allowed are enforce, warn and off")]
pub struct UnknownSigning(String);

impl Signing {
    /// The policy's name, as it is given on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

impl FromStr for Signing {
    type Err = UnknownSigning;

    fn from_str(text: &str) -> Result<Self, UnknownSigning> {
        let all = [Self::Enforce, Self::Warn, Self::Off];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownSigning(text.chars().take(40).collect()))
    }
}

impl std::fmt::Display for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

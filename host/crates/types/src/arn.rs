//! Amazon Resource Names of functions, shaped as AWS's so that unmodified
//! clients accept them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::names::{FunctionRef, NameError, function_ref};

/// An account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Arc<str>);

/// A region: 2 to 32 of `[a-z0-9-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(Arc<str>);

impl AccountId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Region {
    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text.into()));
        }
        Err(NameError::new(text, "an account id", "12 digits"))
    }
}

impl FromStr for Region {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (2..=32).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        Err(NameError::new(text, "a region", "2 to 32 lower-case letters, digits and hyphens"))
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type!(AccountId);
text_type!(Region);

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionArn {
    /// The region.
    pub region: Region,
    /// The account.
    pub account: AccountId,
    /// The function, and the qualifier if the ARN has one.
    pub function: FunctionRef,
}

impl FromStr for FunctionArn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            // An ARN cut off after `:function` means a function called `function`.
            ["arn", "aws", "lambda", region, account, "function"] => Ok(Self {
                region: region.parse()?,
                account: account.parse()?,
                function: function_ref(&["function"], text)?,
            }),
            ["arn", "aws", "lambda", region, account, "function", rest @ ..] => {
                Ok(Self { region: region.parse()?, account: account.parse()?, function: function_ref(rest, text)? })
            }
            _ => Err(NameError::new(text, "a function ARN", "arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]")),
        }
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function.arn(&self.region, &self.account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_read_and_print() {
        for text in [
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            "arn:aws:lambda:eu-west-3:123456789012:function:f:$LATEST",
            "arn:aws:lambda:eu-west-3:123456789012:function:f:live",
        ] {
            assert_eq!(text.parse::<FunctionArn>().unwrap().to_string(), text);
        }
        for bad in [
            "arn:aws:s3:::b",
            "arn:aws:lambda:us-east-1:1:function:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f:1:2",
        ] {
            assert!(bad.parse::<FunctionArn>().is_err(), "{bad}");
        }
    }
}

//! Settings that Lambda's API has no field for. They travel as function tags
//! named `lamina:...`, and a published version keeps a copy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The prefix of every tag that is a setting.
pub const PREFIX: &str = "lamina:";

/// The smallest and largest `lamina:fuel`.
pub const FUEL_RANGE: std::ops::RangeInclusive<u64> = 1_000..=1_000_000_000_000_000;

/// A version's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `lamina:fuel`: the budget of one call, instead of the operator's rate.
    pub fuel: Option<u64>,
    /// `lamina:seed`: run deterministically, with a fixed clock and randomness
    /// from this seed; the same event then burns exactly the same fuel.
    pub seed: Option<u64>,
}

/// A `lamina:...` tag that is no setting, or has a value it cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No setting of that name.
    #[error("`{0}` is not a setting: allowed are lamina:fuel and lamina:seed")]
    Unknown(String),
    /// The value is not allowed.
    #[error("`{value}` is not a value for {name}: allowed is {rule}")]
    Value {
        /// The tag.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
}

impl Settings {
    /// Reads the settings among `tags`; other tags are passed over.
    pub fn from_tags(tags: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let mut settings = Self::default();
        for (name, value) in tags.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            match name.as_str() {
                "lamina:fuel" => {
                    let fuel = value.parse().ok().filter(|fuel| FUEL_RANGE.contains(fuel));
                    let rule = "a whole number from 1000 to 1000000000000000";
                    settings.fuel = Some(fuel.ok_or_else(|| bad("lamina:fuel", value, rule))?);
                }
                "lamina:seed" => {
                    let rule = "a whole number from 0 to 18446744073709551615";
                    settings.seed = Some(value.parse().map_err(|_| bad("lamina:seed", value, rule))?);
                }
                _ => return Err(SettingError::Unknown(name.clone())),
            }
        }
        Ok(settings)
    }
}

fn bad(name: &'static str, value: &str, rule: &'static str) -> SettingError {
    SettingError::Value { name, value: value.to_owned(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::from_tags(&tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn tags_become_settings() {
        assert_eq!(check(&[("team", "a")]).unwrap(), Settings::default());
        assert_eq!(check(&[("lamina:fuel", "5000")]).unwrap().fuel, Some(5000));
        assert_eq!(check(&[("lamina:seed", "0")]).unwrap().seed, Some(0));
        for bad in [("lamina:fuel", "999"), ("lamina:fuel", "x"), ("lamina:seed", "-1"), ("lamina:other", "1")] {
            assert!(check(&[bad]).is_err(), "{bad:?}");
        }
    }
}

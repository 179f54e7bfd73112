//! A moment in the past: so long ago, or a time.

use std::str::FromStr;
use std::time::Duration;

use lamina_types::Timestamp;

/// What `--since` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// So long ago.
    Ago(Duration),
    /// At this time.
    At(Timestamp),
}

impl Since {
    /// The moment, seen from now.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => {
                Timestamp(now.0.saturating_sub(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
            }
            Self::At(time) => time,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
        let ago = units.iter().find_map(|(unit, seconds)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Duration::from_secs(number.checked_mul(*seconds)?))
        });
        if let Some(ago) = ago {
            return Ok(Self::Ago(ago));
        }
        let time = text.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_microsecond()).ok());
        time.map(|micros| Self::At(Timestamp(micros)))
            .ok_or_else(|| "say how long ago, as 90s, 5m, 2h or 1d, or a time, as 2026-11-23T10:00:00Z".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let check = |text: &str, expect: u64| {
            let since: Since = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(since.before(Timestamp(1_764_000_000_000_000)).0, expect, "{text}");
        };
        check("90s", 1_763_999_910_000_000);
        check("5m", 1_763_999_700_000_000);
        check("2h", 1_763_992_800_000_000);
        check("1d", 1_763_913_600_000_000);
        check("0s", 1_764_000_000_000_000);
        check("2025-11-24T16:00:00Z", 1_764_000_000_000_000);
        check("2025-11-24T17:00:00+01:00", 1_764_000_000_000_000);
        for bad in ["", "5", "m", "-5m", "yesterday", "2025-11-24", "99999999999999999999d"] {
            assert!(bad.parse::<Since>().is_err(), "{bad}");
        }
    }
}

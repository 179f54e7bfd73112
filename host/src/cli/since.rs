//! Points in time as people write them: `7d` before now, or a date.

use lamina_types::Timestamp;

/// What is allowed.
const FORMS: &str = "give a time before now like 30m, 24h or 7d, a date like 2026-11-23, or a date and time like \
                     2026-11-23T10:00:00Z";

/// A point in time, not yet compared with now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// So many milliseconds before now.
    Before(u64),
    /// In milliseconds since the Unix epoch.
    At(u64),
}

impl When {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn millis(self, now: Timestamp) -> u64 {
        match self {
            Self::Before(millis) => now.millis().saturating_sub(millis),
            Self::At(millis) => millis,
        }
    }
}

/// For the command line.
pub(crate) fn parse(text: &str) -> Result<When, String> {
    let before = text.split_at_checked(text.len().saturating_sub(1)).and_then(|(number, unit)| {
        let unit_ms: u64 = match unit {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if is_number { number.parse::<u64>().ok()?.checked_mul(unit_ms) } else { None }
    });
    let at = || Timestamp::from_iso(text).map(|time| When::At(time.millis()));
    before.map(When::Before).or_else(at).ok_or_else(|| FORMS.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(parse("30m"), Ok(When::Before(1_800_000)));
        assert_eq!(parse("7d"), Ok(When::Before(604_800_000)));
        assert_eq!(parse("2025-11-24T16:00:00Z"), Ok(When::At(1_764_000_000_000)));
        for bad in ["", "d", "-1d", "7w", "1.5h", "99999999999999999999d", "\u{e4}"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(When::Before(5).millis(Timestamp::from_millis(3)), 0);
    }
}

//! Points in time, and the forms in which Lambda writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Whole seconds since the Unix epoch.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Of a date, `2026-11-23`, which means its beginning, or of a date and time with
    /// its offset, `2026-11-23T10:11:12Z`.
    pub fn from_iso(text: &str) -> Option<Self> {
        let moment = match text.parse::<jiff::civil::Date>() {
            Ok(date) if text.len() == 10 => jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?,
            _ => text.parse::<jiff::Timestamp>().ok()?,
        };
        u64::try_from(moment.as_microsecond()).ok().map(Self)
    }

    /// Year, month, day, hour, minute, second of the civil calendar, UTC.
    /// Times past the year 9999 print as the last one.
    fn civil(self) -> (i16, i8, i8, i8, i8, i8) {
        let seconds = i64::try_from(self.seconds()).unwrap_or(i64::MAX);
        let moment = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let civil = jiff::tz::Offset::UTC.to_datetime(moment);
        (civil.year(), civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second())
    }

    /// `2026-11-23T10:11:12.123+0000`: a function's LastModified.
    pub fn to_last_modified(self) -> String {
        let (y, mo, d, h, mi, s) = self.civil();
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:03}+0000", self.millis() % 1_000)
    }

    /// `2026-11-23T10:11:12.123Z`: log lines and records.
    pub fn to_iso_millis(self) -> String {
        let (y, mo, d, h, mi, s) = self.civil();
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:03}Z", self.millis() % 1_000)
    }

    /// `2026-11-23T10:11:12.123456Z`: the times of a function URL config.
    pub fn to_iso_micros(self) -> String {
        let (y, mo, d, h, mi, s) = self.civil();
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:06}Z", self.0 % 1_000_000)
    }

    /// `07/Sep/2021:22:50:22 +0000`: `requestContext.time` of a URL event.
    pub fn to_common_log(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (y, mo, d, h, mi, s) = self.civil();
        let month = MONTHS[usize::try_from(mo - 1).unwrap_or(0) % 12];
        format!("{d:02}/{month}/{y:04}:{h:02}:{mi:02}:{s:02} +0000")
    }

    /// `2026/11/23`: the first part of a log stream's name.
    pub fn to_slashed_date(self) -> String {
        let (y, mo, d, ..) = self.civil();
        format!("{y:04}/{mo:02}/{d:02}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let time = Timestamp(1_764_000_000_123_456);
        assert_eq!(time.to_last_modified(), "2025-11-24T16:00:00.123+0000");
        assert_eq!(time.to_iso_millis(), "2025-11-24T16:00:00.123Z");
        assert_eq!(time.to_iso_micros(), "2025-11-24T16:00:00.123456Z");
        assert_eq!(time.to_common_log(), "24/Nov/2025:16:00:00 +0000");
        assert_eq!(time.to_slashed_date(), "2025/11/24");
    }

    #[test]
    fn forms_that_are_read() {
        let check = |text: &str| Timestamp::from_iso(text).map(Timestamp::millis);
        assert_eq!(check("2025-11-24T16:00:00.123Z"), Some(1_764_000_000_123));
        assert_eq!(check("2025-11-24T17:00:00+01:00"), Some(1_764_000_000_000));
        assert_eq!(check("2025-11-24"), Some(1_763_942_400_000));
        for bad in ["", "2025", "2025-13-01", "2025-11-24T16:00:00", "1969-12-31", "yesterday"] {
            assert_eq!(check(bad), None, "{bad}");
        }
    }
}

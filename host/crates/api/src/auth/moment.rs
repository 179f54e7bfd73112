//! The one form of time in signatures: `YYYYMMDDTHHMMSSZ`.

use lamina_types::Timestamp;

/// Seconds since the Unix epoch, or `None` for any other form.
pub(super) fn parse(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes.get(range)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    let valid = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01, by counting leap days of a calendar that begins its
/// years in March.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    // What the same sum gives for 1970-01-01.
    before.checked_sub(719_468)
}

/// The same form, for messages.
pub(super) fn print(seconds: u64) -> String {
    let iso = Timestamp::from_millis(seconds.saturating_mul(1_000)).to_iso_millis();
    let plain: String = iso.chars().filter(|c| *c != '-' && *c != ':').collect();
    plain.replace(".000", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(parse("19700101T000000Z"), Some(0));
        assert_eq!(parse("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(parse("20240229T235959Z"), Some(1_709_251_199));
        assert_eq!(print(1_440_938_160), "20150830T123600Z");
        for bad in ["", "20150830T123600", "2015-08-30T12:36:00Z", "20151330T123600Z", "20150830T243600Z"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

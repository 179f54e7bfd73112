//! The tables, and their keys.

use lamina_kv::Table;
use lamina_meter::{Counters, Subject};

/// `HOUR:ACCOUNT:FUNCTION:VERSION`, the hour since the Unix epoch in 10 digits, so
/// that records lie in the order of time.
pub(crate) const HOURS: Table<Counters> = Table::new("usage-hour");
/// `DAY:ACCOUNT:FUNCTION:VERSION`, likewise.
pub(crate) const DAYS: Table<Counters> = Table::new("usage-day");

pub(crate) const DAY_HOURS: u64 = 24;

/// Whose a record is: `ACCOUNT:FUNCTION:VERSION`.
pub(crate) fn owner(account: &str, subject: &Subject) -> String {
    format!("{account}:{}:{}", subject.name(), subject.version())
}

pub(crate) fn key(time: u64, owner: &str) -> String {
    format!("{time:010}:{owner}")
}

/// The hour or day of a key, and whose it is.
pub(crate) fn parse(key: &str) -> Option<(u64, &str)> {
    let (time, owner) = key.split_once(':')?;
    Some((time.parse().ok()?, owner))
}

/// Account, function and version.
pub(crate) fn parts(owner: &str) -> Option<(&str, &str, &str)> {
    let (account, rest) = owner.split_once(':')?;
    let (function, version) = rest.split_once(':')?;
    Some((account, function, version))
}

#[cfg(test)]
mod tests {
    use lamina_types::Version;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let subject = Subject::Function("f-1".parse().unwrap(), Version::Latest);
        let owner = owner("000000000000", &subject);
        let key = key(493_000, &owner);
        assert_eq!(key, "0000493000:000000000000:f-1:$LATEST");
        assert_eq!(parse(&key), Some((493_000, owner.as_str())));
        assert_eq!(parts(&owner), Some(("000000000000", "f-1", "$LATEST")));
        assert_eq!(super::owner("1", &Subject::Other), "1:(other):-");
    }
}

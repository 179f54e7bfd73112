//! Lines that hold the hash of the line before.

use thiserror::Error;

use crate::entry::{LINE_BYTES_MAX, Links, NO_HASH};

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is longer than any that the log writes.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// It is none that the log writes.
    #[error("the line does not have the form of an entry")]
    Form,
    /// Its hash is not its own.
    #[error("the line's hash does not fit the line")]
    Hash,
    /// It is not the next one.
    #[error("the line has number {found}, and the next one is {expected}")]
    Number {
        /// The number that is next.
        expected: u64,
        /// The line's.
        found: u64,
    },
    /// It follows another line.
    #[error("the line does not follow the one before it, but another")]
    Prev,
}

/// A line that does not go on the chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("entry {n}: {fault}")]
pub struct ChainError {
    /// The entry that the line should have been.
    pub n: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// Checks lines one by one. A line that is refused leaves it as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    n: u64,
    hash: String,
}

impl Chain {
    /// Before the first entry.
    pub fn new() -> Self {
        Self { n: 0, hash: NO_HASH.to_owned() }
    }

    /// After the entry of this number and hash, which the caller trusts.
    pub fn after(n: u64, hash: String) -> Self {
        Self { n, hash }
    }

    /// Takes the next line, without its newline, and gives its number and hash.
    pub fn next(&mut self, line: &str) -> Result<(u64, String), ChainError> {
        self.take(line.as_bytes())?;
        Ok(self.last())
    }

    /// The number and the hash of the last line taken; 0 and zeros before the first.
    pub fn last(&self) -> (u64, String) {
        (self.n, self.hash.clone())
    }

    pub(crate) fn n(&self) -> u64 {
        self.n
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// The number that comes next.
    pub(crate) fn following(&self) -> u64 {
        self.n.saturating_add(1)
    }

    pub(crate) fn take(&mut self, line: &[u8]) -> Result<(), ChainError> {
        let expected = self.following();
        let links = Links::parse(line).and_then(|links| match links {
            Links { n: found, .. } if found != expected => Err(Fault::Number { expected, found }),
            Links { ref prev, .. } if *prev != self.hash => Err(Fault::Prev),
            links => Ok(links),
        });
        let links = links.map_err(|fault| ChainError { n: expected, fault })?;
        *self = Self { n: links.n, hash: links.hash };
        Ok(())
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks that lines, without newlines, go on from `start` (number and hash of the
/// entry before them) or are the first ones; gives the number and hash of the last.
pub fn verify_lines<L: AsRef<str>>(
    lines: impl IntoIterator<Item = L>,
    start: Option<(u64, String)>,
) -> Result<(u64, String), ChainError> {
    let mut chain = start.map_or_else(Chain::new, |(n, hash)| Chain::after(n, hash));
    for line in lines {
        chain.take(line.as_ref().as_bytes())?;
    }
    Ok(chain.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    fn lines(count: u64) -> Vec<String> {
        let mut prev = NO_HASH.to_owned();
        let make = |n| {
            let (principal, action) = ("p".to_owned(), "a".to_owned());
            let entry = Entry { n, at: n, principal, request: None, action, detail: serde_json::Map::new() };
            let line = entry.line(&prev).unwrap();
            prev = line.hash;
            line.text.trim_end().to_owned()
        };
        (1..=count).map(make).collect()
    }

    #[test]
    fn lines_follow_each_other() {
        let all = lines(4);
        let last = verify_lines(&all, None).unwrap();
        assert_eq!(last.0, 4);
        let half = verify_lines(&all[..2], None).unwrap();
        assert_eq!(verify_lines(&all[2..], Some(half)).unwrap(), last);
        let check = |lines: &[&String], n, fault| assert_eq!(verify_lines(lines, None), Err(ChainError { n, fault }));
        check(&[&all[1]], 1, Fault::Number { expected: 1, found: 2 });
        check(&[&all[0], &all[0]], 2, Fault::Number { expected: 2, found: 1 });
        check(&[&all[0], &all[2]], 2, Fault::Number { expected: 2, found: 3 });
        let other = Chain::after(1, "f".repeat(64)).next(&all[1]).unwrap_err();
        assert_eq!(other.to_string(), "entry 2: the line does not follow the one before it, but another");
    }

    #[test]
    fn a_line_that_is_refused_changes_nothing() {
        let all = lines(2);
        let mut chain = Chain::new();
        let first = chain.next(&all[0]).unwrap();
        assert!(chain.next("x").is_err());
        assert_eq!(chain.last(), first);
        assert_eq!(chain.next(&all[1]).unwrap().0, 2);
        // No number comes after the last one.
        assert!(Chain::after(u64::MAX, first.1).next(&all[1]).is_err());
    }
}

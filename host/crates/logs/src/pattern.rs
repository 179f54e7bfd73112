//! CloudWatch Logs' filter patterns: terms, and conditions on JSON.
//!
//! Terms are found anywhere in a line, in their own case; all of them must be there.
//! `"..."` is one term with its spaces, `-term` must not be there, and of `?term`s
//! one must be there; beside other terms they are ignored, as on AWS. `{ ... }`
//! compares members of a line that is JSON ([`json`]).
//! Not there yet, and refused by name: `[...]` for lines of columns, and `%...%`.
//! Source: AWS, "Filter pattern syntax for metric filters, subscription filters,
//! filter log events, and Live Tail".

mod json;
#[cfg(test)]
mod tests;

use memchr::memmem::Finder;

use self::json::Condition;

/// The longest pattern, in characters.
pub const CHARS_MAX: usize = 1_024;

/// Why a text is no pattern, for the one who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

/// A pattern that lines are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Terms {
        all: Vec<Term>,
        any: Vec<Term>,
        none: Vec<Term>,
    },
    /// With a text that every line which meets it has in it, if there is one.
    Json(Condition, Option<Box<Term>>),
}

/// A text that is looked for in many lines.
#[derive(Debug, Clone)]
struct Term(Finder<'static>);

impl Term {
    fn new(text: &str) -> Self {
        Self(Finder::new(text).into_owned())
    }

    fn is_in(&self, line: &str) -> bool {
        self.0.find(line.as_bytes()).is_some()
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.0.needle() == other.0.needle()
    }
}

impl Pattern {
    /// Reads a pattern; an empty one matches every line.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > CHARS_MAX {
            return Err(Invalid(format!("it is longer than {CHARS_MAX} characters")));
        }
        let trimmed = text.trim();
        match trimmed.chars().next() {
            Some('{') => json::parse(trimmed).map(|condition| {
                let needle = condition.needle().map(|needle| Box::new(Term::new(needle)));
                Self(Kind::Json(condition, needle))
            }),
            Some('[') => Err(Invalid("patterns of columns, `[...]`, are not supported yet: name terms".into())),
            _ => terms(trimmed).map(Self),
        }
    }

    /// Whether a line matches.
    pub fn matches(&self, line: &str) -> bool {
        match &self.0 {
            Kind::Json(condition, needle) => {
                // Looking is far cheaper than reading JSON. An escape may hide a text.
                let may = needle.as_ref().is_none_or(|needle| needle.is_in(line) || line.contains('\\'));
                may && json::matches(condition, line)
            }
            Kind::Terms { all, any, none } => {
                let there = |term: &Term| term.is_in(line);
                all.iter().all(there)
                    && !none.iter().any(there)
                    && (any.is_empty() || !all.is_empty() || !none.is_empty() || any.iter().any(there))
            }
        }
    }
}

fn terms(text: &str) -> Result<Kind, Invalid> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (into, after) = match rest.strip_prefix('?') {
            Some(after) => (&mut any, after),
            None => match rest.strip_prefix('-') {
                Some(after) => (&mut none, after),
                None => (&mut all, rest),
            },
        };
        let (term, after) = term(after)?;
        into.push(Term::new(&term));
        rest = after.trim_start();
    }
    Ok(Kind::Terms { all, any, none })
}

/// The term at the beginning, and what follows it.
fn term(text: &str) -> Result<(String, &str), Invalid> {
    if text.starts_with('"') {
        return quoted(text);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.is_empty() {
        return Err(Invalid("a `?` or `-` stands alone: a term follows it, without a space".into()));
    }
    if term.len() > 1 && term.starts_with('%') && term.ends_with('%') {
        return Err(Invalid(format!("regular expressions are not supported yet: {term}")));
    }
    if term.contains('"') {
        return Err(Invalid(format!("a quotation mark within a term: {term}; put all of it in quotation marks")));
    }
    Ok((term.to_owned(), rest))
}

/// The text in quotation marks at the beginning, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), Invalid> {
    let mut term = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((term, text.get(at + 1..).unwrap_or_default())),
            '\\' => term.extend(chars.next().map(|(_, char)| char)),
            char => term.push(char),
        }
    }
    Err(Invalid("a quotation mark is not closed".into()))
}

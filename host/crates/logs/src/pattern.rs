//! CloudWatch Logs' filter patterns: terms, regular expressions, and conditions on JSON
//! and on columns.
//!
//! Terms are found anywhere in a line, in their own case; all of them must be there.
//! `"..."` is one term with its spaces, `%...%` one that is a regular expression
//! ([`regex`]), `-term` must not be there, and of `?term`s one must be there; beside
//! other terms they are ignored, as on AWS. `{ ... }` compares members of a line that is
//! JSON ([`json`]), `[ ... ]` the columns of one that has some ([`columns`]).
//! Source: AWS, "Filter pattern syntax for metric filters, subscription filters,
//! filter log events, and Live Tail".

mod columns;
#[cfg(test)]
mod fuzz;
mod json;
mod operand;
mod reader;
mod regex;
#[cfg(test)]
mod tests;

use memchr::memmem::Finder;

use self::columns::Columns;
use self::json::Condition;
use self::reader::REGEXES_MAX;
use self::regex::Regex;

/// The longest pattern, in characters.
pub const CHARS_MAX: usize = 1_024;

/// Why a text is no pattern, for the one who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

/// A pattern that lines are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    kind: Kind,
    /// Whether comparing may take far longer than reading the line does: it may have a
    /// regular expression.
    pub(crate) is_costly: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Terms {
        all: Vec<Term>,
        any: Vec<Term>,
        none: Vec<Term>,
    },
    /// With a text that every line which meets it has in it, if there is one.
    Json(Box<(Condition, Option<Needle>)>),
    Columns(Columns),
}

/// What is looked for in many lines.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    Text(Box<Needle>),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text(needle) => needle.is_in(line),
            Self::Regex(regex) => regex.is_in(line),
        }
    }
}

/// A text that is looked for in many lines.
#[derive(Debug, Clone)]
struct Needle(Finder<'static>);

impl Needle {
    fn new(text: &str) -> Self {
        Self(Finder::new(text).into_owned())
    }

    fn is_in(&self, line: &str) -> bool {
        self.0.find(line.as_bytes()).is_some()
    }

    fn is_blank(&self) -> bool {
        self.0.needle().iter().all(u8::is_ascii_whitespace)
    }
}

impl PartialEq for Needle {
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
        let kind = match trimmed.chars().next() {
            Some('{') => {
                let condition = json::parse(trimmed)?;
                let needle = condition.needle().map(Needle::new);
                Kind::Json(Box::new((condition, needle)))
            }
            Some('[') => Kind::Columns(columns::parse(trimmed)?),
            _ => terms(trimmed)?,
        };
        Ok(Self { kind, is_costly: trimmed.contains('%') })
    }

    /// Whether a line matches.
    pub fn matches(&self, line: &str) -> bool {
        match &self.kind {
            Kind::Json(json) => {
                let (condition, needle) = &**json;
                // Looking is far cheaper than reading JSON. An escape may hide a text.
                let may = needle.as_ref().is_none_or(|needle| needle.is_in(line) || line.contains('\\'));
                may && json::matches(condition, line)
            }
            Kind::Columns(columns) => columns.matches(line),
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
    let mut regexes = 0;
    while !rest.is_empty() {
        let (into, after) = match rest.strip_prefix('?') {
            Some(after) => (&mut any, after),
            None => match rest.strip_prefix('-') {
                Some(after) => (&mut none, after),
                None => (&mut all, rest),
            },
        };
        let (term, after) = term(after)?;
        // `" "` asks for nothing.
        let is_blank = rest.starts_with('"') && matches!(&term, Term::Text(needle) if needle.is_blank());
        regexes += usize::from(matches!(term, Term::Regex(_)));
        if regexes > REGEXES_MAX {
            return Err(Invalid(format!("it has more than {REGEXES_MAX} regular expressions")));
        }
        if !is_blank {
            into.push(term);
        }
        rest = after.trim_start();
    }
    Ok(Kind::Terms { all, any, none })
}

/// The term at the beginning, and what follows it.
fn term(text: &str) -> Result<(Term, &str), Invalid> {
    if text.starts_with('"') {
        let (text, rest) = quoted(text)?;
        return Ok((Term::Text(Box::new(Needle::new(&text))), rest));
    }
    if text.starts_with('%') {
        let (regex, rest) = Regex::read(text)?;
        if rest.starts_with(|char: char| !char.is_whitespace()) {
            return Err(Invalid(format!("a space is expected after a regular expression, before `{rest}`")));
        }
        return Ok((Term::Regex(regex), rest));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.is_empty() {
        return Err(Invalid("a `?` or `-` stands alone: a term follows it, without a space".into()));
    }
    if term.contains('"') {
        return Err(Invalid(format!("a quotation mark within a term: {term}; put all of it in quotation marks")));
    }
    Ok((Term::Text(Box::new(Needle::new(term))), rest))
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

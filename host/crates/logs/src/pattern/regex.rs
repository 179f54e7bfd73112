//! `%...%`: the regular expressions that CloudWatch Logs documents, and no others.
//!
//! Letters, digits, `: _ # = @ / ; , -` and spaces stand for themselves; there are
//! `. ^ $ | [...] * + ? {m,n}`, of which either number may be left out, `\d \D \s \S
//! \w \W`, `\xhh`, and `\` before a sign that has a meaning. There are no parentheses.
//! Each is translated into `regex-automata`'s own syntax, in which nothing that is not
//! named here keeps a meaning; its search takes time linear in the line, with a factor
//! that [`STATES_BYTES_MAX`] bounds.
//! Source: AWS, "Supported regular expressions (regex) syntax".

use std::fmt::Write as _;

use regex_automata::meta;

use super::Invalid;

/// The largest number in `{m,n}`.
const REPEAT_MAX: u32 = 1_000;
/// What the states of one expression may take in memory.
const STATES_BYTES_MAX: usize = 512 << 10;
/// What a search may keep of the automaton that it makes as it goes.
const CACHE_BYTES_MAX: usize = 1 << 20;
/// Signs that stand for themselves, besides letters and digits.
const SYMBOLS: &str = ":_#=@/;,- ";
/// Signs with a meaning, which `\` takes from them.
const OPERATORS: &str = "^$?[]{}|\\*+.";

/// A regular expression that lines and values are compared with.
#[derive(Debug, Clone)]
pub(super) struct Regex {
    text: String,
    compiled: meta::Regex,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Regex {
    /// Reads the `%...%` at the beginning, and answers what follows it.
    pub(super) fn read(text: &str) -> Result<(Self, &str), Invalid> {
        let inner = text.strip_prefix('%').unwrap_or(text);
        let Some((expression, rest)) = inner.split_once('%') else {
            return Err(Invalid(
                "a regular expression is not closed: it stands between two %; a text that begins with % stands in \
                 quotation marks"
                    .into(),
            ));
        };
        Ok((Self::new(expression)?, rest))
    }

    pub(super) fn new(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid("a regular expression is empty: %%".into()));
        }
        let translated = Translator { rest: text, out: String::with_capacity(2 * text.len()) }.all()?;
        let config = meta::Config::new()
            .nfa_size_limit(Some(STATES_BYTES_MAX))
            .onepass_size_limit(Some(STATES_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES_MAX);
        let built = meta::Builder::new().configure(config).build(&translated);
        let compiled = built.map_err(|error| {
            Invalid(match error.size_limit() {
                Some(_) => format!("the regular expression %{text}% is too large"),
                None => format!("the regular expression %{text}% is none: a sign repeats or ends nothing"),
            })
        })?;
        Ok(Self { text: text.to_owned(), compiled })
    }

    /// Whether it is found anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn all(mut self) -> Result<String, Invalid> {
        while let Some(char) = self.next() {
            match char {
                '\\' => {
                    let escaped = self.escaped()?;
                    self.out.push_str(&escaped.alone());
                }
                '[' => self.class()?,
                '{' => self.repeat()?,
                ']' | '}' => {
                    return Err(Invalid(format!("in a regular expression `{char}` closes nothing: write \\{char}")));
                }
                '^' | '$' | '?' | '|' | '*' | '+' | '.' => self.out.push(char),
                char => self.literal(char)?,
            }
        }
        Ok(self.out)
    }

    /// A sign that stands for itself.
    fn literal(&mut self, char: char) -> Result<(), Invalid> {
        if !char.is_ascii_alphanumeric() && !SYMBOLS.contains(char) {
            return Err(unsupported(char));
        }
        push_literal(&mut self.out, char);
        Ok(())
    }

    /// What follows a `\`.
    fn escaped(&mut self) -> Result<Escaped, Invalid> {
        match self.next() {
            Some('d') => Ok(Escaped::Set("0-9", false)),
            Some('D') => Ok(Escaped::Set("0-9", true)),
            Some('s') => Ok(Escaped::Set(r"\x09-\x0D\x20", false)),
            Some('S') => Ok(Escaped::Set(r"\x09-\x0D\x20", true)),
            Some('w') => Ok(Escaped::Set("a-zA-Z_0-9", false)),
            Some('W') => Ok(Escaped::Set("a-zA-Z_0-9", true)),
            Some('x') => {
                let digits: Option<u8> = self.rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some(byte) = digits.filter(u8::is_ascii) else {
                    return Err(Invalid(
                        r"in a regular expression two hexadecimal digits follow \x, up to \x7F".into(),
                    ));
                };
                self.rest = self.rest.get(2..).unwrap_or_default();
                Ok(Escaped::Literal(char::from(byte)))
            }
            Some(char) if OPERATORS.contains(char) || SYMBOLS.contains(char) => Ok(Escaped::Literal(char)),
            Some(char) => Err(Invalid(format!(
                r"in a regular expression \{char} has no meaning: there are \d \D \s \S \w \W, \xhh, and \ before one of {OPERATORS}"
            ))),
            None => Err(Invalid("a regular expression ends with `\\`".into())),
        }
    }

    /// The class whose `[` was taken.
    fn class(&mut self) -> Result<(), Invalid> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut is_first = true;
        // The sign that a range may begin with.
        let mut from: Option<char> = None;
        loop {
            let Some(char) = self.next() else { return Err(not_closed()) };
            if char == ']' && !is_first {
                break;
            }
            is_first = false;
            if char == '-'
                && !self.rest.starts_with(']')
                && let Some(begin) = from.take()
            {
                let Escaped::Literal(end) = self.member()? else {
                    return Err(Invalid("in a regular expression a range ends with a set".into()));
                };
                if end < begin {
                    return Err(Invalid(format!(
                        "in a regular expression a range ends before it begins: {begin}-{end}"
                    )));
                }
                self.out.push('-');
                push_literal(&mut self.out, end);
                continue;
            }
            let member = self.member_of(char)?;
            self.out.push_str(&member.alone());
            from = match member {
                Escaped::Literal(char) => Some(char),
                Escaped::Set(..) => None,
            };
        }
        self.out.push(']');
        Ok(())
    }

    /// The next member of a class.
    fn member(&mut self) -> Result<Escaped, Invalid> {
        let char = self.next().ok_or_else(not_closed)?;
        self.member_of(char)
    }

    /// The member of a class that begins with this sign.
    fn member_of(&mut self, char: char) -> Result<Escaped, Invalid> {
        match char {
            '\\' => self.escaped(),
            char if char.is_ascii_alphanumeric() || SYMBOLS.contains(char) || OPERATORS.contains(char) => {
                Ok(Escaped::Literal(char))
            }
            char => Err(unsupported(char)),
        }
    }

    /// The numbers whose `{` was taken.
    fn repeat(&mut self) -> Result<(), Invalid> {
        let not_numbers = || {
            Invalid(format!(
                "in a regular expression stands {{m}}, {{m,}}, {{,n}} or {{m,n}}, of numbers up to {REPEAT_MAX}; a brace is \\{{"
            ))
        };
        let (numbers, rest) = self.rest.split_once('}').ok_or_else(not_numbers)?;
        self.rest = rest;
        let number = |text: &str| -> Result<Option<u32>, Invalid> {
            match text.trim() {
                "" => Ok(None),
                digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let number: u32 = digits.parse().map_err(|_| not_numbers())?;
                    if number <= REPEAT_MAX { Ok(Some(number)) } else { Err(not_numbers()) }
                }
                _ => Err(not_numbers()),
            }
        };
        // Writing into a String cannot fail.
        let _ = match numbers.split_once(',') {
            None => write!(self.out, "{{{}}}", number(numbers)?.ok_or_else(not_numbers)?),
            Some((least, most)) => match (number(least)?, number(most)?) {
                (None, None) => return Err(not_numbers()),
                (least, None) => write!(self.out, "{{{},}}", least.unwrap_or(0)),
                (least, Some(most)) if least.unwrap_or(0) <= most => {
                    write!(self.out, "{{{},{most}}}", least.unwrap_or(0))
                }
                (Some(_) | None, Some(_)) => return Err(not_numbers()),
            },
        };
        Ok(())
    }
}

/// What a `\` and what follows it mean.
enum Escaped {
    Literal(char),
    /// The inside of a class, and whether all others are meant.
    Set(&'static str, bool),
}

impl Escaped {
    /// It as an expression, which may stand in a class too.
    fn alone(&self) -> String {
        match self {
            Self::Literal(char) => {
                let mut out = String::new();
                push_literal(&mut out, *char);
                out
            }
            Self::Set(inside, false) => format!("[{inside}]"),
            Self::Set(inside, true) => format!("[^{inside}]"),
        }
    }
}

/// A sign in a spelling that never means anything else.
fn push_literal(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() {
        out.push(char);
    } else {
        let _ = write!(out, r"\x{:02X}", u32::from(char));
    }
}

fn not_closed() -> Invalid {
    Invalid("in a regular expression a `[` is not closed".into())
}

fn unsupported(char: char) -> Invalid {
    if char.is_ascii() {
        let code = u32::from(char);
        return Invalid(format!(r"`{char}` is not supported in a regular expression: write \x{code:02X}"));
    }
    Invalid(format!("`{char}` is not supported in a regular expression, only ASCII is"))
}

//! What conditions on JSON and on columns have in common: comparisons, `&&` and `||`,
//! and parentheses.

use super::operand::{Comparison, Operand, Order, Text};
use super::regex::Regex;
use super::{Invalid, quoted};

/// How deep parentheses may stand.
const DEPTH_MAX: usize = 32;
/// Regular expressions of one pattern (AWS, "Filter pattern syntax", Quotas).
pub(super) const REGEXES_MAX: usize = 2;

/// Conditions, joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression<T> {
    Any(Vec<Expression<T>>),
    All(Vec<Expression<T>>),
    One(T),
}

impl<T> Expression<T> {
    pub(super) fn is_met(&self, one: &mut impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.is_met(one)),
            Self::All(parts) => parts.iter().all(|part| part.is_met(one)),
            Self::One(condition) => one(condition),
        }
    }
}

/// Reads one condition.
pub(super) type ReadOne<'a, T> = fn(&mut Reader<'a>) -> Result<T, Invalid>;

pub(super) struct Reader<'a> {
    /// Without white space before it.
    pub(super) rest: &'a str,
    depth: usize,
    regexes: usize,
    /// Wildcards among the members that were named.
    pub(super) wildcards: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.trim_start(), depth: 0, regexes: 0, wildcards: 0 }
    }

    pub(super) fn expected(&self, what: &str) -> Invalid {
        let found: String = self.rest.chars().take(20).collect();
        Invalid(if found.is_empty() {
            format!("it ends where {what} is expected")
        } else {
            format!("{what} is expected before `{found}`")
        })
    }

    pub(super) fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        taken
    }

    pub(super) fn skip(&mut self, text: &str) -> bool {
        let there = self.rest.starts_with(text);
        if there {
            self.advance(text.len());
        }
        there
    }

    /// As many characters as these, perhaps none.
    pub(super) fn while_in(&mut self, these: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !these(char)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    /// Conditions with `||`, of which `&&` binds closer.
    pub(super) fn expression<T>(&mut self, one: ReadOne<'a, T>) -> Result<Expression<T>, Invalid> {
        let mut parts = vec![self.all(one)?];
        while self.skip("||") {
            parts.push(self.all(one)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all<T>(&mut self, one: ReadOne<'a, T>) -> Result<Expression<T>, Invalid> {
        let mut parts = vec![self.part(one)?];
        while self.skip("&&") {
            parts.push(self.part(one)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn part<T>(&mut self, one: ReadOne<'a, T>) -> Result<Expression<T>, Invalid> {
        if !self.skip("(") {
            return one(self).map(Expression::One);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Invalid(format!("parentheses stand deeper than {DEPTH_MAX}")));
        }
        let inner = self.expression(one)?;
        self.depth -= 1;
        if self.skip(")") { Ok(inner) } else { Err(self.expected("`&&`, `||` or `)`")) }
    }

    /// A comparison with what it compares with, if one is here.
    pub(super) fn comparison(&mut self) -> Result<Option<Comparison>, Invalid> {
        let orders = [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::Greater)];
        for (sign, order) in orders {
            if self.skip(sign) {
                return match self.operand()? {
                    Operand::Text(Text { number: Some(number), .. }) => Ok(Some(Comparison::Compare(order, number))),
                    Operand::Text(Text { text, .. }) => Err(Invalid(format!("{sign} takes a number: {text}"))),
                    Operand::Regex(_) => Err(Invalid(format!("{sign} takes a number, and no regular expression"))),
                };
            }
        }
        if self.skip("!=") {
            return Ok(Some(Comparison::Differs(self.operand()?)));
        }
        if self.skip("=") {
            return Ok(Some(Comparison::Equal(self.operand()?)));
        }
        Ok(None)
    }

    fn operand(&mut self) -> Result<Operand, Invalid> {
        if self.rest.starts_with('"') {
            let (text, rest) = quoted(self.rest)?;
            self.rest = rest.trim_start();
            return Ok(Operand::Text(Text { text, number: None, quoted: true }));
        }
        if self.rest.starts_with('%') {
            self.regexes += 1;
            if self.regexes > REGEXES_MAX {
                return Err(Invalid(format!("it has more than {REGEXES_MAX} regular expressions")));
            }
            let (regex, rest) = Regex::read(self.rest)?;
            self.rest = rest.trim_start();
            return Ok(Operand::Regex(regex));
        }
        let ends =
            |char: char| char.is_whitespace() || matches!(char, ')' | '}' | ']' | ',' | '&' | '|' | '(' | '"' | '%');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected("a text or a number"));
        }
        let text = self.advance(end);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(Operand::Text(Text { text: text.to_owned(), number, quoted: false }))
    }
}

fn one_or<T>(mut parts: Vec<Expression<T>>, many: impl Fn(Vec<Expression<T>>) -> Expression<T>) -> Expression<T> {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

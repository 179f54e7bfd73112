//! Conditions on a line that is JSON: `{ $.level = "ERROR" && $.ms > 100 }`.
//!
//! `=` and `!=` compare with a text, in which `*` stands for anything, or a number;
//! `<`, `<=`, `>` and `>=` with a number; and there are `IS TRUE`, `IS FALSE`,
//! `IS NULL` and `NOT EXISTS`. `&&` binds closer than `||`; parentheses group. A
//! member that is not there meets nothing but `NOT EXISTS`. `$.a.b`, `$['a.b']`,
//! `$.a[0]` and `$.a[*]` (any element) name members.

use serde_json::Value;

use super::{Invalid, quoted};

/// How deep parentheses may stand.
const DEPTH_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Member(Vec<Step>, Test),
}

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Element(usize),
    AnyElement,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equal(Operand),
    Differs(Operand),
    Compare(Order, f64),
    IsNull,
    Is(bool),
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a member is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    text: String,
    /// When it was written without quotation marks and is one.
    number: Option<f64>,
    /// Whether it stood in quotation marks: then it is no number's text either.
    quoted: bool,
}

/// Whether a line meets a condition; one that is no JSON object does not.
pub(super) fn matches(condition: &Condition, line: &str) -> bool {
    line.trim_start().starts_with('{')
        && serde_json::from_str::<Value>(line).is_ok_and(|value| condition.is_met(&value))
}

impl Condition {
    /// A text that stands in every line which meets this, unless it is written with
    /// escapes: that of a comparison which must hold.
    pub(super) fn needle(&self) -> Option<&str> {
        match self {
            Self::All(conditions) => conditions.iter().find_map(Self::needle),
            Self::Member(_, Test::Equal(operand)) if operand.number.is_none() => {
                let longest = operand.text.split('*').max_by_key(|part| part.len())?;
                // A number may be written in another way than it is compared in.
                let numeric = |char: char| char.is_ascii_digit() || matches!(char, '.' | '-' | '+' | 'e' | 'E');
                let plain = operand.quoted || !longest.chars().all(numeric);
                (plain && !longest.is_empty() && !longest.contains(['"', '\\'])).then_some(longest)
            }
            Self::Any(_) | Self::Member(..) => None,
        }
    }

    fn is_met(&self, value: &Value) -> bool {
        match self {
            Self::Any(conditions) => conditions.iter().any(|condition| condition.is_met(value)),
            Self::All(conditions) => conditions.iter().all(|condition| condition.is_met(value)),
            Self::Member(steps, Test::NotExists) => !reach(value, steps, &mut |_| true),
            Self::Member(steps, test) => reach(value, steps, &mut |found| test.is_met(found)),
        }
    }
}

/// Whether a value that the steps lead to is as asked.
fn reach(value: &Value, steps: &[Step], asked: &mut impl FnMut(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return asked(value) };
    match step {
        Step::Member(name) => value.get(name).is_some_and(|value| reach(value, rest, asked)),
        Step::Element(at) => value.get(at).is_some_and(|value| reach(value, rest, asked)),
        Step::AnyElement => value.as_array().is_some_and(|values| values.iter().any(|value| reach(value, rest, asked))),
    }
}

impl Test {
    fn is_met(&self, value: &Value) -> bool {
        match self {
            Self::Equal(operand) => operand.equals(value),
            Self::Differs(operand) => !operand.equals(value),
            Self::Compare(order, number) => value.as_f64().is_some_and(|value| match order {
                Order::Less => value < *number,
                Order::AtMost => value <= *number,
                Order::Greater => value > *number,
                Order::AtLeast => value >= *number,
            }),
            Self::IsNull => value.is_null(),
            Self::Is(expected) => value.as_bool() == Some(*expected),
            Self::NotExists => false,
        }
    }
}

impl Operand {
    fn equals(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => like(&self.text, text),
            Value::Number(number) if !self.quoted => match self.number {
                Some(expected) => number.as_f64() == Some(expected),
                None => like(&self.text, &number.to_string()),
            },
            _ => false,
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

pub(super) fn parse(text: &str) -> Result<Condition, Invalid> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let mut reader = Reader { rest: inner.trim_start(), depth: 0 };
    let condition = reader.any()?;
    if !reader.skip("}") {
        return Err(reader.expected("`&&`, `||` or `}`"));
    }
    if !reader.rest.is_empty() {
        return Err(Invalid(format!("something follows the last `}}`: {}", reader.rest)));
    }
    Ok(condition)
}

struct Reader<'a> {
    /// Without white space before it.
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn expected(&self, what: &str) -> Invalid {
        let found: String = self.rest.chars().take(20).collect();
        Invalid(if found.is_empty() {
            format!("it ends where {what} is expected")
        } else {
            format!("{what} is expected before `{found}`")
        })
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        taken
    }

    fn skip(&mut self, text: &str) -> bool {
        let there = self.rest.starts_with(text);
        if there {
            self.advance(text.len());
        }
        there
    }

    fn any(&mut self) -> Result<Condition, Invalid> {
        let mut conditions = vec![self.all()?];
        while self.skip("||") {
            conditions.push(self.all()?);
        }
        Ok(one_or(conditions, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Invalid> {
        let mut conditions = vec![self.one()?];
        while self.skip("&&") {
            conditions.push(self.one()?);
        }
        Ok(one_or(conditions, Condition::All))
    }

    fn one(&mut self) -> Result<Condition, Invalid> {
        if !self.skip("(") {
            let steps = self.selector()?;
            return Ok(Condition::Member(steps, self.test()?));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Invalid(format!("parentheses stand deeper than {DEPTH_MAX}")));
        }
        let condition = self.any()?;
        self.depth -= 1;
        if self.skip(")") { Ok(condition) } else { Err(self.expected("`&&`, `||` or `)`")) }
    }

    fn selector(&mut self) -> Result<Vec<Step>, Invalid> {
        let Some(mut rest) = self.rest.strip_prefix('$') else {
            return Err(self.expected("a member, as `$.name`,"));
        };
        let mut steps = Vec::new();
        loop {
            if let Some(after) = rest.strip_prefix(".[").or_else(|| rest.strip_prefix('[')) {
                let (step, after) = bracketed(after)?;
                steps.push(step);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(|char: char| !is_name(char)).unwrap_or(after.len());
                let (name, after) = after.split_at(end);
                if name.is_empty() {
                    return Err(Invalid("a name is expected after `.`".into()));
                }
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Err(Invalid("a name is expected after `$`, as `$.name`".into()));
        }
        self.rest = rest.trim_start();
        Ok(steps)
    }

    fn test(&mut self) -> Result<Test, Invalid> {
        for (sign, order) in [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::Greater)]
        {
            if self.skip(sign) {
                let operand = self.operand()?;
                let number =
                    operand.number.ok_or_else(|| Invalid(format!("{sign} takes a number: {}", operand.text)))?;
                return Ok(Test::Compare(order, number));
            }
        }
        if self.skip("!=") {
            return Ok(Test::Differs(self.operand()?));
        }
        if self.skip("=") {
            return Ok(Test::Equal(self.operand()?));
        }
        match (self.word().to_ascii_uppercase().as_str(), self.word().to_ascii_uppercase().as_str()) {
            ("IS", "NULL") => Ok(Test::IsNull),
            ("IS", "TRUE") => Ok(Test::Is(true)),
            ("IS", "FALSE") => Ok(Test::Is(false)),
            ("NOT", "EXISTS") => Ok(Test::NotExists),
            _ => Err(Invalid(
                "a comparison is expected after a member: =, !=, <, <=, >, >=, IS TRUE, IS FALSE, IS NULL or NOT EXISTS"
                    .into(),
            )),
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn operand(&mut self) -> Result<Operand, Invalid> {
        if self.rest.starts_with('"') {
            let (text, rest) = quoted(self.rest)?;
            self.rest = rest.trim_start();
            return Ok(Operand { text, number: None, quoted: true });
        }
        let ends = |char: char| char.is_whitespace() || matches!(char, ')' | '}' | '&' | '|' | '(' | '"');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected("a text or a number"));
        }
        let text = self.advance(end);
        if text.starts_with('%') {
            return Err(Invalid(format!("regular expressions are not supported yet: {text}")));
        }
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(Operand { text: text.to_owned(), number, quoted: false })
    }
}

fn one_or(mut conditions: Vec<Condition>, many: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            conditions.extend(last);
            many(conditions)
        }
    }
}

fn is_name(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-' | '@' | ':' | '/' | '#')
}

/// The step in brackets, of which the first was taken, and what follows it.
fn bracketed(text: &str) -> Result<(Step, &str), Invalid> {
    let quote = text.chars().next().filter(|char| matches!(char, '\'' | '"'));
    if let Some(quote) = quote {
        let inner = text.get(1..).unwrap_or_default();
        let closed = inner.find(quote).and_then(|at| {
            let after = inner.get(at + 1..)?.strip_prefix(']')?;
            Some((Step::Member(inner.get(..at)?.to_owned()), after))
        });
        return closed.ok_or_else(|| Invalid("a name in brackets is not closed, as in `$['name']`".into()));
    }
    let (inner, after) = text.split_once(']').ok_or_else(|| Invalid("a bracket is not closed".into()))?;
    match inner.trim() {
        "*" => Ok((Step::AnyElement, after)),
        number => {
            let at = number.parse();
            let at = at.map_err(|_| {
                Invalid(format!("in brackets stand a number, * or a name in quotation marks: {number}"))
            })?;
            Ok((Step::Element(at), after))
        }
    }
}

//! Conditions on a line that is JSON: `{ $.level = "ERROR" && $.ms > 100 }`.
//!
//! `=` and `!=` compare with a text, in which `*` stands for anything, a number, or a
//! regular expression; `<`, `<=`, `>` and `>=` with a number; and there are `IS TRUE`,
//! `IS FALSE`, `IS NULL` and `NOT EXISTS`. `&&` binds closer than `||`; parentheses
//! group. A member that is not there meets nothing but `NOT EXISTS`, and one that is an
//! object or an array no comparison. `$.a.b`, `$['a.b']`, `$.a[0]`, `$.a[*]` (any
//! element) and `$.*` (any member) name members.

use serde_json::Value;

use super::Invalid;
use super::operand::{Comparison, Operand};
use super::reader::{Expression, Reader};

/// Wildcards that one member may be named with, and all of a pattern together (AWS,
/// "Filter pattern syntax", Quotas).
const WILDCARDS_OF_ONE_MAX: usize = 1;
const WILDCARDS_MAX: usize = 3;

/// What a line must meet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition(Expression<Member>);

/// A member, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    steps: Vec<Step>,
    test: Test,
}

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    AnyMember,
    AnyElement,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Compare(Comparison),
    IsNull,
    Is(bool),
    NotExists,
}

/// Whether a line meets a condition; one that is no JSON object does not.
pub(super) fn matches(condition: &Condition, line: &str) -> bool {
    let Condition(expression) = condition;
    line.trim_start().starts_with('{')
        && serde_json::from_str::<Value>(line).is_ok_and(|value| expression.is_met(&mut |one| one.is_met(&value)))
}

impl Condition {
    /// A text that stands in every line which meets this, unless it is written with
    /// escapes: that of a comparison which must hold.
    pub(super) fn needle(&self) -> Option<&str> {
        fn of(expression: &Expression<Member>) -> Option<&str> {
            match expression {
                Expression::All(parts) => parts.iter().find_map(of),
                Expression::One(Member { test: Test::Compare(Comparison::Equal(Operand::Text(text))), .. }) => {
                    text.needle()
                }
                Expression::Any(_) | Expression::One(_) => None,
            }
        }
        of(&self.0)
    }
}

impl Member {
    fn is_met(&self, value: &Value) -> bool {
        match &self.test {
            Test::NotExists => !reach(value, &self.steps, &mut |_| true),
            test => reach(value, &self.steps, &mut |found| test.is_met(found)),
        }
    }
}

/// Whether a value that the steps lead to is as asked.
fn reach(value: &Value, steps: &[Step], asked: &mut impl FnMut(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return asked(value) };
    match step {
        Step::Member(name) => value.get(name).is_some_and(|value| reach(value, rest, asked)),
        Step::Element(at) => value.get(at).is_some_and(|value| reach(value, rest, asked)),
        Step::AnyMember => {
            value.as_object().is_some_and(|members| members.values().any(|value| reach(value, rest, asked)))
        }
        Step::AnyElement => value.as_array().is_some_and(|values| values.iter().any(|value| reach(value, rest, asked))),
    }
}

impl Test {
    fn is_met(&self, value: &Value) -> bool {
        match self {
            Self::Compare(comparison) => comparison.holds_for_value(value),
            Self::IsNull => value.is_null(),
            Self::Is(expected) => value.as_bool() == Some(*expected),
            Self::NotExists => false,
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Condition, Invalid> {
    let mut reader = Reader::new(text.strip_prefix('{').unwrap_or(text));
    let condition = reader.expression(member)?;
    if !reader.skip("}") {
        return Err(reader.expected("`&&`, `||` or `}`"));
    }
    if !reader.rest.is_empty() {
        return Err(Invalid(format!("something follows the last `}}`: {}", reader.rest)));
    }
    Ok(Condition(condition))
}

fn member(reader: &mut Reader<'_>) -> Result<Member, Invalid> {
    let steps = selector(reader)?;
    let wild = steps.iter().filter(|step| matches!(step, Step::AnyMember | Step::AnyElement)).count();
    reader.wildcards += wild;
    if wild > WILDCARDS_OF_ONE_MAX || reader.wildcards > WILDCARDS_MAX {
        return Err(Invalid(format!(
            "a member is named with at most {WILDCARDS_OF_ONE_MAX} wildcard `*`, and a pattern has at most {WILDCARDS_MAX}"
        )));
    }
    Ok(Member { steps, test: test(reader)? })
}

fn selector(reader: &mut Reader<'_>) -> Result<Vec<Step>, Invalid> {
    let Some(mut rest) = reader.rest.strip_prefix('$') else {
        return Err(reader.expected("a member, as `$.name`,"));
    };
    let mut steps = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(".[").or_else(|| rest.strip_prefix('[')) {
            let (step, after) = bracketed(after)?;
            steps.push(step);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(".*") {
            steps.push(Step::AnyMember);
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
    reader.rest = rest.trim_start();
    Ok(steps)
}

fn test(reader: &mut Reader<'_>) -> Result<Test, Invalid> {
    if let Some(comparison) = reader.comparison()? {
        return Ok(Test::Compare(comparison));
    }
    let mut word = || reader.while_in(|char| char.is_ascii_alphabetic()).to_ascii_uppercase();
    match (word().as_str(), word().as_str()) {
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

//! What values are compared with: texts, in which `*` stands for anything, numbers, and
//! regular expressions.

use serde_json::Value;

use super::regex::Regex;

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    Equal(Operand),
    Differs(Operand),
    Compare(Order, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What is compared with for being equal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Text(Text),
    Regex(Regex),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) text: String,
    /// When it was written without quotation marks and is one.
    pub(super) number: Option<f64>,
    /// Whether it stood in quotation marks: then it is no number's text either.
    pub(super) quoted: bool,
}

impl Order {
    fn holds(self, value: f64, than: f64) -> bool {
        match self {
            Self::Less => value < than,
            Self::AtMost => value <= than,
            Self::Greater => value > than,
            Self::AtLeast => value >= than,
        }
    }
}

impl Comparison {
    /// Whether a column's text meets it.
    pub(super) fn holds_for(&self, text: &str) -> bool {
        match self {
            Self::Equal(operand) => operand.is(text),
            Self::Differs(operand) => !operand.is(text),
            Self::Compare(order, than) => text.parse().is_ok_and(|value: f64| order.holds(value, *than)),
        }
    }

    /// Whether a member's value meets it. An object or an array meets none.
    pub(super) fn holds_for_value(&self, value: &Value) -> bool {
        match self {
            _ if value.is_object() || value.is_array() => false,
            Self::Equal(operand) => operand.equals(value),
            Self::Differs(operand) => !operand.equals(value),
            Self::Compare(order, than) => value.as_f64().is_some_and(|value| order.holds(value, *than)),
        }
    }
}

impl Operand {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_in(text),
            Self::Text(operand) => {
                let same = |number: f64| text.parse::<f64>().is_ok_and(|value| value == number);
                like(&operand.text, text) || operand.number.is_some_and(same)
            }
        }
    }

    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Regex(regex), Value::String(text)) => regex.is_in(text),
            (Self::Regex(regex), Value::Number(number)) => regex.is_in(&number.to_string()),
            (Self::Text(operand), Value::String(text)) => like(&operand.text, text),
            (Self::Text(operand), Value::Number(number)) if !operand.quoted => match operand.number {
                Some(expected) => number.as_f64() == Some(expected),
                None => like(&operand.text, &number.to_string()),
            },
            _ => false,
        }
    }
}

impl Text {
    /// A text that stands in every JSON text with a member that is equal, unless that
    /// is written with escapes.
    pub(super) fn needle(&self) -> Option<&str> {
        if self.number.is_some() {
            return None;
        }
        let longest = self.text.split('*').max_by_key(|part| part.len())?;
        // A number may be written in another way than it is compared in.
        let numeric = |char: char| char.is_ascii_digit() || matches!(char, '.' | '-' | '+' | 'e' | 'E');
        let plain = self.quoted || !longest.chars().all(numeric);
        (plain && !longest.is_empty() && !longest.contains(['"', '\\'])).then_some(longest)
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

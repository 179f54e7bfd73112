//! Conditions on the columns of a line: `[ip, user, ..., status = 4*, bytes > 1000]`.
//!
//! A line's columns are what white space parts; what stands in quotation marks or
//! brackets is one, without them. A pattern names them in order: a name, or none, is one
//! column, `...` any number of them, once. Without `...` the last name takes all the
//! rest of the line, so that `[level = ERROR, rest]` asks for the first word of lines of
//! any length. A column is compared as a member of JSON is, and by its own name only;
//! `&&` binds closer than `||`, and parentheses group. All columns must be there.

use super::Invalid;
use super::operand::Comparison;
use super::reader::{Expression, Reader};

/// What a line's columns must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    first: Vec<Column>,
    /// Those at the end of the line, when `...` stands before them.
    last: Option<Vec<Column>>,
}

/// What is asked of one column.
type Column = Option<Expression<Comparison>>;

/// A comparison, and the name of what it compares.
type Named<'a> = (&'a str, Option<Comparison>);

pub(super) fn parse(text: &str) -> Result<Columns, Invalid> {
    let mut reader = Reader::new(text.strip_prefix('[').unwrap_or(text));
    let mut columns = Columns { first: Vec::new(), last: None };
    loop {
        if reader.skip("...") {
            if columns.last.replace(Vec::new()).is_some() {
                return Err(Invalid("`...` stands once at most".into()));
            }
        } else {
            let column = column(&mut reader)?;
            columns.last.as_mut().unwrap_or(&mut columns.first).push(column);
        }
        if reader.skip("]") {
            break;
        }
        if !reader.skip(",") {
            return Err(reader.expected("a comparison, `&&`, `||`, `,` or `]`"));
        }
    }
    if !reader.rest.is_empty() {
        return Err(Invalid(format!("something follows the last `]`: {}", reader.rest)));
    }
    Ok(columns)
}

/// What stands between two commas.
fn column(reader: &mut Reader<'_>) -> Result<Column, Invalid> {
    if reader.rest.starts_with([',', ']']) {
        return Ok(None);
    }
    let mut name = None;
    let named = reader.expression(named)?;
    same_column(named, &mut name)
}

fn named<'a>(reader: &mut Reader<'a>) -> Result<Named<'a>, Invalid> {
    let name = reader.while_in(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | '$' | '@' | '.'));
    if name.is_empty() {
        return Err(reader.expected("the name of a column"));
    }
    Ok((name, reader.comparison()?))
}

/// Takes the names away, which are all the same.
fn same_column<'a>(named: Expression<Named<'a>>, name: &mut Option<&'a str>) -> Result<Column, Invalid> {
    let mut parts = |parts: Vec<Expression<Named<'a>>>| -> Result<Vec<Expression<Comparison>>, Invalid> {
        let part = |part| {
            let missing = || Invalid("a name without a comparison stands beside `&&` or `||`".into());
            same_column(part, name)?.ok_or_else(missing)
        };
        parts.into_iter().map(part).collect()
    };
    match named {
        Expression::Any(any) => parts(any).map(|parts| Some(Expression::Any(parts))),
        Expression::All(all) => parts(all).map(|parts| Some(Expression::All(parts))),
        Expression::One((this, comparison)) => {
            let before = *name.get_or_insert(this);
            if before != this {
                return Err(Invalid(format!(
                    "a condition is on one column, and not on {before} and {this}: a comma stands between columns"
                )));
            }
            Ok(comparison.map(Expression::One))
        }
    }
}

impl Columns {
    pub(super) fn matches(&self, line: &str) -> bool {
        let line = line.trim();
        match &self.last {
            None => self.to_the_end(line),
            Some(last) if last.is_empty() => starts(&self.first, &mut Cells { rest: line }),
            Some(last) => {
                let mut cells = Cells { rest: line };
                if !starts(&self.first, &mut cells) {
                    return false;
                }
                let rest: Vec<&str> = cells.collect();
                let Some(before) = rest.len().checked_sub(last.len()) else { return false };
                last.iter().zip(rest.iter().skip(before)).all(|(column, cell)| is_met(column, cell))
            }
        }
    }

    /// The last column takes what is left of the line.
    fn to_the_end(&self, line: &str) -> bool {
        let Some((last, before)) = self.first.split_last() else { return false };
        let mut cells = Cells { rest: line };
        if !starts(before, &mut cells) {
            return false;
        }
        let rest = cells.rest;
        let Some(cell) = cells.next() else { return false };
        is_met(last, if cells.rest.is_empty() { cell } else { rest })
    }
}

/// Whether the next cells are as these columns ask.
fn starts(columns: &[Column], cells: &mut Cells<'_>) -> bool {
    columns.iter().all(|column| cells.next().is_some_and(|cell| is_met(column, cell)))
}

fn is_met(column: &Column, cell: &str) -> bool {
    column.as_ref().is_none_or(|expression| expression.is_met(&mut |comparison| comparison.holds_for(cell)))
}

/// What a line's columns hold.
struct Cells<'a> {
    /// Without white space around it.
    rest: &'a str,
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let closing = match self.rest.chars().next()? {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let enclosed = closing.and_then(|closing| self.rest.get(1..)?.split_once(closing));
        let (cell, rest) = match enclosed {
            Some(enclosed) => enclosed,
            None => self.rest.split_once(char::is_whitespace).unwrap_or((self.rest, "")),
        };
        self.rest = rest.trim_start();
        Some(cell)
    }
}

//! What commands print: machine-readable JSON, or text that is dressed up on a
//! terminal and plain in a pipe.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Table, presets};
use serde::Serialize;

use super::failure::Failure;

/// Colours. The streams of `anstream` leave them out where they do not belong:
/// off a terminal, and with NO_COLOR.
pub(crate) mod style {
    use anstyle::{AnsiColor, Color, Reset, Style};

    const fn colour(colour: AnsiColor) -> Style {
        Style::new().fg_color(Some(Color::Ansi(colour)))
    }

    pub(crate) const ERROR: Style = colour(AnsiColor::Red).bold();
    pub(crate) const WARNING: Style = colour(AnsiColor::Yellow).bold();
    pub(crate) const NEXT: Style = colour(AnsiColor::Cyan);
    pub(crate) const GOOD: Style = colour(AnsiColor::Green);
    pub(crate) const STRONG: Style = Style::new().bold();
    pub(crate) const FAINT: Style = Style::new().dimmed();
    pub(crate) const PLAIN: Reset = Reset;
}

/// The form of a command's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON value, or one a line where there are many.
    Json,
    /// For spreadsheets: `usage` alone prints it.
    Csv,
}

/// Prints a command's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    /// An output of this form.
    pub(crate) const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Whether a spreadsheet reads it.
    pub(crate) fn is_csv(self) -> bool {
        self.format == Format::Csv
    }

    /// A table as CSV (RFC 4180). A cell that a spreadsheet would take for a formula
    /// does not come up: names begin with a letter, a digit, `$`, `(`, `-` or `_`.
    pub(crate) fn csv(self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        let cell = |text: &str| match text.contains([',', '"', '\r', '\n']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
        let mut text = line(header.iter().map(|name| cell(name)).collect());
        rows.iter().for_each(|row| text.push_str(&line(row.iter().map(|name| cell(name)).collect())));
        self.bytes(text.as_bytes())
    }

    /// A line of text on standard output.
    pub(crate) fn line(self, text: impl Display) -> Result<(), Failure> {
        writeln!(anstream::stdout().lock(), "{text}").map_err(|error| written(&error))
    }

    /// A remark on standard error, out of the answer's way.
    pub(crate) fn note(self, text: impl Display) {
        // A remark that nobody can read is no reason to stop.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// A remark that must be seen.
    pub(crate) fn warning(self, text: impl Display) {
        self.note(format_args!("{}warning:{} {text}", style::WARNING, style::PLAIN));
    }

    /// One JSON value: laid out on a terminal, on one line in a pipe.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = if is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let mut text = text.map_err(|error| Failure::new(format!("writing JSON: {error}")))?;
        text.push('\n');
        self.bytes(text.as_bytes())
    }

    /// One JSON value on a line of its own.
    pub(crate) fn json_line(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::new(format!("writing JSON: {error}")))?;
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Bytes exactly as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| written(&error))
    }

    /// A table on a terminal; a line a row with tabs between, in a pipe.
    pub(crate) fn table(self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        if is_terminal() {
            return self.line(drawn(header, rows));
        }
        self.line(header.join("\t"))?;
        rows.iter().try_for_each(|row| self.line(row.join("\t")))
    }

    /// Names and values, one pair a line.
    pub(crate) fn pairs(self, pairs: &[(&str, String)]) -> Result<(), Failure> {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in pairs {
            self.line(format_args!("{}{name:width$}{}  {}", style::FAINT, style::PLAIN, printable(value)))?;
        }
        Ok(())
    }
}

/// A table as people like it.
pub(crate) fn drawn(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    table.to_string()
}

/// Whether a person reads standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

fn written(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::silent(),
        _ => Failure::io("writing the answer", error),
    }
}

/// Text of others, made harmless: a function's log line or error must not move a
/// terminal's cursor or change its title.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(printable("a\tb\nc"), "a\tb\nc");
        assert_eq!(printable("\u{1b}[2Jx\r"), "\\u{1b}[2Jx\\u{d}");
    }
}

//! How a command ends that could not do its work: what happened, and what to do
//! next.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::output::{Output, style};

/// The work was tried and did not succeed.
const FAILED: u8 = 1;
/// The command line makes no sense, or `verify` cannot read what it names.
const USAGE: u8 = 2;

/// What a command answers.
pub(crate) type Done = Result<ExitCode, Failure>;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened; empty when there is nobody to tell.
    text: String,
    /// What the user can do.
    next: Option<String>,
    /// The name of the API's exception, if it was one.
    exception: Option<String>,
    /// Whether standard output tells of it already.
    told: bool,
    code: u8,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: None, exception: None, told: false, code: FAILED }
    }

    /// A failure with exit code 2: nothing was tried.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(text) }
    }

    /// Adds what was being done, to what the operating system said.
    pub(crate) fn io(doing: impl Display, error: &io::Error) -> Self {
        Self::new(format!("{doing}: {error}"))
    }

    /// A reader that left, having read enough: nothing is said, and the exit
    /// code is 0.
    pub(crate) fn silent() -> Self {
        Self { code: 0, ..Self::new("") }
    }

    /// Whether it is only that the reader left.
    pub(crate) fn is_silent(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds the next step.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    /// Makes it a failure with exit code 2.
    pub(crate) fn into_usage(self) -> Self {
        Self { code: USAGE, ..self }
    }

    /// Makes it a failure with exit code 1.
    pub(crate) fn into_failed(self) -> Self {
        Self { code: FAILED, ..self }
    }

    /// Adds the next step, if there is one.
    pub(crate) fn next_if(self, step: Option<impl Into<String>>) -> Self {
        match step {
            Some(step) => self.next(step),
            None => self,
        }
    }

    /// Remembers that standard output tells of it already.
    pub(crate) fn told(self) -> Self {
        Self { told: true, ..self }
    }

    /// Says what was being done.
    pub(crate) fn while_doing(self, doing: impl Display) -> Self {
        Self { text: format!("{doing}: {}", self.text), ..self }
    }

    /// Remembers the API's name for it.
    pub(crate) fn with_exception(mut self, name: impl Into<String>) -> Self {
        self.exception = Some(name.into());
        self
    }

    /// The API's name for it, if it was an answer of the API.
    pub(crate) fn exception(&self) -> Option<&str> {
        self.exception.as_deref()
    }

    /// What happened.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the user can do.
    #[cfg(test)]
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The failure for programs: `Type`, `Message` and `Next`, those that there are.
    pub(crate) fn to_json(&self) -> Value {
        let mut members = Map::new();
        let mut message = self.text.as_str();
        if let Some(exception) = &self.exception {
            members.insert("Type".to_owned(), exception.as_str().into());
            let prefix = message.strip_prefix(exception.as_str()).and_then(|rest| rest.strip_prefix(": "));
            message = prefix.unwrap_or(message);
        }
        members.insert("Message".to_owned(), message.into());
        if let Some(step) = &self.next {
            members.insert("Next".to_owned(), step.as_str().into());
        }
        Value::Object(members)
    }

    /// Prints it, on standard error and for programs on standard output, too;
    /// answers the exit code.
    pub(crate) fn report(&self, output: Output) -> ExitCode {
        if !self.is_silent() {
            if output.is_json() && !self.told {
                // With standard output gone standard error still tells.
                let _ = output.json(&json!({ "Error": self.to_json() }));
            }
            let mut stderr = anstream::stderr().lock();
            let (error, next, plain) = (style::ERROR, style::NEXT, style::PLAIN);
            let text = super::output::printable(&self.text);
            // With standard error gone there is no one left to tell.
            let _ = writeln!(stderr, "{error}error:{plain} {text}");
            if let Some(step) = &self.next {
                let _ = writeln!(stderr, "{next}next:{plain} {}", super::output::printable(step));
            }
        }
        ExitCode::from(self.code)
    }

    /// The exit code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

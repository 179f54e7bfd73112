//! How a command ends that could not do its work: what happened, and what to do
//! next.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use super::output::style;

/// The work was tried and did not succeed.
const FAILED: u8 = 1;
/// The command line, or a file it names, makes no sense.
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
    code: u8,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), next: None, exception: None, code: FAILED }
    }

    /// A failure with exit code 2: nothing was tried.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(text) }
    }

    /// Adds what was being done, to what the operating system said.
    pub(crate) fn io(doing: impl Display, error: &io::Error) -> Self {
        Self::new(format!("{doing}: {error}"))
    }

    /// A reader that left: nothing is said, as there is nobody to read it.
    pub(crate) fn silent() -> Self {
        Self::new("")
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

    /// Prints it on standard error and answers the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.text.is_empty() {
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

//! Tells what happens, step by step, with how long each took.

use std::fmt::Display;
use std::time::Duration;

use lamina_kit::{Clock as _, SystemClock};
use serde::Serialize;
use serde_json::{Value, json};

use super::workplace::Workplace;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Output, style};

/// Tells the steps on standard output; on standard error where standard output
/// is for programs, which get one JSON value at the end.
#[derive(Debug)]
pub(super) struct Narrator {
    output: Output,
    clock: SystemClock,
    steps: Vec<Step>,
    /// The title of the step that is under way, and since when.
    current: Option<(String, Duration)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    title: String,
    ok: bool,
    milliseconds: u128,
}

impl Narrator {
    pub(super) fn new(output: Output) -> Self {
        Self { output, clock: SystemClock::new(), steps: Vec::new(), current: None }
    }

    /// Time since it began to tell.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: impl Into<String>) -> Result<(), Failure> {
        let title = title.into();
        let (strong, plain) = (style::STRONG, style::PLAIN);
        self.say(format_args!("{strong}{}. {title}{plain}", self.steps.len() + 1))?;
        self.current = Some((title, self.clock.monotonic()));
        Ok(())
    }

    /// Something about the step that is under way.
    pub(super) fn detail(&self, text: impl Display) -> Result<(), Failure> {
        self.say(format_args!("   {}", output::printable(&text.to_string())))
    }

    /// The step that is under way worked.
    pub(super) fn done(&mut self) -> Result<(), Failure> {
        let took = self.end(true);
        let tick = if output::is_terminal() { "\u{2713}" } else { "ok" };
        let (good, faint, plain) = (style::GOOD, style::FAINT, style::PLAIN);
        self.say(format_args!("   {good}{tick}{plain} {faint}{:.2} s{plain}", took.as_secs_f64()))
    }

    /// The step that is under way did not work, and others go on.
    pub(super) fn went_wrong(&mut self) -> Result<(), Failure> {
        let cross = self.cross();
        self.say(cross)
    }

    /// Ends the step that is under way; the line that says that it did not work.
    fn cross(&mut self) -> String {
        let took = self.end(false);
        let cross = if output::is_terminal() { "\u{2717}" } else { "failed" };
        let (bad, faint, plain) = (style::ERROR, style::FAINT, style::PLAIN);
        format!("   {bad}{cross}{plain} {faint}{:.2} s{plain}", took.as_secs_f64())
    }

    /// The step that is under way did not work: the last thing that is told.
    pub(super) fn failed(&mut self, failure: &Failure) {
        if self.current.is_some() {
            let cross = self.cross();
            // The failure itself is told whether or not this can be.
            let _ = self.say(cross);
        }
        if self.output.is_json() {
            let _ = self.output.json(&json!({ "Ok": false, "Steps": self.steps, "Error": failure.to_json() }));
        }
    }

    /// All steps worked.
    pub(super) fn finish(&self, client: &Client, place: &Workplace, functions: &[Value]) -> Result<(), Failure> {
        if self.output.is_json() {
            return heard(self.output.json_line(&json!({
                "Ok": true,
                "Endpoint": client.endpoint().to_string(),
                "Data": place.data,
                "Functions": functions,
                "Steps": self.steps,
            })));
        }
        let (good, plain) = (style::GOOD, style::PLAIN);
        let took = self.clock.monotonic().as_secs_f64();
        self.say(format_args!("\n{good}all {} steps worked{plain}, in {took:.1} s", self.steps.len()))
    }

    /// A line between steps.
    pub(super) fn aside(&self, text: impl Display) -> Result<(), Failure> {
        self.say(text)
    }

    fn end(&mut self, ok: bool) -> Duration {
        let (title, since) = self.current.take().unwrap_or_default();
        let took = self.clock.monotonic().saturating_sub(since);
        self.steps.push(Step { title, ok, milliseconds: took.as_millis() });
        took
    }

    fn say(&self, text: impl Display) -> Result<(), Failure> {
        if self.output.is_json() {
            self.output.note(text);
            return Ok(());
        }
        heard(self.output.line(text))
    }
}

/// The exit code is to tell whether every step worked: it goes on when nobody
/// listens any more.
fn heard(said: Result<(), Failure>) -> Result<(), Failure> {
    match said {
        Err(failure) if failure.is_silent() => Ok(()),
        said => said,
    }
}

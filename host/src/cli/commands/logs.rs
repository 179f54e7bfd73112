//! `lamina logs NAME`.

use std::process::ExitCode;
use std::time::Duration;

use lamina_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client, Error};
use crate::cli::failure::{Done, Failure};
use crate::cli::output::{printable, style};
use crate::cli::target::TargetArgs;

/// Lines asked for at a time.
const PAGE: u32 = 1_000;
/// A thousand lines of 64 KiB, and what JSON adds at worst, are not to be held:
/// a log group has 4 MiB of text.
const PAGE_BYTES_MAX: usize = 64 << 20;
/// How long the platform holds an answer back until there is a line.
const WAIT: Duration = Duration::from_secs(20);

/// Print a function's log lines
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// The function
    #[arg(value_parser = super::function)]
    name: String,
    /// Go on as lines are written, until interrupted
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// One line of a log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Line {
    sequence: u64,
    /// Milliseconds since the Unix epoch.
    timestamp: u64,
    stream: String,
    pub(crate) message: String,
}

/// A page of lines.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    pub(crate) events: Vec<Line>,
    /// What the next page is asked for after.
    pub(crate) next_after: u64,
}

/// The log group that a function writes to.
pub(crate) async fn group(client: &Client, name: &str) -> Result<String, Failure> {
    let call = Call::get(&["2015-03-31", "functions", name, "configuration"]);
    let configuration: Value = client.call(call).await?.json()?;
    let group = configuration.pointer("/LoggingConfig/LogGroup").and_then(Value::as_str);
    group.map(str::to_owned).ok_or_else(|| Failure::new("the function's configuration names no log group"))
}

/// Which lines are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Those after this sequence number.
    pub(crate) after: u64,
    /// How long to wait for the first.
    pub(crate) wait: Duration,
}

/// Some lines of a log group.
pub(crate) async fn page(client: &Client, group: &str, asked: Asked) -> Result<Page, Error> {
    let call = Call::get(&["lamina", "v1", "logs", group])
        .query("After", &asked.after.to_string())
        .query("Limit", &PAGE.to_string())
        .query("WaitMs", &asked.wait.as_millis().to_string())
        .answer_bytes_max(PAGE_BYTES_MAX);
    let answer = client.call(call).await?;
    serde_json::from_slice(&answer.body).map_err(|error| Error::Unreadable(error.to_string()))
}

impl LogsArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let group = group(&client, &self.name).await?;
        let mut after = 0;
        loop {
            let wait = if self.follow { WAIT } else { Duration::ZERO };
            let page = page(&client, &group, Asked { after, wait }).await?;
            for line in &page.events {
                print(ctx, line)?;
            }
            if !self.follow && page.events.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            // A function that is deleted leaves a log in which nothing is written again.
            if page.events.is_empty() {
                still_there(&client, &self.name).await?;
            }
            after = page.next_after;
        }
    }
}

async fn still_there(client: &Client, name: &str) -> Result<(), Failure> {
    match client.call(Call::get(&["2015-03-31", "functions", name, "configuration"])).await {
        Ok(_) => Ok(()),
        Err(error) if error.is("ResourceNotFoundException") => {
            Err(Failure::new(format!("{name} was deleted: its log ends here"))
                .next("see which functions there are: lamina list"))
        }
        Err(error) => Err(error.into()),
    }
}

fn print(ctx: &Ctx, line: &Line) -> Result<(), Failure> {
    if ctx.output.is_json() {
        return ctx.output.json_line(line);
    }
    let time = Timestamp::from_millis(line.timestamp).to_iso_millis();
    let (faint, plain) = (style::FAINT, style::PLAIN);
    ctx.output.line(format_args!("{faint}{time}{plain} {}", printable(&line.message)))
}

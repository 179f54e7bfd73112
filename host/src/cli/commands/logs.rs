//! `lamina logs NAME`.

mod since;

use std::process::ExitCode;
use std::time::Duration;

use anstyle::Style;
use lamina_kit::{Clock as _, SystemClock};
use lamina_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::since::Since;
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
///
/// Whether they are still in memory or on the disk since long ago makes no
/// difference. A log outlives its function, and is shown then too, if it is the
/// function's own: aws logs delete-log-group removes it.
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// The function
    #[arg(value_parser = super::function)]
    name: String,
    /// Go on as lines are written, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// Only lines that match a filter pattern of CloudWatch Logs, such as
    /// 'ERROR -timeout', '"two words"', '?WARN ?ERROR', '%code=5\d\d%',
    /// '{ $.level = "ERROR" }' or '[level = ERROR, ..., ms > 100]'
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Only lines since then: 90s, 5m, 2h or 1d ago, or a time such as
    /// 2026-11-23T10:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    /// Only lines of this call, and those that name it
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
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
    /// The call that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    pub(crate) message: String,
}

/// A page of lines.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    pub(crate) events: Vec<Line>,
    /// What the next page is asked for after.
    pub(crate) next_after: u64,
    /// Whether there is more to ask for already.
    more: bool,
}

/// The log group that a function writes to.
pub(crate) async fn group(client: &Client, name: &str) -> Result<String, Failure> {
    let call = Call::get(&["2015-03-31", "functions", name, "configuration"]);
    let configuration: Value = client.call(call).await?.json()?;
    let group = configuration.pointer("/LoggingConfig/LogGroup").and_then(Value::as_str);
    group.map(str::to_owned).ok_or_else(|| Failure::new("the function's configuration names no log group"))
}

/// The log group of a function, and whether that is gone: then it is the one that a
/// function writes to unless it is told otherwise, if there are lines in it.
async fn kept_group(client: &Client, name: &str) -> Result<(String, bool), Failure> {
    let gone = match group(client, name).await {
        Ok(group) => return Ok((group, false)),
        Err(failure) if failure.exception() == Some("ResourceNotFoundException") => failure,
        Err(failure) => return Err(failure),
    };
    let (name, _) = super::parts(name)?;
    let group = format!("/aws/lambda/{name}");
    let first = page(client, &group, Asked::default()).await?;
    if first.events.is_empty() && first.next_after == 0 { Err(gone) } else { Ok((group, true)) }
}

/// Which lines are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    /// Those after this sequence number.
    pub(crate) after: u64,
    /// How long to wait for the first.
    pub(crate) wait: Duration,
    /// Those that match.
    pub(crate) filter: Option<&'a str>,
    /// Those not before this, in milliseconds since the Unix epoch.
    pub(crate) start_ms: Option<u64>,
    /// Those of this call.
    pub(crate) request_id: Option<&'a str>,
}

/// Some lines of a log group.
pub(crate) async fn page(client: &Client, group: &str, asked: Asked<'_>) -> Result<Page, Error> {
    let mut call = Call::get(&["lamina", "v1", "logs", group])
        .query("After", &asked.after.to_string())
        .query("Limit", &PAGE.to_string())
        .query("WaitMs", &asked.wait.as_millis().to_string())
        .answer_bytes_max(PAGE_BYTES_MAX);
    if let Some(filter) = asked.filter {
        call = call.query("Filter", filter);
    }
    if let Some(start_ms) = asked.start_ms {
        call = call.query("StartMs", &start_ms.to_string());
    }
    if let Some(request_id) = asked.request_id {
        call = call.query("RequestId", request_id);
    }
    let answer = client.call(call).await?;
    serde_json::from_slice(&answer.body).map_err(|error| Error::Unreadable(error.to_string()))
}

impl LogsArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let (group, is_gone) = kept_group(&client, &self.name).await?;
        if is_gone {
            ctx.output.warning(format_args!("the function {} is gone; its log {group} is kept", self.name));
        }
        let follow = self.follow && !is_gone;
        let now = Timestamp(SystemClock::new().epoch_micros());
        let mut asked = Asked {
            after: 0,
            wait: if follow { WAIT } else { Duration::ZERO },
            filter: self.filter.as_deref(),
            start_ms: self.since.map(|since| since.before(now).millis()),
            request_id: self.request_id.as_deref(),
        };
        loop {
            let page = page(&client, &group, asked).await?;
            for line in &page.events {
                print(ctx, line)?;
            }
            if !follow && page.events.is_empty() && !page.more {
                return Ok(ExitCode::SUCCESS);
            }
            // A function that is deleted leaves a log in which nothing is written again.
            if page.events.is_empty() && !page.more && page.next_after == asked.after {
                still_there(&client, &self.name).await?;
            }
            asked.after = page.next_after;
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
    let (faint, plain, style) = (style::FAINT, style::PLAIN, colour(&line.message));
    ctx.output.line(format_args!("{faint}{time}{plain} {style}{}{plain}", printable(&line.message)))
}

/// How a line looks on a terminal: what the platform says is faint, and what is wrong
/// stands out.
fn colour(message: &str) -> Style {
    let said =
        |level: &str| message.contains(&format!("\t{level}\t")) || message.contains(&format!("\"level\":\"{level}\""));
    let platform = ["INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "{\"time\":"];
    if platform.iter().any(|begin| message.starts_with(begin)) {
        style::FAINT
    } else if said("ERROR") || message.starts_with("LAMINA ") || message.starts_with("INIT_REPORT ") {
        style::ERROR
    } else if said("WARN") {
        style::WARNING
    } else {
        Style::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_as_what_they_say() {
        for (message, expect) in [
            ("START RequestId: x Version: 1", style::FAINT),
            ("{\"time\":\"T\",\"type\":\"platform.start\"}", style::FAINT),
            ("INIT_START Runtime Version: x", style::FAINT),
            // It is there only where the init failed.
            ("INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: error\tError Type: T", style::ERROR),
            ("T\tID\tERROR\tbad", style::ERROR),
            ("{\"timestamp\":\"T\",\"level\":\"WARN\"}", style::WARNING),
            ("an ERROR in a text", Style::new()),
        ] {
            assert_eq!(colour(message), expect, "{message}");
        }
    }
}

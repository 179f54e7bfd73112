//! `lamina top`: which functions run, how often, how long, and how they fail.

mod view;

use std::process::ExitCode;
use std::time::Duration;

use rustix::termios::tcgetwinsize;

use crate::cli::client::{Call, Client, Error};
use crate::cli::failure::{Done, Failure};
use crate::cli::output::is_terminal;
use crate::cli::signals::Signals;
use crate::cli::target::TargetArgs;
use crate::cli::{Ctx, output};

use view::{Look, View};

/// From one look to the next.
const PERIOD: Duration = Duration::from_secs(1);
/// A thousand functions' versions, with room.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Rows on a terminal whose height is not known.
const ROWS: usize = 20;
/// Lines of a screen that are no rows: the head, the table's head and its rules.
const HEAD_LINES: usize = 8;

/// Watch functions as they run: calls and errors a second, durations, concurrency
///
/// Refreshed each second on a terminal, until interrupted. Rates are of the last
/// second, percentiles estimates of the last ten.
#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    /// Print one table, over one second, and end; also where there is no terminal.
    /// Percentiles are of all calls since the platform started then
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    target: TargetArgs,
}

impl TopArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let client = Client::find(&self.target, &ctx.environment).await?;
        let mut signals = Signals::catch()?;
        let once = self.once || !(is_terminal() || ctx.output.is_json());
        let mut view = View::new(look(&client).await?, once);
        let mut screen = Screen::default();
        loop {
            tokio::select! {
                () = signals.next() => return Ok(ExitCode::SUCCESS),
                () = tokio::time::sleep(PERIOD) => {}
            }
            view.add(look(&client).await?);
            if ctx.output.is_json() {
                ctx.output.json_line(&view.json())?;
            } else if once {
                ctx.output.table(&view::HEADER, &view.rows(usize::MAX))?;
            } else {
                screen.show(ctx, &client.endpoint().to_string(), &view)?;
            }
            if once {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

async fn look(client: &Client) -> Result<Look, Error> {
    let call = Call::get(&["lamina", "v1", "meters"]).answer_bytes_max(ANSWER_BYTES_MAX);
    let answer = client.call(call).await?;
    serde_json::from_slice(&answer.body).map_err(|error| Error::Unreadable(error.to_string()))
}

/// A terminal that is written over and over, and left in order.
#[derive(Default)]
struct Screen {
    shown: bool,
}

impl Screen {
    fn show(&mut self, ctx: &Ctx, endpoint: &str, view: &View) -> Result<(), Failure> {
        let height = tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 0);
        let rows = height.map_or(ROWS, |height| height.saturating_sub(HEAD_LINES).max(1) / 2);
        let clear = if std::mem::replace(&mut self.shown, true) { "" } else { "\x1b[?25l\x1b[2J" };
        let table = output::drawn(&view::HEADER, &view.rows(rows));
        // Each line is cleared as it is written over, so that nothing flickers.
        let text = format!("{endpoint}  {}\n{table}", view.summary()).replace('\n', "\x1b[K\n");
        ctx.output.bytes(format!("{clear}\x1b[H{text}\x1b[K\n\x1b[J").as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.shown {
            // With the terminal gone there is no cursor to show.
            let _ = output::Output::new(output::Format::Text).bytes(b"\x1b[?25h");
        }
    }
}

//! `lamina usage`: what functions used, and what it costs.

mod prices;

use std::path::PathBuf;
use std::process::ExitCode;

use lamina_kit::{Clock as _, SystemClock};
use lamina_types::Timestamp;
use serde_json::{Value, json};

use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::since::{self, When};
use crate::cli::target::TargetArgs;
use crate::cli::{Ctx, files};

use prices::{PRICES_BYTES_MAX, Prices, Used};

/// Ten thousand rows, with room.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Show what functions used
///
/// Whole hours are added up. A file of prices adds what it costs:
/// {"Currency": "USD", "GbSecond": "0.0000166667", "Request": "0.0000002", "Fuel": "0"}
#[derive(Debug, clap::Args)]
pub(crate) struct UsageArgs {
    /// From this time on: 24h, 7d, a date, or a date and time with its offset
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = since::parse)]
    since: When,
    /// To this time. Default: now
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<When>,
    /// What is added up
    #[arg(long, value_enum, default_value = "function")]
    by: By,
    /// JSON file of prices, for a column with what it costs
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// All versions of a function
    Function,
    /// Each version
    Version,
}

impl UsageArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let prices = self.prices.as_deref().map(|path| Prices::parse(&files::read(path, PRICES_BYTES_MAX)?));
        let prices = prices.transpose().map_err(|failure| match &self.prices {
            Some(path) => failure.while_doing(path.display()),
            None => failure,
        })?;
        let now = Timestamp(SystemClock::new().epoch_micros());
        let client = Client::find(&self.target, &ctx.environment).await?;
        let by = if self.by == By::Version { "version" } else { "function" };
        let until = self.until.map(|until| until.millis(now).to_string());
        let call = Call::get(&["lamina", "v1", "usage"])
            .query("Since", &self.since.millis(now).to_string())
            .query("By", by)
            .query_if("Until", until.as_deref())
            .answer_bytes_max(ANSWER_BYTES_MAX);
        let mut usage = client.call(call).await?.json()?;
        if let Some(prices) = &prices {
            add_bills(&mut usage, prices)?;
        }
        if ctx.output.is_json() {
            ctx.output.json(&usage)?;
        } else {
            show(&usage, self.by, prices.as_ref(), ctx)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn number(row: &Value, name: &str) -> u64 {
    row.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn rows(usage: &Value) -> impl Iterator<Item = &Value> {
    usage.get("Usage").and_then(Value::as_array).into_iter().flatten()
}

fn used(row: &Value) -> Used {
    Used { mib_ms: number(row, "BilledMibMs"), requests: number(row, "Invocations"), fuel: number(row, "Fuel") }
}

/// Adds `Bill` to each row, and `Currency` and `Bill` to all.
fn add_bills(usage: &mut Value, prices: &Prices) -> Result<(), Failure> {
    let sum = rows(usage).map(used).fold(Used::default(), Used::plus);
    for row in usage.get_mut("Usage").and_then(Value::as_array_mut).into_iter().flatten() {
        row["Bill"] = json!(prices.bill(used(row))?);
    }
    // Not the sum of what was rounded.
    usage["Bill"] = json!(prices.bill(sum)?);
    usage["Currency"] = json!(prices.currency());
    Ok(())
}

fn show(usage: &Value, by: By, prices: Option<&Prices>, ctx: &Ctx) -> Result<(), Failure> {
    let bill = prices.map(|prices| format!("BILL_{}", prices.currency()));
    let mut header = vec!["ACCOUNT", "FUNCTION"];
    header.extend((by == By::Version).then_some("VERSION"));
    header.extend([
        "INVOCATIONS",
        "ERRORS",
        "TIMEOUTS",
        "CRASHES",
        "THROTTLES",
        "NOT_RUN",
        "BILLED_MS",
        "GB_SECONDS",
        "FUEL",
        "PEAK_BYTES",
        "BYTES_IN",
        "BYTES_OUT",
    ]);
    header.extend(bill.as_deref());
    let row = |row: &Value| {
        let mut cells = vec![super::member(row, "AccountId").to_owned(), super::member(row, "FunctionName").to_owned()];
        cells.extend((by == By::Version).then(|| super::member(row, "Version").to_owned()));
        let names = ["Invocations", "FunctionErrors", "Timeouts", "Crashes", "Throttles", "NotRun", "BilledMs"];
        cells.extend(names.iter().map(|name| number(row, name).to_string()));
        cells.push(super::member(row, "BilledGbSeconds").to_owned());
        let names = ["Fuel", "MemoryBytesPeak", "BytesIn", "BytesOut"];
        cells.extend(names.iter().map(|name| number(row, name).to_string()));
        cells.extend(prices.map(|_| super::member(row, "Bill").to_owned()));
        cells
    };
    let rows: Vec<Vec<String>> = rows(usage).map(row).collect();
    if ctx.output.is_csv() {
        return ctx.output.csv(&header, &rows);
    }
    ctx.output.table(&header, &rows)?;
    if let Some(prices) = prices {
        ctx.output.note(format_args!("in all: {} {}", super::member(usage, "Bill"), prices.currency()));
    }
    Ok(())
}

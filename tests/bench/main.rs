//! Benchmarks: `cargo bench -p platform-tests -- [NAME] [--json]`.
//!
//! Each figure stands beside its baseline in the same run; rounds alternate, and
//! medians are shown with their spread. Nothing here is an assertion.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the real clock, and its baseline is bare tokio")]

mod baseline;
mod contest;
mod hello;
mod idle;
mod languages;
mod load;
mod logs;
mod process;
mod report;
mod state;
mod stream;

use std::time::Duration;

use anyhow::{Context as _, bail};

const USAGE: &str = "usage: cargo bench -p platform-tests -- [NAME] [--json] [--rounds N] [--round-ms N]
benchmarks: hello, h2, tls, idle, languages, logs, state, stream";

/// How long and how often.
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
}

impl Options {
    /// Whether this only shows that it runs.
    pub(crate) fn is_short(&self) -> bool {
        self.round < Duration::from_millis(500)
    }
}

type Bench = fn(&Options) -> anyhow::Result<Vec<report::Figure>>;

const BENCHES: &[(&str, Bench)] = &[
    ("hello", hello::run),
    ("h2", hello::over_http2),
    ("tls", hello::over_tls),
    ("idle", idle::run),
    ("languages", languages::run),
    ("logs", logs::run),
    ("state", state::run),
    ("stream", stream::run),
];

fn main() -> anyhow::Result<()> {
    let mut options = Options { rounds: 7, round: Duration::from_secs(2) };
    let (mut json, mut wanted) = (false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> anyhow::Result<u64> {
            let text = arguments.next().context("a number is missing")?;
            text.parse().with_context(|| format!("`{text}` is not a whole number"))
        };
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--json" => json = true,
            "--rounds" => options.rounds = usize::try_from(number()?.clamp(1, 1_000))?,
            "--round-ms" => options.round = Duration::from_millis(number()?.clamp(10, 600_000)),
            "--baseline" => return baseline::serve(&arguments.collect::<Vec<_>>()),
            "--stream-baseline" => return stream::serve(),
            name if !name.starts_with('-') && wanted.is_none() => wanted = Some(name.to_owned()),
            _ => bail!("`{argument}` is not an option\n{USAGE}"),
        }
    }
    let chosen: Vec<_> =
        BENCHES.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name)).collect();
    if chosen.is_empty() {
        bail!("there is no such benchmark\n{USAGE}");
    }
    for (name, bench) in chosen {
        eprintln!("{name}: {} rounds of {} ms each", options.rounds, options.round.as_millis());
        report::print(name, &bench(&options)?, json);
    }
    Ok(())
}

//! Servers under the same load, in rounds that take turns, and what comes of it:
//! each one's rate, CPU and slowest answers, and those of all but the first beside
//! the first's.

use std::time::Duration;

use crate::Options;
use crate::load::{self, Answered, Load};
use crate::process::Server;
use crate::report::Figure;

/// Connections of the load.
const CONNECTIONS: usize = 32;

/// One server and what is asked of it.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) path: String,
    pub(crate) how: load::How,
}

/// One round of one contender.
struct Round {
    answered: Answered,
    cpu: Duration,
}

impl Round {
    fn rps(&self) -> f64 {
        self.answered.requests as f64 / self.answered.time.as_secs_f64()
    }

    fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answered.requests as f64
    }

    fn p99_us(&self) -> f64 {
        self.answered.p99.as_secs_f64() * 1e6
    }
}

/// Runs the rounds, every contender in each, in an order that turns.
pub(crate) fn run(options: &Options, contenders: &[Contender<'_>]) -> anyhow::Result<Vec<Figure>> {
    let warm = options.round.min(Duration::from_millis(300));
    for contender in contenders {
        measure(contender, warm)?;
    }
    let mut rounds: Vec<Vec<Round>> = contenders.iter().map(|_| Vec::new()).collect();
    for number in 0..options.rounds {
        for turn in 0..contenders.len() {
            let at = (number + turn) % contenders.len();
            rounds[at].push(measure(&contenders[at], options.round)?);
        }
    }
    Ok(figures(contenders, &rounds))
}

fn measure(contender: &Contender<'_>, time: Duration) -> anyhow::Result<Round> {
    let Contender { server, path, how, .. } = contender;
    let (address, path, how) = (server.address.clone(), path.clone(), how.clone());
    let load = Load { address, path, how, connections: CONNECTIONS, time };
    let before = contender.server.cpu()?;
    let answered = load::run(&load)?;
    Ok(Round { answered, cpu: contender.server.cpu()?.saturating_sub(before) })
}

fn figures(contenders: &[Contender<'_>], rounds: &[Vec<Round>]) -> Vec<Figure> {
    let figure = |metric: String, unit, rounds: Vec<f64>| Figure { metric, unit, rounds };
    let mut figures = Vec::new();
    for (contender, own) in contenders.iter().zip(rounds) {
        let name = contender.name;
        figures.push(figure(format!("{name}_rps"), "1/s", own.iter().map(Round::rps).collect()));
        figures.push(figure(format!("{name}_cpu_us"), "us", own.iter().map(Round::cpu_us).collect()));
        figures.push(figure(format!("{name}_p99_us"), "us", own.iter().map(Round::p99_us).collect()));
    }
    let (Some(first), Some((base, others))) = (contenders.first(), rounds.split_first()) else { return figures };
    for (contender, own) in contenders[1..].iter().zip(others) {
        let name = format!("{}_", contender.name);
        let beside = first.name;
        let against = |of: fn(&Round, &Round) -> f64| own.iter().zip(base).map(|(one, bare)| of(one, bare)).collect();
        let ratio = against(|one, bare| one.rps() / bare.rps());
        figures.push(figure(format!("{name}rps_over_{beside}"), "ratio", ratio));
        let cpu = against(|one, bare| one.cpu_us() - bare.cpu_us());
        figures.push(figure(format!("{name}cpu_us_over_{beside}"), "us", cpu));
        let p99 = against(|one, bare| one.p99_us() / bare.p99_us());
        figures.push(figure(format!("{name}p99_over_{beside}"), "ratio", p99));
    }
    figures
}

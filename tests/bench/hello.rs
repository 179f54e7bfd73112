//! A function URL that says hello, a fresh instance each time, beside bare hyper:
//! the whole path with signature-checked code, log lines and REPORT.

use std::time::Duration;

use crate::Options;
use crate::load::{self, Answered, Load};
use crate::process::{Platform, Server};
use crate::report::Figure;

/// Connections of the load.
const CONNECTIONS: usize = 32;

/// One server and what is asked of it.
struct Contender<'a> {
    name: &'static str,
    server: &'a Server,
    path: String,
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
pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let hyper = Server::baseline(r#"{"message":"Hello, world!"}"#)?;
    let platform = Platform::start()?;
    let function = platform.deploy("hello", &test_guests::component("guest-hello"))?;
    let http = platform.deploy("hello-http", &test_guests::component("guest-http"))?;
    let example = platform.deploy("example", &test_guests::component("hello"))?;
    let contenders = [
        Contender { name: "hyper", server: &hyper, path: "/".into() },
        Contender { name: "function_fresh", server: &platform.server, path: format!("/_url/{function}/") },
        Contender { name: "http_fresh", server: &platform.server, path: format!("/_url/{http}/") },
        // Reads its event and writes a log line.
        Contender { name: "example_fresh", server: &platform.server, path: format!("/_url/{example}/") },
    ];
    let warm = options.round.min(Duration::from_millis(300));
    for contender in &contenders {
        measure(contender, warm)?;
    }
    let mut rounds: [Vec<Round>; 4] = Default::default();
    for number in 0..options.rounds {
        for turn in 0..contenders.len() {
            let at = (number + turn) % contenders.len();
            rounds[at].push(measure(&contenders[at], options.round)?);
        }
    }
    Ok(figures(&contenders, &rounds))
}

fn measure(contender: &Contender<'_>, time: Duration) -> anyhow::Result<Round> {
    let address = contender.server.address.clone();
    let request = format!("GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n", contender.path);
    let load = Load { address, request, connections: CONNECTIONS, time };
    let before = contender.server.cpu()?;
    let answered = load::run(&load)?;
    Ok(Round { answered, cpu: contender.server.cpu()?.saturating_sub(before) })
}

fn figures(contenders: &[Contender<'_>; 4], rounds: &[Vec<Round>; 4]) -> Vec<Figure> {
    let figure = |metric: String, unit, rounds: Vec<f64>| Figure { metric, unit, rounds };
    let mut figures = Vec::new();
    for (contender, own) in contenders.iter().zip(rounds) {
        let name = contender.name;
        figures.push(figure(format!("{name}_rps"), "1/s", own.iter().map(Round::rps).collect()));
        figures.push(figure(format!("{name}_cpu_us"), "us", own.iter().map(Round::cpu_us).collect()));
        figures.push(figure(format!("{name}_p99_us"), "us", own.iter().map(Round::p99_us).collect()));
    }
    let [base, others @ ..] = rounds;
    for (contender, own) in contenders[1..].iter().zip(others) {
        let name = contender.name;
        let against = |of: fn(&Round, &Round) -> f64| own.iter().zip(base).map(|(one, bare)| of(one, bare)).collect();
        let ratio = figure(format!("{name}_rps_over_hyper"), "ratio", against(|one, bare| one.rps() / bare.rps()));
        figures.push(ratio);
        let cpu = against(|one, bare| one.cpu_us() - bare.cpu_us());
        figures.push(figure(format!("{name}_cpu_us_over_hyper"), "us", cpu));
        let p99 = against(|one, bare| one.p99_us() / bare.p99_us());
        figures.push(figure(format!("{name}_p99_over_hyper"), "ratio", p99));
    }
    figures
}

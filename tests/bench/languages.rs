//! The three languages: a fresh instance for each call, taken apart; how soon an upload
//! answers; what functions and instances weigh; and the same JavaScript handler beside
//! bare hyper, node and workerd.

mod in_process;
mod sources;
mod tiers;
mod tools;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::Options;
use crate::contest::{self, Contender};
use crate::load::How;
use crate::process::{Platform, Server};
use crate::report::Figure;
use sources::Source;

/// Calls that a runtime answers at the same time while their memory is read.
const SLEEPING: usize = 50;
/// Functions of which each costs little.
const FUNCTIONS: usize = 1_000;
/// Functions before them.
const FIRST: usize = 20;
/// Time for a bundle to be made after its first call.
const BUNDLE_MAX: Duration = Duration::from_secs(60);

/// All of it.
pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    in_process::run(options, &mut figures)?;
    let platform = started(&[])?;
    uploads(options, &platform, &mut figures)?;
    tiers::run(options, &platform, &mut figures)?;
    computing(options, &platform, &mut figures)?;
    instances(options, &platform, &mut figures)?;
    many(options, &mut figures)?;
    figures.extend(beside_others(options, &platform)?);
    Ok(figures)
}

fn started(options: &[&str]) -> anyhow::Result<Platform> {
    let platform = Platform::start(options)?;
    let runtimes = harness::managed::built(&crate::process::lamina());
    platform.lamina(&["runtime", "install", "--runtimes", &runtimes.display().to_string()])?;
    Ok(platform)
}

fn figure(metric: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Figure {
    Figure { metric: metric.into(), unit, rounds }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// How long `lamina deploy` and the first call of the URL take together: the command's
/// own start, packing, signing, HTTP, the state Active, the URL.
fn uploads(options: &Options, platform: &Platform, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    for source in [sources::PYTHON, sources::JAVASCRIPT, sources::TYPESCRIPT] {
        let mut took = Vec::new();
        for number in 0..options.rounds.max(2) {
            let began = Instant::now();
            // Each has a text of its own: none is found made.
            let name = format!("{}-{number}", source.name);
            let id = platform.deploy_folder(&name, &source.written(platform, &name)?, &[])?;
            let answer = platform.get(&id)?;
            took.push(ms(began.elapsed()));
            if !answer.contains("Hello") {
                bail!("{name} answered {answer}");
            }
        }
        figures.push(figure(format!("{}_first_zip_ms", source.name), "ms", vec![took[0]]));
        figures.push(figure(format!("{}_later_zip_ms", source.name), "ms", took.split_off(1)));
    }
    Ok(())
}

/// Waits until the package of a function that was deployed last has its bundle, where
/// there were so many before: its files are no longer read.
fn bundled(platform: &Platform, name: &str, event: &str, before: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    platform.call(name, event)?;
    while platform.bundles() <= before {
        if began.elapsed() > BUNDLE_MAX {
            bail!("{name} has no bundle after {} s", BUNDLE_MAX.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Handlers that compute, beside node and CPython on this machine.
fn computing(options: &Options, platform: &Platform, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let calls = if options.is_short() { 2 } else { 15 };
    for (source, native) in [(sources::JAVASCRIPT_WORK, tools::NODE), (sources::PYTHON_WORK, tools::PYTHON)] {
        let folder = source.written(platform, source.name)?;
        platform.deploy_folder(source.name, &folder, &["--timeout", "60"])?;
        for work in ["calls", "loop", "json"] {
            let mut ratios = Vec::new();
            for _ in 0..calls {
                let here = platform.call(source.name, &format!(r#"{{"work": "{work}"}}"#))?;
                let here: f64 = here.trim().parse().with_context(|| format!("{} answered {here}", source.name))?;
                ratios.push(here / native.times(&folder, work)?);
            }
            figures.push(figure(format!("{}_{work}_over_native", source.name), "ratio", ratios));
        }
    }
    Ok(())
}

/// What an instance adds to the process while it waits.
fn instances(options: &Options, platform: &Platform, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let count = if options.is_short() { 5 } else { SLEEPING };
    for source in [sources::JAVASCRIPT_SLEEP, sources::PYTHON_SLEEP] {
        let id = platform.deploy_folder(source.name, &source.written(platform, source.name)?, &["--timeout", "60"])?;
        platform.get(&id)?;
        let before = platform.server.memory()?;
        let waiting: Vec<_> = (0..count).map(|_| platform.getting(&id)).collect::<anyhow::Result<_>>()?;
        std::thread::sleep(Duration::from_millis(1_500));
        let grown = platform.server.memory()?.saturating_sub(before);
        for request in waiting {
            request.answer()?;
        }
        let each = grown as f64 / count as f64 / f64::from(1 << 20);
        figures.push(figure(format!("{}_instance_mib", source.name), "MiB", vec![each]));
    }
    Ok(())
}

/// What functions weigh that are deployed, called once and left alone.
fn many(options: &Options, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let count = if options.is_short() { 20 } else { FUNCTIONS };
    let platform = started(&[])?;
    for source in [sources::JAVASCRIPT, sources::PYTHON] {
        let called = |name: String| -> anyhow::Result<()> {
            let id = platform.deploy_folder(&name, &source.written(&platform, &name)?, &[])?;
            platform.get(&id)?;
            Ok(())
        };
        // What the first bring is the language's: its component, and places for instances.
        for number in 0..FIRST {
            called(format!("{}-first-{number}", source.name))?;
        }
        let before = platform.server.memory()?;
        for number in 0..count {
            called(format!("{}-{number}", source.name))?;
        }
        let grown = platform.server.memory()?.saturating_sub(before);
        figures.push(figure(
            format!("{}_idle_function_kib", source.name),
            "KiB",
            vec![grown as f64 / count as f64 / 1024.0],
        ));
    }
    Ok(())
}

/// The same handler in JavaScript here, in node and in workerd, beside bare hyper; and the
/// other languages' here.
fn beside_others(options: &Options, platform: &Platform) -> anyhow::Result<Vec<Figure>> {
    let hyper = Server::baseline(&["http1", sources::GREETING])?;
    let folder = tempfile::tempdir()?;
    let node = tools::node_server(folder.path())?;
    let workerd = tools::workerd(folder.path())?;
    let deploy = |source: Source| -> anyhow::Result<String> {
        let (name, before) = (format!("{}-url", source.name), platform.bundles());
        let id = platform.deploy_folder(&name, &source.written(platform, &name)?, &[])?;
        bundled(platform, &name, "{}", before)?;
        Ok(format!("/_url/{id}/"))
    };
    let (javascript, python) = (deploy(sources::JAVASCRIPT)?, deploy(sources::PYTHON)?);
    let rust = format!("/_url/{}/", platform.deploy("rust-url", &test_guests::component("guest-hello"))?);
    let here = |name, path| Contender { name, server: &platform.server, path, how: How::Http1 };
    let there = |name, server| Contender { name, server, path: "/".into(), how: How::Http1 };
    contest::run(
        options,
        &[
            there("hyper", &hyper),
            here("rust", rust),
            here("javascript", javascript),
            here("python", python),
            there("node", &node),
            there("workerd", &workerd),
        ],
    )
}

//! Logs: lines kept a second beside plain appends of the same bytes; what a call's
//! log costs beside formatting its lines; searches of ten million lines beside grep.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lamina_disk::{Folder, System};
use lamina_kit::{Clock, Ids, SeededIds, SystemClock};
use lamina_logs::{Config, LogStore, Pattern, Position, Query};
use lamina_telemetry::{Logs, LogsConfig, Opening, Report, Source};
use lamina_types::{LogFormat, MemoryMib, RequestId, Status, Timestamp, Usage, Version};

use crate::Options;
use crate::report::Figure;

const GROUP: &str = "/aws/lambda/bench";
const STREAM: &str = "2026/11/26/[$LATEST]0123456789abcdef";
/// Lines of one append.
const BATCH: usize = 256;
/// One line in so many is what a search is for.
const RARE: usize = 100_000;

pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let mut figures = kept(options)?;
    figures.extend(calls(options)?);
    figures.extend(searches(options)?);
    Ok(figures)
}

fn figure(metric: &str, unit: &'static str, rounds: Vec<f64>) -> Figure {
    Figure { metric: metric.to_owned(), unit, rounds }
}

fn ratio(metric: &str, ours: &[f64], theirs: &[f64]) -> Figure {
    figure(metric, "ratio", ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
}

fn open(dir: &Path) -> anyhow::Result<(LogStore, Logs)> {
    let logs = Logs::new(LogsConfig::default());
    let config = Config { group_bytes_max: 1 << 36, bytes_max: 1 << 36, ..Config::default() };
    let root = Folder::open(dir, Arc::new(System))?;
    let (store, _) = LogStore::read(root, logs.clone(), Arc::new(SystemClock::new()), config)?;
    store.create_group(GROUP)?;
    store.create_stream(GROUP, STREAM)?;
    Ok((store, logs))
}

/// About a hundred bytes, as of a function's own logger.
fn line(number: usize) -> String {
    let level = if number % RARE == RARE - 1 { "ERROR" } else { "INFO" };
    format!(
        "{{\"timestamp\":\"2026-11-26T10:00:00.000Z\",\"level\":\"{level}\",\"requestId\":\"{number:036}\",\"message\":\"order shipped\"}}"
    )
}

fn batch(from: usize) -> Vec<(Timestamp, String)> {
    (from..from + BATCH).map(|number| (Timestamp(1_764_000_000_000_000 + number as u64), line(number))).collect()
}

/// Lines a second through memory into segments, beside appends to one file.
fn kept(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let dir = tempfile::tempdir()?;
        let (store, _) = open(&dir.path().join("logs"))?;
        let (begun, mut made) = (Instant::now(), 0);
        while begun.elapsed() < options.round {
            store.put(GROUP, STREAM, &batch(made))?;
            made += BATCH;
        }
        ours.push(made as f64 / begun.elapsed().as_secs_f64());
        let mut file = File::create(dir.path().join("plain"))?;
        let (begun, mut made) = (Instant::now(), 0);
        while begun.elapsed() < options.round {
            let mut bytes = Vec::new();
            for (time, text) in batch(made) {
                bytes.extend_from_slice(&time.0.to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(b'\n');
            }
            file.write_all(&bytes)?;
            made += BATCH;
        }
        plain.push(made as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(vec![
        ratio("kept_over_plain_appends", &ours, &plain),
        figure("kept_lines", "1/s", ours),
        figure("plain_append_lines", "1/s", plain),
    ])
}

/// CPU time of this thread.
fn cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().context("no time")?.parse()?))
}

/// A call that writes one line, and its report.
fn report(request_id: &RequestId) -> Report<'_> {
    let usage = Usage {
        status: Status::Success,
        duration: Duration::from_micros(1_234),
        init: None,
        restore: None,
        memory_bytes_peak: 2 << 20,
        fuel: 123_456,
    };
    Report {
        request_id,
        memory: MemoryMib(128),
        timeout: Duration::from_secs(3),
        usage,
        error_type: None,
        span: None,
        timings: None,
    }
}

/// What START, one line, END and REPORT cost their call, and what keeping them costs
/// the thread that does, beside writing the same lines into one buffer.
fn calls(options: &Options) -> anyhow::Result<Vec<Figure>> {
    /// So many calls fit into memory at a time.
    const CALLS: usize = 1_000;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (group, stream): (Arc<str>, Arc<str>) = (GROUP.into(), STREAM.into());
    let ids: Vec<RequestId> =
        (0..CALLS).map(|seed| RequestId::from_random(SeededIds::new(seed as u64).random16())).collect();
    let own = "2026-11-26T10:00:00.000Z\tid\tINFO\torder shipped\n";
    let (mut call_us, mut keep_us, mut format_us) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let dir = tempfile::tempdir()?;
        let (store, logs) = open(dir.path())?;
        let (mut called, mut keeping, mut made) = (Duration::ZERO, Duration::ZERO, 0);
        let begun = Instant::now();
        while begun.elapsed() < options.round {
            let before = cpu()?;
            for request_id in &ids {
                let log = logs.start(
                    Opening {
                        group: &group,
                        stream: stream.clone(),
                        request_id,
                        version: Version::Latest,
                        tail: false,
                        format: LogFormat::Text,
                        observer: None,
                    },
                    clock.clone(),
                );
                log.write(Source::Stderr, own.as_bytes());
                black_box(log.end(&report(request_id)));
            }
            let between = cpu()?;
            store.drain();
            called += between.saturating_sub(before);
            keeping += cpu()?.saturating_sub(between);
            made += CALLS;
        }
        call_us.push(called.as_secs_f64() * 1e6 / made as f64);
        keep_us.push(keeping.as_secs_f64() * 1e6 / made as f64);
        let (begun, before, mut made) = (Instant::now(), cpu()?, 0);
        while begun.elapsed() < options.round {
            let mut text = String::new();
            for request_id in &ids {
                write!(text, "START RequestId: {request_id} Version: {}", Version::Latest)?;
                text.push_str(own);
                write!(text, "END RequestId: {request_id}{}", report(request_id))?;
            }
            black_box(text);
            made += CALLS;
        }
        format_us.push(cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / made as f64);
    }
    Ok(vec![
        figure("call_cpu_us", "us", call_us),
        figure("keeping_cpu_us_per_call", "us", keep_us),
        figure("only_formatting_cpu_us", "us", format_us),
    ])
}

/// Every line that matches, in as many requests as that takes.
fn search(store: &LogStore, query: Query<'_>) -> anyhow::Result<usize> {
    let (mut after, mut count) = (0, 0);
    loop {
        let found = store.find(GROUP, &Query { from: Position::After(after), ..query })?;
        count += found.events.len();
        after = found.reached;
        if !found.more {
            return Ok(count);
        }
    }
}

fn searches(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let lines: usize = if options.is_short() { 200_000 } else { 10_000_000 };
    let dir = tempfile::tempdir()?;
    let (store, _) = open(&dir.path().join("logs"))?;
    let text = dir.path().join("text");
    {
        let mut file = BufWriter::new(File::create(&text)?);
        for from in (0..lines).step_by(BATCH) {
            let batch = batch(from);
            for (_, line) in &batch {
                writeln!(file, "{line}")?;
            }
            store.put(GROUP, STREAM, &batch)?;
        }
        file.flush()?;
    }
    let all = Query { scan_bytes_max: 64 << 20, ..Query::all(10_000) };
    let (terms, json) = (Pattern::parse("ERROR")?, Pattern::parse("{ $.level = \"ERROR\" }")?);
    let timed = |query: Query<'_>| -> anyhow::Result<(f64, usize)> {
        let begun = Instant::now();
        let count = search(&store, query)?;
        Ok((begun.elapsed().as_secs_f64() * 1e3, count))
    };
    let (mut by_term, mut by_json, mut recent, mut grepped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // A search takes as long as it takes: fewer rounds of the long ones.
    for _ in 0..options.rounds.min(if options.is_short() { 2 } else { 5 }) {
        let (ms, found) = timed(Query { pattern: Some(&terms), ..all })?;
        by_term.push(ms);
        let (ms, found_json) = timed(Query { pattern: Some(&json), ..all })?;
        by_json.push(ms);
        let start_ms = Some((1_764_000_000_000_000 + lines as u64 - 1_000) / 1_000);
        let (ms, last) = timed(Query { start_ms, ..all })?;
        recent.push(ms);
        let begun = Instant::now();
        let output = Command::new("grep")
            .args(["--count", "--fixed-strings", "ERROR"])
            .arg(&text)
            .stderr(Stdio::inherit())
            .output()?;
        grepped.push(begun.elapsed().as_secs_f64() * 1e3);
        let expect: usize = String::from_utf8(output.stdout)?.trim().parse()?;
        ensure!((found, found_json) == (expect, expect) && last > 0, "found {found} and {found_json} of {expect}");
    }
    Ok(vec![
        figure("searched_lines", "lines", vec![lines as f64]),
        ratio("term_over_grep", &by_term, &grepped),
        figure("filter_term_ms", "ms", by_term),
        figure("filter_json_ms", "ms", by_json),
        figure("last_millisecond_ms", "ms", recent),
        figure("grep_ms", "ms", grepped),
    ])
}

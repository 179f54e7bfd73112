use lamina_kit::{FixedClock, Ids, SeededIds};
use lamina_types::{MemoryMib, Status, Usage};

use super::*;
use crate::LogsConfig;

struct Bench {
    logs: Logs,
    clock: Arc<FixedClock>,
    id: RequestId,
}

fn bench(lines_per_s: u32) -> Bench {
    let config = LogsConfig { call_lines_per_s: lines_per_s, line_bytes_max: 16, ..LogsConfig::default() };
    let id = RequestId::from_random(SeededIds::new(1).random16());
    Bench { logs: Logs::new(config), clock: Arc::new(FixedClock::at(1_000_000)), id }
}

impl Bench {
    fn start(&self, tail: bool) -> InvocationLog {
        self.start_as(LogFormat::Text, tail)
    }

    fn start_as(&self, format: LogFormat, tail: bool) -> InvocationLog {
        let (group, stream) = (&"g".into(), "s".into());
        let (request_id, version) = (&self.id, Version::Latest);
        let opening = Opening { group, stream, request_id, version, tail, format, observer: None };
        self.logs.start(opening, self.clock.clone())
    }

    fn end(&self, log: &InvocationLog) -> Option<Vec<u8>> {
        self.end_as(log, Status::Success)
    }

    fn end_as(&self, log: &InvocationLog, status: Status) -> Option<Vec<u8>> {
        let usage = Usage { status, duration: Duration::from_micros(1500), init: None, memory_bytes_peak: 1, fuel: 7 };
        log.end(&Report {
            request_id: &self.id,
            memory: MemoryMib(128),
            timeout: Duration::from_secs(3),
            usage,
            error_type: (status != Status::Success).then_some("A \"B\""),
        })
    }

    fn texts(&self) -> Vec<String> {
        self.logs.read("g", 0, 10_000).into_iter().map(|event| event.message.into()).collect()
    }
}

#[test]
fn a_call_in_order() {
    let bench = bench(100);
    let log = bench.start(false);
    log.write(Source::Stdout, b"one\ntw");
    log.write(Source::Stderr, b"err\n");
    log.write(Source::Stdout, b"o");
    assert!(bench.end(&log).is_none());
    log.write(Source::Stdout, b"late\n");
    let id = &bench.id;
    let expect = [
        format!("START RequestId: {id} Version: $LATEST"),
        "one".into(),
        "err".into(),
        "two".into(),
        format!("END RequestId: {id}"),
        format!(
            "REPORT RequestId: {id}\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\tFuel Used: 7\t"
        ),
    ];
    assert_eq!(bench.texts(), expect);
}

#[test]
fn a_flood_is_cut_and_said() {
    let bench = bench(3);
    let log = bench.start(false);
    for _ in 0..10 {
        log.write(Source::Stdout, b"x\n");
    }
    bench.clock.advance(Duration::from_secs(1));
    log.write(Source::Stdout, b"after\n");
    let texts = bench.texts();
    assert_eq!(texts[1..4], ["x", "x", "x"]);
    assert!(texts[4].starts_with("LAMINA log lines dropped: 7 (14 bytes)"), "{texts:?}");
    assert_eq!(texts[5..], ["after"]);
}

#[test]
fn the_tail_is_the_last_4_kib() {
    let bench = bench(u32::MAX);
    let log = bench.start(true);
    for number in 0..2000 {
        log.write(Source::Stdout, format!("{number}\n").as_bytes());
    }
    let tail = bench.end(&log).unwrap();
    assert_eq!(tail.len(), 4096);
    assert!(tail.ends_with(b"Fuel Used: 7\t\n"));
}

/// The lines of a call that writes some of each level and fails with `status`, as the
/// words that tell them apart.
fn json_lines(application: LogLevel, system: LogLevel, status: Status) -> Vec<String> {
    let config = LogsConfig { line_bytes_max: 1_000, ..LogsConfig::default() };
    let bench = Bench { logs: Logs::new(config), ..bench(100) };
    let log = bench.start_as(LogFormat::Json { application, system }, false);
    let lines = [
        "plain",
        r#"{"level":"debug","message":"d"}"#,
        r#"{"message":"m"}"#,
        r#"{"level":7,"message":"n"}"#,
        r#"{"timestamp":"T","level":"WARN","message":"w"}"#,
    ];
    for line in lines {
        log.write(Source::Stdout, format!("{line}\n").as_bytes());
    }
    if status != Status::Success {
        assert!(log.failed("A \"B\"", "it \"failed\"", &["at one", "at two"]));
    }
    bench.end_as(&log, status);
    let name = |text: &String| {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return text.clone() };
        let member = |name: &str| value[name].as_str().map(str::to_owned);
        member("type").or_else(|| member("message")).unwrap_or_else(|| panic!("{text}"))
    };
    bench.texts().iter().map(name).collect()
}

#[test]
fn levels_leave_lines_out() {
    let check = |application, system, status, expect: &[&str]| {
        assert_eq!(json_lines(application, system, status), expect, "{application:?} {system:?} {status:?}");
    };
    let (start, done, report) = ("platform.start", "platform.runtimeDone", "platform.report");
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    check(Trace, Debug, Status::Success, &[start, "plain", "d", "m", "n", "w", done, report]);
    check(Info, Info, Status::Success, &[start, "plain", "m", "n", "w", report]);
    check(Warn, Warn, Status::Success, &["w"]);
    check(Error, Warn, Status::Crash, &["it \"failed\"", report]);
}

#[test]
fn json_is_spelt_as_lambda_does() {
    let bench = bench(100);
    let log = bench.start_as(LogFormat::Json { application: LogLevel::Info, system: LogLevel::Debug }, false);
    assert!(log.failed("A \"B\"", "m", &["at"]));
    bench.end_as(&log, Status::Failure);
    let id = bench.id.as_str();
    let expect = [
        format!(
            r#"{{"time":"1970-01-01T00:00:01.000Z","type":"platform.start","record":{{"requestId":"{id}","version":"$LATEST"}}}}"#
        ),
        format!(
            r#"{{"timestamp":"1970-01-01T00:00:01.000Z","level":"ERROR","requestId":"{id}","message":"m","errorType":"A \"B\"","errorMessage":"m","stackTrace":["at"]}}"#
        ),
        format!(
            r#"{{"time":"1970-01-01T00:00:01.000Z","type":"platform.runtimeDone","record":{{"requestId":"{id}","status":"failure","metrics":{{"durationMs":1.50}}}}}}"#
        ),
        format!(
            r#"{{"time":"1970-01-01T00:00:01.000Z","type":"platform.report","record":{{"requestId":"{id}","status":"failure","errorType":"A \"B\"","metrics":{{"durationMs":1.50,"billedDurationMs":2,"memorySizeMB":128,"maxMemoryUsedMB":1,"fuelUsed":7}}}}}}"#
        ),
    ];
    assert_eq!(bench.texts(), expect);
}

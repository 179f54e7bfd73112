use lamina_kit::{FixedClock, Ids, SeededIds};
use lamina_types::{MemoryMib, Span, Status, Usage};

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
        let usage = Usage {
            status,
            duration: Duration::from_micros(1500),
            init: None,
            restore: None,
            memory_bytes_peak: 1,
            fuel: 7,
        };
        log.end(&Report {
            request_id: &self.id,
            memory: MemoryMib(128),
            timeout: Duration::from_secs(3),
            usage,
            error_type: (status != Status::Success).then_some("A \"B\""),
            span: None,
            timings: None,
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
    assert_eq!(bench.logs.dropped(), crate::Dropped { rate: 7, ..crate::Dropped::default() });
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
    let failed = "it \"failed\"";
    check(Error, Warn, Status::Crash, &[failed, done, report]);
    check(Error, Info, Status::Failure, &[start, failed, done, report]);
    check(Error, Warn, Status::Timeout, &[failed, done, report]);
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
            r#"{{"time":"1970-01-01T00:00:01.000Z","type":"platform.runtimeDone","record":{{"requestId":"{id}","status":"failure","errorType":"A \"B\"","metrics":{{"durationMs":1.50}}}}}}"#
        ),
        format!(
            r#"{{"time":"1970-01-01T00:00:01.000Z","type":"platform.report","record":{{"requestId":"{id}","status":"failure","errorType":"A \"B\"","metrics":{{"durationMs":1.50,"billedDurationMs":2,"memorySizeMB":128,"maxMemoryUsedMB":1,"fuelUsed":7}}}}}}"#
        ),
    ];
    assert_eq!(bench.texts(), expect);
}

#[test]
fn events_and_failed_inits_keep_their_place() {
    let failed = |format| {
        let bench = bench(100);
        let log = bench.start_as(format, false);
        log.write(Source::Stdout, b"{}un");
        log.event("{}a\n  b");
        log.init_failed(Status::Failure, Duration::from_micros(1500), "E");
        log.init_failed(Status::Timeout, Duration::from_secs(3), "Sandbox.Timedout");
        bench.texts().split_off(1)
    };
    let expect = [
        "{}un",
        "{}a\n  b",
        "INIT_REPORT Init Duration: 1.50 ms\tPhase: invoke\tStatus: error\tError Type: E",
        "INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout",
    ];
    assert_eq!(failed(LogFormat::Text), expect);
    let json = failed(LogFormat::Json { application: LogLevel::Info, system: LogLevel::Info });
    let record = r#""record":{"initializationType":"on-demand","phase":"invoke","status":"error","errorType":"E","metrics":{"durationMs":1.50}}"#;
    assert!(json[2].contains(record), "{}", json[2]);
}

/// A call that a limit stopped before it had an instance leaves no line; its first line,
/// or its end, brings START.
#[test]
fn a_call_that_has_not_begun_leaves_no_line() {
    let bench = bench(100);
    let log = bench.start(true);
    assert!(!log.has_begun());
    drop(log);
    assert!(bench.texts().is_empty(), "{:?}", bench.texts());
    let log = bench.start(false);
    log.begin();
    log.begin();
    assert!(log.has_begun());
    assert_eq!(bench.texts(), [format!("START RequestId: {} Version: $LATEST", bench.id)]);
    log.write(Source::Stdout, b"one\n");
    assert_eq!(bench.texts().len(), 2);
    let tail = bench.end(&bench.start(true)).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    assert!(tail.starts_with("START ") && tail.contains("\nEND ") && tail.contains("\nREPORT "), "{tail}");
}

/// How a call ended, in the one form and the other.
#[test]
fn ends_are_spelt_as_lambda_does() {
    let ends = |status, error_type: &str| -> Vec<String> {
        let usage = Usage {
            status,
            duration: Duration::from_micros(1_500),
            init: None,
            restore: None,
            memory_bytes_peak: 1,
            fuel: 7,
        };
        let formats = [LogFormat::Text, LogFormat::Json { application: LogLevel::Info, system: LogLevel::Warn }];
        let last = |format| {
            let bench = bench(100);
            let log = bench.start_as(format, false);
            let error_type = (status != Status::Success).then_some(error_type);
            let (memory, timeout) = (MemoryMib(128), Duration::from_secs(3));
            log.end(&Report { request_id: &bench.id, memory, timeout, usage, error_type, span: None, timings: None });
            bench.texts().pop().unwrap_or_default()
        };
        formats.into_iter().map(last).collect()
    };
    let check = |status, error_type, text_end: &str, json: &[&str]| {
        let lines = ends(status, error_type);
        assert!(lines[0].ends_with(text_end), "{lines:?}");
        assert!(json.iter().all(|part| lines[1].contains(part)), "{lines:?}");
    };
    check(Status::Success, "", "\tFuel Used: 7\t", &[]);
    // A function's own error is no status of Lambda's text.
    check(Status::Failure, "E", "\tFuel Used: 7\t", &[r#""status":"failure","errorType":"E""#]);
    check(
        Status::Timeout,
        "Sandbox.Timedout",
        "\tFuel Used: 7\tStatus: timeout\t",
        &[r#""status":"timeout","errorType":"Sandbox.Timedout""#, r#""billedDurationMs":3000"#],
    );
    check(
        Status::Crash,
        "Runtime.OutOfMemory",
        "\tFuel Used: 7\tStatus: error\tError Type: Runtime.OutOfMemory\t",
        &[r#""status":"error","errorType":"Runtime.OutOfMemory""#],
    );
}

/// What an instance writes while it is restored comes before START.
#[test]
fn a_restore_comes_before_the_call() {
    let runtime = RuntimeVersion { name: "python:3.13.v1".into(), arn: "ARN".into() };
    let texts = |format: LogFormat, error_type: Option<&str>| {
        let bench = bench(100);
        let log = bench.start_as(format, false);
        assert!(!log.has_begun());
        log.restoring(&"f".parse().unwrap(), &runtime);
        assert!(log.has_begun());
        log.write(Source::Stdout, b"hook");
        log.restored(Duration::from_micros(12_340), error_type);
        log.write(Source::Stdout, b"call\n");
        bench.end(&log);
        let texts = bench.texts();
        texts.iter().map(|text| text.replace(bench.id.as_str(), "ID")).collect::<Vec<_>>()
    };
    let lines = texts(LogFormat::Text, None);
    assert_eq!(lines[0], "RESTORE_START Runtime Version: python:3.13.v1\tRuntime Version ARN: ARN");
    assert_eq!(
        lines[1..4],
        ["hook", "RESTORE_REPORT Restore Duration: 12.34 ms", "START RequestId: ID Version: $LATEST"]
    );
    assert_eq!(lines[4], "call");
    let failed = texts(LogFormat::Text, Some("Own.Error"));
    assert_eq!(failed[2], "RESTORE_REPORT Restore Duration: 12.34 ms\tStatus: error\tError Type: Own.Error");
    let json = texts(LogFormat::Json { application: LogLevel::Trace, system: LogLevel::Debug }, None);
    let records: Vec<&str> =
        json.iter().map(|line| line.split_once(r#","type":"#).map_or("", |(_, rest)| rest)).collect();
    assert_eq!(
        records[0],
        r#""platform.restoreStart","record":{"runtimeVersion":"python:3.13.v1","runtimeVersionArn":"ARN","functionName":"f","functionVersion":"$LATEST"}}"#
    );
    assert_eq!(records[2], r#""platform.restoreRuntimeDone","record":{"status":"success"}}"#);
    assert_eq!(records[3], r#""platform.restoreReport","record":{"status":"success","metrics":{"durationMs":12.34}}}"#);
    // One that was not restored says nothing.
    let bench = bench(100);
    let log = bench.start(false);
    log.restored(Duration::ZERO, None);
    assert!(!log.has_begun());
}

#[test]
fn a_traced_calls_json_says_its_trace() {
    let bench = bench(100);
    let log = bench.start_as(LogFormat::Json { application: LogLevel::Info, system: LogLevel::Debug }, false);
    log.end(&Report {
        request_id: &bench.id,
        memory: MemoryMib(128),
        timeout: Duration::from_secs(3),
        usage: Usage {
            status: Status::Success,
            duration: Duration::ZERO,
            init: None,
            restore: None,
            memory_bytes_peak: 1,
            fuel: 7,
        },
        error_type: None,
        span: Some(Span { trace: [0xab; 16], span: [1; 8], parent: None }),
        timings: None,
    });
    let records: Vec<serde_json::Value> =
        bench.texts().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let expect = serde_json::json!({
        "spanId": "0101010101010101",
        "type": "X-Amzn-Trace-Id",
        "value": "Root=1-abababab-abababababababababababab;Parent=0101010101010101;Sampled=1",
    });
    assert_eq!([&records[1]["record"]["tracing"], &records[2]["record"]["tracing"]], [&expect; 2]);
}

#[test]
fn the_finest_level_says_the_parts_of_a_call() {
    let bench = bench(100);
    let log = bench.start_as(LogFormat::Json { application: LogLevel::Info, system: LogLevel::Debug }, false);
    let timings = crate::Timings::default();
    timings.instantiated(Duration::from_micros(20));
    timings.loaded(Duration::from_micros(1_020));
    let usage = Usage {
        status: Status::Success,
        duration: Duration::from_micros(1_500),
        init: None,
        restore: None,
        memory_bytes_peak: 1,
        fuel: 7,
    };
    let (memory, timeout) = (MemoryMib(128), Duration::from_secs(3));
    log.end(&Report {
        request_id: &bench.id,
        memory,
        timeout,
        usage,
        error_type: None,
        span: None,
        timings: Some(&timings),
    });
    let done: serde_json::Value = serde_json::from_str(&bench.texts()[1]).unwrap();
    let expect = serde_json::json!([
        {"name": "instantiate", "start": "1970-01-01T00:00:00.998Z", "durationMs": 0.02},
        {"name": "import", "start": "1970-01-01T00:00:00.998Z", "durationMs": 1.0},
        {"name": "call", "start": "1970-01-01T00:00:00.999Z", "durationMs": 0.48},
    ]);
    assert_eq!(done["record"]["spans"], expect);
}

//! A guest's output becomes log lines as it is written.

use std::time::Duration;

use lamina_telemetry::{Logs, LogsConfig, Report};
use serde_json::json;

use crate::support::{Called, Host, LOG_GROUP};

#[tokio::test]
async fn both_streams_are_split_into_lines() {
    let host = Host::new();
    for to_stderr in [false, true] {
        let called = host.call(json!({"do": "print", "lines": 3, "to_stderr": to_stderr})).await;
        assert_eq!(called.answer(), json!({"printed": 3}));
    }
    assert_eq!(host.lines(), ["line 1", "line 2", "line 3", "line 1", "line 2", "line 3"]);
}

#[tokio::test]
async fn lines_appear_while_the_guest_runs() {
    let host = Host::new();
    let function = host.function("guest-function").await;
    host.code(&function).await.unwrap();
    let run = host.run(&function, json!({"do": "print", "lines": 3, "pause_ms": 300}));
    let follow = async {
        let mut seen = Vec::new();
        // START is the first; the next lines come one by one.
        while seen.len() < 3 {
            let events = host.logs.follow(LOG_GROUP, seen.len() as u64, 10, Duration::from_secs(30)).await;
            seen.extend(events.into_iter().map(|event| (event.message, std::time::Instant::now())));
        }
        seen
    };
    let ended = async { (run.await, std::time::Instant::now()) };
    let (seen, (called, end)) = tokio::join!(follow, ended);
    assert_eq!((&*seen[1].0, &*seen[2].0), ("line 1", "line 2"));
    assert!(seen[1].1 + Duration::from_millis(600) < end, "seen long before the end");
    assert_eq!(called.answer(), json!({"printed": 3}));
}

#[tokio::test]
async fn a_long_line_is_cut_and_says_so() {
    let host = Host::new();
    host.call(json!({"do": "print", "lines": 1, "bytes": 100_000})).await;
    let lines = host.lines();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("line 1....") && lines[0].ends_with("[truncated: 34470 more bytes]"),
        "{}",
        lines[0].len()
    );
}

#[tokio::test]
async fn a_flood_is_cut_off_and_the_guest_goes_on() {
    let config = LogsConfig { call_lines_per_s: 100, ..LogsConfig::default() };
    let host = Host { logs: Logs::new(config), ..Host::new() };
    let function = host.function("guest-function").await;
    let call = host.prepared(function, br#"{"do": "print", "lines": 5000}"#).await;
    let (log, request_id) = (call.log.clone(), call.invocation.request_id.clone());
    let (memory, timeout) = (call.function.memory, call.function.timeout);
    let called = Called::of(host.runtime.buffered(call).unwrap().await.unwrap());
    assert_eq!(called.answer(), json!({"printed": 5000}));
    log.end(&Report {
        request_id: &request_id,
        memory,
        timeout,
        usage: called.usage,
        error_type: None,
        span: None,
        timings: None,
    });
    let lines = host.lines();
    let printed = lines.iter().filter(|line| line.starts_with("line ")).count();
    let seconds = called.usage.duration.as_secs() as usize + 1;
    assert!(printed >= 100 && printed <= 100 * (seconds + 1), "{printed} in {:?}", called.usage.duration);
    let dropped =
        |line: &String| line.strip_prefix("LAMINA log lines dropped: ")?.split(' ').next()?.parse::<usize>().ok();
    assert_eq!(lines.iter().filter_map(dropped).sum::<usize>(), 5000 - printed);
}

#[tokio::test]
async fn a_logged_line_has_time_id_and_level() {
    let host = Host::new();
    host.call(json!({"do": "log", "message": "two\nlines"})).await;
    let lines = host.lines();
    let fields: Vec<_> = lines[0].split('\t').collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((fields[1].len(), fields[2], fields[3]), (36, "WARN", "two\rlines"), "{lines:?}");
    assert!(fields[0].ends_with('Z') && fields[0].len() == 24, "{lines:?}");
}

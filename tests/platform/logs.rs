//! A call's log: START, its own lines, END, REPORT.

use futures_util::future::join_all;
use harness::http;
use serde_json::json;

use crate::common::{common, platform};

/// The lines of one call.
async fn lines(platform: &harness::Platform, name: &str, id: &str) -> Vec<String> {
    let all = platform.logged(name, &format!("REPORT RequestId: {id}")).await;
    let start = all.iter().position(|line| line.contains(&format!("START RequestId: {id}"))).expect("START");
    let report = all.iter().position(|line| line.contains(&format!("REPORT RequestId: {id}"))).expect("REPORT");
    all[start..=report].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_logs_start_its_lines_end_and_report() {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    let reply = platform.invoke("does", &json!({"do": "print", "lines": 2})).await.expect(200);
    let id = reply.header("x-amzn-requestid").to_owned();
    let lines = lines(&platform, "does", &id).await;
    let [start, one, two, end, report] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(start.trim_end(), format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!((one.trim_end(), two.trim_end()), ("line 1", "line 2"));
    assert_eq!(end.trim_end(), format!("END RequestId: {id}"));
    let fields: Vec<&str> = report.trim_end_matches('\n').split('\t').collect();
    let expected = [
        &format!("REPORT RequestId: {id}") as &str,
        "Duration: ",
        "Billed Duration: ",
        "Memory Size: 128 MB",
        "Max Memory Used: ",
        "Fuel Used: ",
    ];
    assert!(fields.len() >= expected.len(), "{report}");
    let mut rest = fields.iter();
    for prefix in expected {
        assert!(rest.any(|field| field.starts_with(prefix)), "no {prefix} in its place: {report}");
    }
    let fuel = fields.iter().find_map(|field| field.strip_prefix("Fuel Used: ")).unwrap();
    assert!(fuel.parse::<u64>().unwrap() > 1_000, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_is_the_last_four_kilobytes() {
    let common = common().await;
    let (reply, tail) = common.platform.invoke_tail("does", &json!({"do": "log", "message": "look here"})).await;
    let id = reply.header("x-amzn-requestid");
    assert!(tail.starts_with(&format!("START RequestId: {id} ")), "{tail}");
    assert!(
        tail.contains("look here") && tail.contains(&format!("\nEND RequestId: {id}\nREPORT RequestId: ")),
        "{tail}"
    );
    let (_, tail) = common.platform.invoke_tail("does", &json!({"do": "print", "lines": 200, "bytes": 100})).await;
    assert_eq!(tail.len(), 4096);
    assert!(tail.contains("line 200") && tail.contains("REPORT"), "{tail}");
    let plain = common.platform.invoke("does", &json!({"do": "print", "lines": 1})).await;
    assert_eq!(plain.header("x-amz-log-result"), "", "nobody asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_in_the_log() {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    platform.invoke("does", &json!({"do": "panic", "message": "the sky fell"})).await.expect(200);
    let lines = platform.logged("does", "REPORT").await;
    let report = lines.last().unwrap();
    assert!(report.contains("\tStatus: error\tError Type: Runtime.Panic\t"), "{report}");
    assert!(lines.iter().any(|line| line.contains("the sky fell")), "{lines:#?}");
}

/// Calls at the same time lose no line of one another.
#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_log_every_line() {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    let event = json!({"do": "print", "lines": 20, "pause_ms": 5});
    let calls = (0..4).map(|_| platform.invoke("does", &event));
    for reply in join_all(calls).await {
        lines(&platform, "does", reply.expect(200).header("x-amzn-requestid")).await;
    }
    let all = platform.logs("does").await;
    for number in 1..=20 {
        let found = all.iter().filter(|event| event.message.trim_end() == format!("line {number}")).count();
        assert_eq!(found, 4, "line {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_can_be_followed_without_losing_or_repeating_a_line() {
    let platform = platform().await;
    platform.deploy("echo", &harness::tiny::echo()).await;
    let log = "/lamina/v1/logs/%2Faws%2Flambda%2Fecho";
    let read = async |after: &str, more: &str| {
        let answer = platform.client.get(&format!("{log}?After={after}{more}")).await.expect(200).json();
        let events = answer["Events"].as_array().unwrap().clone();
        (events, answer["NextAfter"].to_string())
    };
    platform.invoke("echo", &json!(1)).await.expect(200);
    platform.logged("echo", "REPORT").await;
    let (first, next) = read("0", "&Limit=2").await;
    let (second, next) = read(&next, "&Limit=2").await;
    assert_eq!((first.len(), second.len()), (2, 1), "START, END and REPORT");
    let (nothing, next) = read(&next, "").await;
    assert_eq!(nothing.len(), 0);
    // A reader that waits is woken by the next call.
    let (waited, _) = tokio::join!(read(&next, "&WaitMs=20000"), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        platform.invoke("echo", &json!(2)).await.expect(200)
    });
    assert!(!waited.0.is_empty(), "the reader waited in vain");
    let unknown = platform.client.get("/lamina/v1/logs/%2Faws%2Flambda%2Fnone").await;
    assert!(unknown.status == 404 || unknown.json()["Events"] == json!([]), "{unknown:?}");
    for bad in ["Limit=0", "Limit=10001", "WaitMs=30001", "After=x"] {
        platform.client.get(&format!("{log}?{bad}")).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_by_url_are_logged_under_the_request_id_that_is_answered() {
    let common = common().await;
    for (url, name) in [(&common.hello, "hello"), (&common.server, "server"), (&common.countdown, "countdown")] {
        let reply = url.request(http::request("GET", "/", "")).await.expect(200);
        let id = reply.header("x-amzn-requestid");
        assert!(lines(&common.platform, name, id).await.len() >= 3, "{name}");
    }
}

/// How a call ended, in the words of Lambda's REPORT, and what stands before END.
#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_in_its_report() {
    let platform = platform().await;
    let mut creation = crate::common::patient("does", &platform.sign(&test_guests::component("guest-function")));
    creation["Timeout"] = json!(1);
    platform.create(&creation).await;
    let timed_out = "Task timed out after 1.00 seconds";
    for (event, status, before_end) in [
        (json!({"do": "echo"}), "", ""),
        // A function's own error has no status of its own in the text.
        (json!({"do": "fail", "message": "no luck"}), "", "[ERROR] Test.Failed: no luck"),
        (json!({"do": "panic", "message": "fell"}), "\tStatus: error\tError Type: Runtime.Panic\t", "fell"),
        (json!({"do": "exit", "status": 3}), "\tStatus: error\tError Type: Runtime.ExitError\t", "exited with error"),
        (json!({"do": "sleep", "ms": 60_000}), "\tStatus: timeout\t", timed_out),
    ] {
        let reply = platform.invoke("does", &event).await.expect(200);
        let lines = lines(&platform, "does", reply.header("x-amzn-requestid")).await;
        let report = lines.last().unwrap();
        let after_fuel = report.split_once("\tFuel Used: ").unwrap().1.trim_start_matches(|c: char| c.is_ascii_digit());
        let expect = if status.is_empty() { "\t" } else { status };
        assert_eq!(after_fuel.trim_end_matches('\n'), expect, "{event}: {report}");
        assert!(lines.iter().any(|line| line.contains(before_end)), "{event}: {lines:#?}");
        let billed = report.contains("\tBilled Duration: 1000 ms\t");
        assert_eq!(billed, before_end == timed_out, "{event}: {report}");
    }
}

/// A call that waits for its code writes INIT_START before its START, as JSON where the
/// log is; the tail is the call's own.
#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_loaded_is_in_the_log() {
    let mut platform = platform().await;
    platform.deploy("text", &test_guests::component("guest-function")).await;
    let mut creation = crate::common::patient("json", &platform.sign(&test_guests::component("guest-function")));
    creation["LoggingConfig"] = json!({"LogFormat": "JSON", "SystemLogLevel": "DEBUG"});
    platform.create(&creation).await;
    platform.stop();
    platform.start_again();
    let (reply, tail) = platform.invoke_tail("text", &json!({"do": "echo"})).await;
    let id = reply.header("x-amzn-requestid");
    assert!(tail.starts_with("START ") && tail.contains("\tInit Duration: "), "{tail}");
    let lines = platform.logged("text", &format!("REPORT RequestId: {id}")).await;
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let (version, arn) = lines[0].trim_end().split_once('\t').unwrap();
    assert!(version.starts_with("INIT_START Runtime Version: provided:al2023.v"), "{version}");
    let digest = arn.strip_prefix("Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:").unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{arn}");
    // Another's code is the same, and loaded already: forget it.
    platform.stop();
    platform.start_again();
    platform.invoke("json", &json!({"do": "echo"})).await.expect(200);
    let lines = platform.logged("json", "platform.report").await;
    let events: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expect = ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"];
    assert_eq!(types, expect.map(|name| format!("platform.{name}")), "{lines:#?}");
    let init = &events[0]["record"];
    assert_eq!((&init["functionName"], &init["functionVersion"]), (&json!("json"), &json!("$LATEST")));
    assert_eq!(format!("Runtime Version ARN: {}", init["runtimeVersionArn"].as_str().unwrap()), arn);
    let took = &events[2]["record"]["metrics"]["durationMs"];
    assert_eq!(took, &events[5]["record"]["metrics"]["initDurationMs"], "{lines:#?}");
    platform.invoke("json", &json!({"do": "echo"})).await.expect(200);
    let again = platform.logs("json").await.len();
    assert_eq!(again, 9, "no init where the code is there");
}

//! What calls used: counted by kind, kept over restarts, and billed.

use std::fs;

use harness::{Platform, tiny};
use serde_json::{Value, json};

use crate::common::{patient, platform};

/// What REPORT says of one call.
#[derive(Debug)]
struct Reported {
    duration_ms: f64,
    init_ms: Option<f64>,
    billed_ms: u64,
    fuel: u64,
    /// Bytes of its answer, or of its failure.
    bytes_out: u64,
}

/// A figure of a REPORT line.
fn figure(line: &str, name: &str) -> Option<f64> {
    let field = line.split('\t').find_map(|field| field.strip_prefix(name)?.strip_prefix(": "))?;
    Some(field.trim_end_matches(" ms").parse().unwrap_or_else(|_| panic!("{name} in {line}")))
}

/// Calls the function and reads its REPORT.
async fn reported(platform: &Platform, name: &str, event: &Value) -> Reported {
    let (reply, tail) = platform.invoke_tail(name, event).await;
    assert_eq!(reply.status, 200, "{tail}");
    let line = tail.lines().find(|line| line.starts_with("REPORT ")).unwrap_or_else(|| panic!("no REPORT: {tail}"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers below 2^53")]
    let whole = |name: &str| figure(line, name).unwrap_or_else(|| panic!("{name} in {line}")) as u64;
    Reported {
        duration_ms: figure(line, "Duration").unwrap_or_else(|| panic!("no Duration in {line}")),
        init_ms: figure(line, "Init Duration"),
        billed_ms: whole("Billed Duration"),
        fuel: whole("Fuel Used"),
        bytes_out: reply.body.len() as u64,
    }
}

fn usage(platform: &Platform, arguments: &[&str]) -> Value {
    platform.cli(&[&["--output", "json", "usage"], arguments].concat()).ok().json()
}

/// The one row of a function.
fn row(usage: &Value, name: &str, version: Option<&str>) -> Value {
    let rows = usage["Usage"].as_array().unwrap().iter();
    let is = |row: &&Value| row["FunctionName"] == name && version.is_none_or(|version| row["Version"] == version);
    let found: Vec<&Value> = rows.filter(is).collect();
    assert_eq!(found.len(), 1, "{name} {version:?} in {usage}");
    found[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_counted_by_its_kind_and_kept_over_restarts() {
    let mut platform = platform().await;
    let mut creation = patient("does", &platform.sign(&test_guests::component("guest-function")));
    creation["Timeout"] = json!(1);
    creation["MemorySize"] = json!(256);
    platform.create(&creation).await;
    let kinds = [
        json!({"do": "echo", "value": 1}),
        json!({"do": "echo", "value": "three"}),
        json!({"do": "echo", "value": null}),
        json!({"do": "fail", "message": "no luck"}),
        json!({"do": "fail", "message": "again"}),
        json!({"do": "panic", "message": "the sky fell"}),
        json!({"do": "exit", "status": 3}),
        json!({"do": "trap"}),
        json!({"do": "sleep", "ms": 60_000}),
    ];
    let mut calls = Vec::new();
    for event in &kinds {
        calls.push(reported(&platform, "does", event).await);
    }
    assert_eq!(calls[8].billed_ms, 1_000, "a timeout is billed whole");
    // What is refused before it is a call is none.
    platform.invoke("nobody", &json!(1)).await.expect(404);
    let billed: u64 = calls.iter().map(|call| call.billed_ms).sum();
    let fuel: u64 = calls.iter().map(|call| call.fuel).sum();
    let bytes: usize = kinds.iter().map(|event| event.to_string().len()).sum();
    let check = |counted: &Value, times: u64| {
        for (name, expect) in [
            ("Invocations", 9),
            ("FunctionErrors", 2),
            ("Crashes", 3),
            ("Timeouts", 1),
            ("Throttles", 0),
            ("NotRun", 0),
            ("BilledMs", billed),
            ("BilledMibMs", 256 * billed),
            ("Fuel", fuel),
            ("BytesIn", bytes as u64),
            ("BytesOut", calls.iter().map(|call| call.bytes_out).sum()),
        ] {
            assert_eq!(counted[name], expect * times, "{name} of {counted}");
        }
    };
    check(&row(&usage(&platform, &[]), "does", None), 1);
    platform.stop();
    platform.start_again();
    let counted = usage(&platform, &["--by", "version", "--since", "2h"]);
    assert_eq!(counted["Usage"].as_array().unwrap().len(), 1, "{counted}");
    check(&row(&counted, "does", Some("$LATEST")), 1);
    // What was asked for is on the disk, whatever comes.
    reported(&platform, "does", &kinds[0]).await;
    assert_eq!(row(&usage(&platform, &[]), "does", None)["Invocations"], 10);
    platform.kill();
    platform.start_again();
    assert_eq!(row(&usage(&platform, &[]), "does", None)["Invocations"], 10);
    let nothing = usage(&platform, &["--until", "2h", "--since", "3h"]);
    assert_eq!(nothing["Usage"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_streams_are_counted_apart() {
    let platform = platform().await;
    platform.deploy("echo", &tiny::echo()).await;
    platform.client.json("POST", "/2015-03-31/functions/echo/versions", &json!({})).await.expect(201);
    platform.active("echo").await;
    for event in ["abc", "de"] {
        platform.invoke("echo", &json!(event)).await.expect(200);
        platform.invoke("echo%3A1", &json!(event)).await.expect(200);
    }
    platform.invoke("echo", &json!("f")).await.expect(200);
    platform.create(&patient("server", &platform.sign(&test_guests::component("guest-http")))).await;
    let server = platform.url("server", "RESPONSE_STREAM").await;
    let answered = server.send("POST", "/echo", vec![b'x'; 100_000]).await.expect(201);
    let counted = usage(&platform, &["--by", "version"]);
    let (latest, first) = (row(&counted, "echo", Some("$LATEST")), row(&counted, "echo", Some("1")));
    assert_eq!((&latest["Invocations"], &latest["BytesIn"], &latest["BytesOut"]), (&json!(3), &json!(12), &json!(12)));
    assert_eq!((&first["Invocations"], &first["BytesIn"]), (&json!(2), &json!(9)));
    let streamed = row(&counted, "server", Some("$LATEST"));
    assert_eq!(
        (&streamed["BytesIn"], &streamed["BytesOut"]),
        (&json!(100_000), &json!(answered.body.len())),
        "{streamed}"
    );
    let both = row(&usage(&platform, &[]), "echo", None);
    assert_eq!((&both["Invocations"], both.get("Version")), (&json!(5), None));
}

/// The table of `host/ARCHITECTURE.md`: what the durations of a call mean.
#[tokio::test(flavor = "multi_thread")]
async fn init_duration_is_the_wait_for_the_code_and_is_billed() {
    let mut platform = platform().await;
    platform.deploy("echo", &tiny::echo()).await;
    assert_eq!(reported(&platform, "echo", &json!(1)).await.init_ms, None, "deploying has loaded it");
    platform.stop();
    platform.start_again();
    let cold = reported(&platform, "echo", &json!(1)).await;
    let warm = reported(&platform, "echo", &json!(1)).await;
    assert!(cold.init_ms.is_some() && warm.init_ms.is_none(), "{cold:?} {warm:?}");
    for call in [&cold, &warm] {
        let both = call.duration_ms + call.init_ms.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a few milliseconds")]
        let over = call.billed_ms as f64 - both;
        // Both were rounded to a hundredth before they were written.
        assert!((-0.02..=1.02).contains(&over) && call.billed_ms >= 1, "{call:?}");
    }
    let counted = row(&usage(&platform, &[]), "echo", None);
    assert_eq!(counted["Inits"], 1, "{counted}");
    assert!(counted["InitUs"].as_u64() > Some(0), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_billed_by_a_file_of_prices_and_printed_as_csv() {
    let platform = platform().await;
    platform.deploy("seven", &tiny::constant("7")).await;
    for _ in 0..3 {
        platform.invoke("seven", &json!(1)).await.expect(200);
    }
    let prices = platform.home().join("prices.json");
    fs::write(&prices, r#"{"Currency": "EUR", "Request": "0.5", "GbSecond": "8"}"#).unwrap();
    let prices = prices.display().to_string();
    let counted = usage(&platform, &["--prices", &prices]);
    let seven = row(&counted, "seven", None);
    // 8 a GB-second is 1 for each second with 128 MB.
    let billed = seven["BilledMs"].as_u64().unwrap();
    assert_eq!(seven["Bill"], format!("{}.{:03}000000", 1 + (500 + billed) / 1_000, (500 + billed) % 1_000), "{seven}");
    assert_eq!((&counted["Currency"], &counted["Bill"]), (&json!("EUR"), &seven["Bill"]));
    let csv = platform.cli(&["--output", "csv", "usage", "--prices", &prices, "--by", "version"]).ok().stdout;
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let of = |name: &str| {
        let at = lines[0].iter().position(|header| *header == name).unwrap_or_else(|| panic!("no {name} in {csv}"));
        lines[1][at]
    };
    assert_eq!((lines.len(), of("FUNCTION"), of("VERSION"), of("INVOCATIONS")), (2, "seven", "$LATEST", "3"));
    assert_eq!(of("BILL_EUR"), seven["Bill"].as_str().unwrap());
    let table = platform.cli(&["usage"]).ok().stdout;
    assert!(table.starts_with("ACCOUNT\tFUNCTION\tINVOCATIONS\t") && table.contains("\tseven\t3\t"), "{table}");

    fs::write(platform.home().join("bad.json"), r#"{"GbSecond": "-1"}"#).unwrap();
    platform.cli(&["usage", "--prices", "bad.json"]).exited(2);
    let refused = platform.cli(&["--output", "csv", "status"]).exited(2);
    assert!(refused.stderr.contains("usage"), "{}", refused.stderr);
    let refused = platform.client.get("/lamina/v1/usage?By=hour").await;
    refused.refused(400, "ValidationException", "function, version");
}

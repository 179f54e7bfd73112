//! Functions' logs by CloudWatch Logs' own clients, and over restarts.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use harness::{Platform, awscli, process};
use serde_json::json;

use crate::common::{PROGRAM, platform};

/// Time for a line to come, on a machine that is busy.
const LINE_MAX: Duration = Duration::from_secs(60);
const AWS_MAX: Duration = Duration::from_secs(120);

/// The lines of a program that runs on, until one has `text` in it.
async fn until(command: &mut std::process::Command, text: &str, act: impl AsyncFn()) -> Vec<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1_000);
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.blocking_send(line)));
    let mut seen: Vec<String> = Vec::new();
    let mut acted = false;
    while !seen.iter().any(|line| line.contains(text)) {
        let line = tokio::time::timeout(LINE_MAX, receiver.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("no `{text}`: {seen:#?}")).expect("it goes on");
        seen.push(line);
        // What was there before is shown: from now on it follows.
        if !std::mem::replace(&mut acted, true) {
            act().await;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    seen
}

async fn print(platform: &Platform, lines: u32) -> String {
    let reply = platform.invoke("does", &json!({"do": "print", "lines": lines})).await.expect(200);
    reply.header("x-amzn-requestid").to_owned()
}

async fn with_function() -> Platform {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    platform
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_and_manages_logs() {
    let platform = platform().await;
    let signed = platform.sign(&test_guests::component("guest-function"));
    crate::boto3::run(&platform, "cloudwatch.py", &[("does.wasm", &signed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_sets_formats_levels_and_groups() {
    let platform = platform().await;
    let signed = platform.sign(&test_guests::component("guest-function"));
    crate::boto3::run(&platform, "log_formats.py", &[("does.wasm", &signed)]);
}

/// Only version 2 of the aws CLI has `logs tail`.
#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_tails_and_follows() {
    let platform = with_function().await;
    let first = print(&platform, 1).await;
    let tail = ["logs", "tail", "/aws/lambda/does", "--format", "short", "--filter-pattern", "REPORT"];
    let shown = process::run(&mut awscli::aws(&platform, &tail), AWS_MAX).ok();
    assert!(shown.stdout.contains(&format!("REPORT RequestId: {first}")), "{shown:?}");
    let follow = ["logs", "tail", "/aws/lambda/does", "--follow", "--since", "5m"];
    let mut following = awscli::aws(&platform, &follow);
    let print_more = async || {
        print(&platform, 2).await;
    };
    let lines = until(&mut following, "line 2", print_more).await;
    let of_first = lines.iter().filter(|line| line.contains(&first)).count();
    assert_eq!(of_first, 3, "START, END and REPORT once each: {lines:#?}");
}

/// Waits until a text is in a segment on the disk: that comes by itself.
async fn on_disk(platform: &Platform, text: &str) {
    let begun = std::time::Instant::now();
    let is_there = |path: std::path::PathBuf| {
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut bytes = files.filter_map(|file| std::fs::read(file.path()).ok());
        bytes.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    loop {
        let mut groups = std::fs::read_dir(platform.data().join("logs")).unwrap().flatten();
        if groups.any(|group| is_there(group.path())) {
            return;
        }
        assert!(begun.elapsed() < LINE_MAX, "`{text}` is not on the disk");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is on the disk survives a kill, and everything a stop.
#[tokio::test(flavor = "multi_thread")]
async fn log_lines_survive_a_stop_and_a_kill() {
    let mut platform = with_function().await;
    let first = print(&platform, 2).await;
    platform.logged("does", &format!("REPORT RequestId: {first}")).await;
    platform.stop();
    platform.start_again();
    let kept = platform.logs("does").await.len();
    assert_eq!(kept, 5, "START, two lines, END and REPORT");
    let second = print(&platform, 1).await;
    on_disk(&platform, &format!("REPORT RequestId: {second}")).await;
    platform.kill();
    platform.start_again();
    let lines: Vec<String> = platform.logs("does").await.into_iter().map(|line| line.message).collect();
    assert!(lines.len() == 10 && lines[5].starts_with("INIT_START "), "{lines:#?}");
    assert!(lines[9].starts_with(&format!("REPORT RequestId: {second}")), "{lines:#?}");
}

/// More than the memory of one group, in another.
#[tokio::test(flavor = "multi_thread")]
async fn a_functions_flood_takes_no_line_of_another() {
    let mut platform = with_function().await;
    platform.deploy("quiet", &test_guests::component("guest-function")).await;
    let flood = json!({"do": "print", "lines": 9_000, "bytes": 400});
    let loud = futures_util::future::join_all((0..4).map(|_| platform.invoke("does", &flood)));
    let calls = async {
        for _ in 0..20 {
            platform.invoke("quiet", &json!({"do": "print", "lines": 2})).await.expect(200);
        }
    };
    let (loud, ()) = tokio::join!(loud, calls);
    assert!(loud.iter().all(|reply| reply.status == 200), "{loud:?}");
    // START, two lines, END and REPORT each.
    assert_eq!(platform.logs("quiet").await.len(), 100);
    platform.stop();
    platform.start_again();
    assert_eq!(platform.logs("quiet").await.len(), 100);
    // Of the flood itself the newest is there, and what is not is said.
    let ends = platform.cli(&["logs", "does", "--filter", "?REPORT ?LAMINA"]).ok().stdout;
    assert!(ends.lines().count() >= 2, "{ends}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_filters_its_logs() {
    let platform = with_function().await;
    let (first, second) = (print(&platform, 3).await, print(&platform, 1).await);
    let logs = |more: &[&str]| -> Vec<String> {
        let arguments = [&["logs", "does"], more].concat();
        platform.cli(&arguments).ok().stdout.lines().map(str::to_owned).collect()
    };
    assert_eq!(logs(&["--filter", "line -3"]).len(), 3);
    let of_first = logs(&["--request-id", &first]);
    assert!(of_first.len() == 6 && of_first.iter().any(|line| line.ends_with(" line 2")), "{of_first:#?}");
    assert!(of_first.iter().all(|line| !line.contains('\u{1b}')), "colour in a pipe: {of_first:#?}");
    assert_eq!((logs(&["--since", "1h"]).len(), logs(&["--since", "2100-01-01T00:00:00Z"]).len()), (10, 0));
    let json = logs(&["--request-id", &second, "--filter", "line", "--output", "json"]);
    let line: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
    assert_eq!((json.len(), &line["Message"], &line["RequestId"]), (1, &json!("line 1"), &json!(second)));
    assert_eq!(logs(&["--filter", "%^line [2-3]$%"]).len(), 2);
    let columns = format!("[r = REPORT, i, id = {first}, d, ms >= 0, unit = ms, ...]");
    assert_eq!(logs(&["--filter", &columns]).len(), 1);
    let refused = platform.cli(&["logs", "does", "--filter", "\"open"]).exited(1);
    assert!(refused.stderr.contains("a quotation mark is not closed"), "{refused:?}");
    let mut follow = process::command(PROGRAM, platform.home());
    follow.args(["logs", "does", "--follow", "--filter", "line", "--data"]).arg(platform.data());
    let lines = until(&mut follow, "line 4", async || {
        print(&platform, 4).await;
    });
    assert!(lines.await.iter().all(|line| line.contains("line ")));
}

/// A log outlives its function, for the command line too.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_log_of_a_function_that_is_gone() {
    let platform = with_function().await;
    let call = print(&platform, 1).await;
    platform.logged("does", &format!("REPORT RequestId: {call}")).await;
    platform.cli(&["delete", "does"]).ok();
    for more in [&[][..], &["--follow"], &["--request-id", &call]] {
        let shown = platform.cli(&[&["logs", "does"], more].concat()).ok();
        assert!(shown.stdout.contains(&format!("REPORT RequestId: {call}")), "{shown:?}");
        assert!(shown.stderr.contains("the function does is gone; its log /aws/lambda/does is kept"), "{shown:?}");
    }
    let shown = platform.cli(&["logs", "does", "--since", "2100-01-01T00:00:00Z"]).ok();
    assert!(shown.stdout.is_empty() && shown.stderr.contains("is gone"), "{shown:?}");
    let none = platform.cli(&["logs", "nobody"]).exited(1);
    assert!(none.stdout.is_empty() && none.stderr.contains("Function not found"), "{none:?}");
}

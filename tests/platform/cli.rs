//! The command line against a running platform.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use harness::{Options, Platform, process};
use serde_json::{Value, json};

use crate::common::{PROGRAM, platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_function_lives_by_commands_alone() {
    let platform = Platform::untrusting(Options::new(PROGRAM));
    let file = platform.home().join("hello.wasm");
    fs::write(&file, test_guests::component("hello")).unwrap();
    let file = file.to_str().unwrap();
    platform.cli_alone(&["keys", "new", "mine.key"]).ok();

    // Signed by nobody that is trusted: refused, and the next step is named.
    platform.cli_alone(&["sign", file, "--key", "mine.key"]).ok();
    let refused = platform.cli(&["deploy", "hello", file]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("trust add"), "no next step:\n{}", refused.stderr);

    platform.cli(&["trust", "add", "mine.key.pub"]).ok();
    let listed = platform.cli(&["trust", "list", "--output", "json"]).ok().json();
    assert_eq!(listed.to_string().matches("KeyId").count(), 1, "{listed}");
    let deploy = [
        "deploy",
        "hello",
        file,
        "--memory",
        "256",
        "--timeout",
        "9",
        "--env",
        "KEY=value",
        "--url",
        "--output",
        "json",
    ];
    let deployed = platform.cli(&deploy).ok().json();
    assert_eq!(deployed["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert_eq!((&deployed["Version"], &deployed["State"]), (&json!("$LATEST"), &json!("Active")));
    assert!(deployed["CodeSha256"].is_string() && deployed["FunctionUrl"].is_string(), "{deployed}");
    let configuration = platform.client.get("/2015-03-31/functions/hello/configuration").await.expect(200).json();
    assert_eq!((&configuration["MemorySize"], &configuration["Timeout"]), (&json!(256), &json!(9)));
    assert_eq!(configuration["Environment"], json!({"Variables": {"KEY": "value"}}));
    let id = deployed["FunctionUrl"].as_str().unwrap().trim_start_matches("http://").split('.').next().unwrap();
    let request = harness::http::request("GET", &format!("/_url/{id}/?name=Ada"), "");
    let reply = harness::http::send(&platform.client.authority, request).await.expect(200);
    assert_eq!(reply.text(), r#"{"message":"Hello, Ada!"}"#);
    let shown = platform.cli(&["url", "hello"]).ok();
    assert!(shown.stdout.contains(id), "{}", shown.stdout);

    // Deployed again it is updated, and keeps what is not said.
    platform.cli(&["deploy", "hello", file, "--timeout", "8"]).ok();
    let configuration = platform.client.get("/2015-03-31/functions/hello/configuration").await.expect(200).json();
    assert_eq!((&configuration["MemorySize"], &configuration["Timeout"]), (&json!(256), &json!(8)));

    calls(&platform);
    let list = platform.cli(&["list"]).ok();
    assert!(list.stdout.contains("hello"), "{}", list.stdout);
    platform.cli(&["delete", "hello"]).ok();
    let list = platform.cli(&["list", "--output", "json"]).ok().json();
    assert!(!list.to_string().contains("hello"), "{list}");
    assert_eq!(platform.cli(&["invoke", "hello"]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoke_prints_a_stream_as_it_comes() {
    let platform = platform().await;
    platform.deploy("streams", &test_guests::component("guest-stream")).await;
    let invoke = |event: &str, more: &[&str]| {
        platform.cli(&[&["invoke", "streams", "--stream", "--payload", event], more].concat())
    };
    let streamed = invoke(r#"{"do":"chunks","count":3,"bytes":10}"#, &["--tail"]).ok();
    assert!(streamed.stderr.contains("REPORT RequestId: "), "{}", streamed.stderr);
    let events = invoke(r#"{"do":"chunks","count":3,"bytes":10}"#, &["--output", "json"]).ok().stdout;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let chunks: String = events.iter().filter_map(|event| event["PayloadChunk"]["Payload"].as_str()).collect();
    assert_eq!(chunks, streamed.stdout);
    assert_eq!((events.len(), &events[3]["InvokeComplete"]), (4, &json!({})));
    let failed = invoke(r#"{"do":"fail-after"}"#, &[]);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), "first"));
    assert!(failed.stderr.contains("Test.Failed"), "{}", failed.stderr);
    assert_eq!(platform.cli(&["invoke", "nobody", "--stream"]).code, Some(1));
}

/// Invoke and logs: payload on standard output, everything else on standard error.
fn calls(platform: &Platform) {
    let called = platform.cli(&["invoke", "hello", "--payload", r#"{"name":"Grace"}"#, "--tail"]).ok();
    assert_eq!(called.stdout.trim_end(), r#"{"message":"Hello, Grace!"}"#);
    for text in ["START RequestId: ", "greeting Grace", "END RequestId: ", "REPORT RequestId: "] {
        assert!(called.stderr.contains(text), "no `{text}`:\n{}", called.stderr);
    }
    fs::write(platform.home().join("event.json"), r#"{"name":"Linus"}"#).unwrap();
    let called = platform.cli(&["invoke", "hello", "--payload", "@event.json"]).ok();
    assert_eq!(called.stdout.trim_end(), r#"{"message":"Hello, Linus!"}"#);
    let failed = platform.cli(&["invoke", "hello", "--payload", r#"{"name":""}"#]).exited(1);
    assert!(failed.stdout.contains("Hello.NoName"), "{failed:?}");
    let logs = platform.cli(&["logs", "hello"]).ok();
    assert!(logs.stdout.contains("greeting Linus") && logs.stdout.contains("Fuel Used: "), "{}", logs.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_signs_streams_and_sets_fuel_where_it_is_told() {
    let platform = platform().await;
    let file = platform.home().join("stream.wasm");
    fs::write(&file, test_guests::component("stream")).unwrap();
    fs::write(platform.home().join("mine.key"), platform.key().to_pem().unwrap().as_bytes()).unwrap();
    let file = file.to_str().unwrap();
    let deploy = [
        "deploy",
        "countdown",
        file,
        "--key",
        "mine.key",
        "--url",
        "--stream",
        "--fuel",
        "900000000",
        "--output",
        "json",
    ];
    let deployed = platform.cli(&deploy).ok().json();
    assert_eq!(fs::read(file).unwrap(), test_guests::component("stream"), "the file itself is not signed");
    let url = platform.client.get("/2021-10-31/functions/countdown/url").await.expect(200).json();
    assert_eq!((&url["InvokeMode"], &url["FunctionUrl"]), (&json!("RESPONSE_STREAM"), &deployed["FunctionUrl"]));
    let tags = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Acountdown";
    let tags = platform.client.get(tags).await.expect(200).json();
    assert_eq!(tags["Tags"]["lamina:fuel"], "900000000");

    // What is not given stays as it is, and there is a way back.
    for (mode, expect) in [(None, "RESPONSE_STREAM"), (Some("--buffered"), "BUFFERED")] {
        let deploy = ["deploy", "countdown", file, "--key", "mine.key", "--url"].into_iter().chain(mode);
        platform.cli(&deploy.collect::<Vec<_>>()).ok();
        let url = platform.client.get("/2021-10-31/functions/countdown/url").await.expect(200).json();
        assert_eq!(url["InvokeMode"], expect);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_told_of_failures_and_of_what_was_not_there() {
    let platform = platform().await;
    platform.deploy("kept", &harness::tiny::echo()).await;
    let deleted = platform.cli(&["delete", "kept", "--qualifier", "99", "--output", "json"]).ok().json();
    assert_eq!(deleted["Deleted"], false);
    let failed = platform.cli(&["invoke", "nobody", "--output", "json"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert_eq!(failed.json()["Error"]["Type"], "ResourceNotFoundException");
    let missing = platform.cli(&["deploy", "kept", "nowhere.wasm", "--output", "json"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.json()["Error"]["Next"].is_string(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_as_they_are_written() {
    let platform = platform().await;
    platform.deploy("echo", &harness::tiny::echo()).await;
    platform.invoke("echo", &json!(1)).await.expect(200);
    platform.logged("echo", "REPORT").await;
    let mut command = process::command(PROGRAM, platform.home());
    command.args(["logs", "echo", "--follow", "--data"]).arg(platform.data());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.blocking_send(line)));
    let mut reports = Vec::new();
    while reports.len() < 2 {
        let line = tokio::time::timeout(Duration::from_secs(30), receiver.recv()).await;
        let line = line.expect("a line in time").expect("`logs --follow` goes on");
        if line.contains("REPORT") {
            if reports.is_empty() {
                platform.invoke("echo", &json!(2)).await.expect(200);
            }
            reports.push(line);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(reports[0], reports[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_found_by_endpoint_and_the_variables_of_aws() {
    let platform = platform().await;
    platform.deploy("echo", &harness::tiny::echo()).await;
    let endpoint = platform.endpoint();
    let mut command = process::command(PROGRAM, platform.home());
    command
        .args(["invoke", "echo", "--payload", "7", "--endpoint", &endpoint])
        .env("AWS_ACCESS_KEY_ID", &platform.client.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &platform.client.secret_access_key)
        .env("AWS_REGION", "us-east-1");
    let called = process::run(&mut command, Duration::from_secs(60)).ok();
    assert_eq!(called.stdout.trim_end(), "7");
    // A profile that asks a program, as `credentials.json` is meant to be used.
    let aws = platform.home().join(".aws");
    fs::create_dir_all(&aws).unwrap();
    let program = format!("cat {}", platform.data().join("credentials.json").display());
    fs::write(aws.join("config"), format!("[profile here]\nregion = us-east-1\ncredential_process = {program}\n"))
        .unwrap();
    let mut command = process::command(PROGRAM, platform.home());
    command.args(["invoke", "echo", "--payload", "8", "--endpoint", &endpoint]).env("AWS_PROFILE", "here");
    let called = process::run(&mut command, Duration::from_secs(60)).ok();
    assert_eq!(called.stdout.trim_end(), "8");
    // And by our own variable.
    let mut command = process::command(PROGRAM, platform.home());
    command.args(["invoke", "echo", "--payload", "9"]).env("LAMINA_DATA", platform.data());
    let called = process::run(&mut command, Duration::from_secs(60)).ok();
    assert_eq!(called.stdout.trim_end(), "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_a_next_step_and_usage_exits_with_two() {
    let mut platform = platform().await;
    let missing = platform.cli(&["invoke", "none"]).exited(1);
    assert!(missing.stderr.contains("Function not found") && missing.stdout.is_empty(), "{missing:?}");
    platform.cli(&["invoke"]).exited(2);
    platform.cli_alone(&["nonsense"]).exited(2);
    let unreadable = platform.cli(&["deploy", "f", "nowhere.wasm"]);
    assert!(unreadable.code != Some(0) && unreadable.stderr.contains("nowhere.wasm"), "{unreadable:?}");
    platform.stop();
    let nobody = platform.cli(&["list"]).exited(1);
    assert!(nobody.stderr.contains("lamina serve"), "no next step:\n{}", nobody.stderr);
    assert!(!nobody.stderr.contains('\u{1b}'), "colour where there is no terminal");
}

#[test]
fn help_lists_every_command() {
    let home = tempfile::tempdir().unwrap();
    let help = process::run(process::command(PROGRAM, home.path()).arg("--help"), Duration::from_secs(30)).ok();
    for command in [
        "serve",
        "quickstart",
        "keys",
        "sign",
        "unsign",
        "verify",
        "trust",
        "deploy",
        "invoke",
        "logs",
        "list",
        "delete",
        "url",
    ] {
        let listed = help.stdout.lines().any(|line| line.trim_start().split(' ').next() == Some(command));
        assert!(listed, "no {command}:\n{}", help.stdout);
    }
    assert!(help.stdout.contains("LAMINA_DATA"), "{}", help.stdout);
    let version = process::run(process::command(PROGRAM, home.path()).arg("--version"), Duration::from_secs(30)).ok();
    let number = Value::from(env!("CARGO_PKG_VERSION"));
    assert!(version.stdout.contains(number.as_str().unwrap()), "{}", version.stdout);
}

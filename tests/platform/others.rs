//! Handlers and libraries that others wrote, deployed as their authors would deploy
//! them: `lamina deploy NAME ./folder`, with the packages in it.

use std::time::Duration;

use bytes::Bytes;
use harness::{Platform, Reply, others};
use serde_json::{Value, json};

use crate::common::platform;

/// Packing, checking and unpacking some thousands of files, built for debugging.
const DEPLOY_MAX: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn javascript_of_others_runs_unmodified() {
    check("javascript").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_of_others_runs_unmodified() {
    check("python").await;
}

async fn check(language: &str) {
    let platform = platform().await;
    platform.install_runtimes();
    let entries = others::list();
    let (mut seen, mut findings) = (0, Vec::new());
    for entry in entries.iter().filter(|entry| entry["language"] == language) {
        deploy(&platform, entry);
        findings.extend(calls(&platform, entry).await);
        if entry["log"].is_array() {
            // Every call has ended when this line is there.
            let lines = platform.logged(name(entry), "REPORT RequestId: ").await.join("\n");
            let missing =
                entry["log"].as_array().into_iter().flatten().filter(|text| !lines.contains(text.as_str().unwrap()));
            findings.extend(missing.map(|text| format!("{}: {text} is not in its log:\n{lines}", name(entry))));
        }
        seen += 1;
    }
    assert!(seen > 10, "the list has {seen} of {language}");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn name(entry: &Value) -> &str {
    entry["name"].as_str().unwrap()
}

fn deploy(platform: &Platform, entry: &Value) {
    let key = platform.home().join("author.key");
    if !key.exists() {
        std::fs::write(&key, platform.key().to_pem().unwrap().as_str()).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let folder = others::folder(entry);
    let mut arguments = vec!["deploy", name(entry), folder.to_str().unwrap(), "--key", key.to_str().unwrap()];
    arguments.extend(["--timeout", "60", "--memory", "512"]);
    if let Some(handler) = entry["handler"].as_str() {
        arguments.extend(["--handler", handler]);
        // What is guessed is both or none.
        arguments.extend(["--runtime", if entry["language"] == "python" { "python3.13" } else { "nodejs22.x" }]);
    }
    let variables: Vec<String> = entry["environment"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
        .collect();
    variables.iter().for_each(|variable| arguments.extend(["--env", variable]));
    platform.cli_within(&arguments, DEPLOY_MAX).ok();
}

/// Makes the calls of an entry; answers those that did not end as it says.
async fn calls(platform: &Platform, entry: &Value) -> Vec<String> {
    let calls = entry["calls"].as_array().unwrap();
    assert!(!calls.is_empty());
    let has_requests = calls.iter().any(|call| call["request"].is_array());
    let url = if has_requests { Some(platform.url(name(entry), "BUFFERED").await) } else { None };
    let mut findings = Vec::new();
    for call in calls {
        let (ended, expect) = match (&url, call["request"].as_array()) {
            (Some(url), Some(request)) => {
                let text = |at: usize| request.get(at).and_then(Value::as_str).unwrap_or_default();
                let mut made = ::http::Request::builder().method(text(0)).uri(text(1));
                if request.len() > 2 {
                    made = made.header("content-type", "application/json");
                }
                let reply = url.request(made.body(Bytes::from(text(2).to_owned())).unwrap()).await;
                (response(&reply, &call["response"]), &call["response"])
            }
            _ => {
                let reply = platform.invoke(name(entry), &call["event"]).await;
                if call["error"].is_object() {
                    (error(&reply), &call["error"])
                } else {
                    (answer(&reply), &call["answer"])
                }
            }
        };
        if ended != *expect {
            findings.push(format!("{}: {call}\n  ended as {ended}", name(entry)));
        }
    }
    findings
}

/// The answer, or all there is of one that is none.
fn answer(reply: &Reply) -> Value {
    let is_answer = reply.status == 200 && reply.header("x-amz-function-error").is_empty();
    if is_answer { reply.json() } else { json!({"status": reply.status, "text": reply.text()}) }
}

/// Type and first line of an error.
fn error(reply: &Reply) -> Value {
    let object: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let message = object["errorMessage"].as_str().and_then(|text| text.lines().next());
    json!({"errorType": object["errorType"], "errorMessage": message})
}

/// Of a response what `expect` asks for.
fn response(reply: &Reply, expect: &Value) -> Value {
    let mut found = json!({"status": reply.status});
    if !expect["json"].is_null() {
        found["json"] = serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!(reply.text()));
    }
    if !expect["cookie"].is_null() {
        found["cookie"] = json!(reply.header("set-cookie"));
    }
    found
}

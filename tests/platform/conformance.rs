//! Function URLs to the letter: the pairs of `conformance/*.json`, all of them
//! against the real binary, over sockets whose bytes are the test's own.
//!
//! Where the pairs come from: AWS's documentation of function URLs (payload format
//! 2.0, response inference, CORS), and for what it leaves open the choices that
//! `host/SPECIFICATION.md` lists.

use std::time::Duration;

use harness::http::DEADLINE;
use harness::raw::{Answer, Connection, Read};
use harness::{Platform, Url, creation};
use serde_json::{Value, json};

use crate::common::platform;

const EVENTS: &str = include_str!("conformance/events.json");
const ANSWERS: &str = include_str!("conformance/answers.json");
const STREAMS: &str = include_str!("conformance/streams.json");
const SERVERS: &str = include_str!("conformance/servers.json");
const CORS: &str = include_str!("conformance/cors.json");

/// Headers that every answer may have, and that say how it is sent.
const OF_EVERY_ANSWER: [&str; 4] = ["date", "content-length", "transfer-encoding", "x-amzn-requestid"];

/// The pairs of a file, each by its name.
fn pairs(file: &str) -> Vec<(String, Value)> {
    let file: Value = serde_json::from_str(file).unwrap();
    let pairs = file["pairs"].as_array().unwrap().iter();
    pairs.map(|pair| (pair["name"].as_str().unwrap().to_owned(), pair.clone())).collect()
}

/// A request as bytes: GET / to the URL's own host, unless the pair says otherwise.
fn request(platform: &Platform, url: &Url, asked: &Value) -> Vec<u8> {
    let text = |member: &str, or: &str| asked[member].as_str().unwrap_or(or).to_owned();
    let filled =
        |text: &str| known(platform, url).iter().fold(text.to_owned(), |text, (name, is)| text.replace(name, is));
    let (by_path, target) = (asked["by"] == "path", filled(&text("target", "/")));
    let target = if by_path { format!("/_url/{}{target}", url.id) } else { target };
    let mut head = format!("{} {target} {}\r\n", text("method", "GET"), text("version", "HTTP/1.1"));
    let headers = asked["headers"].as_array().cloned().unwrap_or_default();
    if !headers.iter().any(|header| header[0] == "host") {
        head += &format!("host: {}\r\n", filled(if by_path { "$authority" } else { "$host" }));
    }
    for header in &headers {
        head += &format!("{}: {}\r\n", header[0].as_str().unwrap(), filled(header[1].as_str().unwrap()));
    }
    let mut body = unhex(asked["hex"].as_str().unwrap_or_default());
    body.extend_from_slice(text("body", "").as_bytes());
    if let Some(chunks) = asked["chunks"].as_array() {
        head += "transfer-encoding: chunked\r\n";
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        body = chunks.iter().map(|text| chunk(text.as_str().unwrap())).collect::<String>().into_bytes();
        body.extend_from_slice(b"0\r\n\r\n");
    } else if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    [head.as_bytes(), b"\r\n", &body].concat()
}

/// What a pair may name and only a running platform knows.
fn known(platform: &Platform, url: &Url) -> [(&'static str, String); 6] {
    let (authority, region) = (&platform.client.authority, &platform.client.region);
    let domain = format!("{}.lambda-url.{region}.localhost", url.id);
    let port = authority.rsplit(':').next().unwrap().to_owned();
    [
        ("$authority", authority.clone()),
        ("$host", format!("{domain}:{port}")),
        ("$domain", domain),
        ("$port", port),
        ("$region", region.clone()),
        ("$id", url.id.clone()),
    ]
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

async fn exchange(platform: &Platform, method: &str, request: &[u8]) -> Result<Answer, String> {
    let mut connection = Connection::open(&platform.client.authority).await;
    connection.send(request).await;
    match connection.answer(method, DEADLINE).await {
        Read::Answer(answer) => Ok(answer),
        other => Err(format!("{other:?}")),
    }
}

/// RFC 7396.
fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                match value {
                    Value::Null => drop(into.remove(name)),
                    _ => merge(into.entry(name.clone()).or_insert(Value::Null), value),
                }
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

/// Every text of `value`, replaced.
fn filled(value: &Value, known: &[(&str, String)]) -> Value {
    match value {
        Value::String(text) => known.iter().fold(text.clone(), |text, (name, is)| text.replace(name, is)).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, known)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), filled(value, known))).collect())
        }
        other => other.clone(),
    }
}

/// Checks what differs from call to call, and puts the pair's words in its place.
fn settle(event: &mut Value, answer: &Answer) -> Result<(), String> {
    let context = &mut event["requestContext"];
    let epoch = context["timeEpoch"].as_u64().ok_or("timeEpoch is no number")?;
    let time = context["time"].as_str().unwrap_or_default().to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    if epoch > now || now - epoch > 600_000 {
        return Err(format!("timeEpoch {epoch}, and it is {now}"));
    }
    if time != common_log_time(epoch / 1000) {
        return Err(format!("time `{time}`, not `{}`", common_log_time(epoch / 1000)));
    }
    if context["requestId"] != answer.header("x-amzn-requestid") {
        return Err(format!(
            "requestId {}, and the answer's is {}",
            context["requestId"],
            answer.header("x-amzn-requestid")
        ));
    }
    context["timeEpoch"] = "$epoch".into();
    context["time"] = "$time".into();
    context["requestId"] = "$request".into();
    let trace = &mut event["headers"]["x-amzn-trace-id"];
    // One of the platform's own making is not sampled.
    if trace.as_str().is_some_and(|text| text.starts_with("Root=1-") && text.ends_with(";Sampled=0")) {
        *trace = "$trace".into();
    }
    Ok(())
}

/// `07/Sep/2021:22:50:22 +0000`, counted here by hand.
fn common_log_time(seconds: u64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut days, mut year) = (seconds / 86_400, 1970);
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let of_day = seconds % 86_400;
    let (hours, minutes) = (of_day / 3_600, of_day / 60 % 60);
    format!("{:02}/{}/{year}:{hours:02}:{minutes:02}:{:02} +0000", days + 1, MONTHS[month], of_day % 60)
}

/// What an answer differs in from the one that a pair expects.
fn differs(answer: &Answer, expect: &Value, method: &str) -> Option<String> {
    if answer.header("x-amzn-requestid").len() != 36 {
        return Some("it has no x-amzn-requestid".to_owned());
    }
    let mut headers = json!({});
    // A length is compared where the answer has no body to compare.
    let is_listed = |name: &str| method == "HEAD" && name == "content-length" && expect["headers"].get(name).is_some();
    for (name, value) in &answer.headers {
        if OF_EVERY_ANSWER.contains(&name.as_str()) && !is_listed(name) {
            continue;
        }
        match headers.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.clone().into()),
            Some(one) => *one = json!([one.clone(), value]),
            None => headers[name] = value.clone().into(),
        }
    }
    let (body, hex) = (&expect["body"], expect["body"]["hex"].as_str());
    let is_body = match (body["length"].as_u64(), hex) {
        (Some(length), _) => answer.body.len() as u64 == length,
        (_, Some(hex)) => answer.body == unhex(hex),
        _ => answer.body == body.as_str().unwrap().as_bytes(),
    };
    let same = answer.status == expect["status"] && headers == expect["headers"] && is_body;
    let shown: String = answer.text().chars().take(200).collect();
    (!same).then(|| format!("{} {headers} {} bytes `{shown}`, not {expect}", answer.status, answer.body.len()))
}

/// Prints how many there were, and fails with every pair that differed.
#[track_caller]
fn report(file: &str, count: usize, failures: &[String]) {
    eprintln!("conformance: {count} pairs of {file}, {} differ", failures.len());
    assert!(failures.is_empty(), "{} of {count} pairs of {file} differ:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_becomes_its_event() {
    let platform = platform().await;
    platform.deploy("echo", &harness::tiny::echo()).await;
    let url = platform.url("echo", "BUFFERED").await;
    let base = serde_json::from_str::<Value>(EVENTS).unwrap()["event"].clone();
    let (pairs, mut failures) = (pairs(EVENTS), Vec::new());
    for (name, pair) in &pairs {
        let mut expect = base.clone();
        merge(&mut expect, &pair["event"]);
        let expect = filled(&expect, &known(&platform, &url));
        let found = event(&platform, &request(&platform, &url, &pair["request"])).await;
        match found {
            Ok(event) if event == expect => {}
            Ok(event) => failures.push(format!("{name}:\n  {event}\n  {expect}")),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    report("events.json", pairs.len(), &failures);
}

async fn event(platform: &Platform, request: &[u8]) -> Result<Value, String> {
    let answer = exchange(platform, "GET", request).await?;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    let mut event = serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))?;
    settle(&mut event, &answer)?;
    Ok(event)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_result_becomes_its_answer() {
    let platform = platform().await;
    platform.deploy("url", &test_guests::component("guest-url")).await;
    let url = platform.url("url", "BUFFERED").await;
    let (pairs, mut failures) = (pairs(ANSWERS), Vec::new());
    for (name, pair) in &pairs {
        let method = pair["method"].as_str().unwrap_or("POST");
        let (at, body) = match (&pair["at"], &pair["result"], &pair["result_hex"]) {
            (Value::String(at), ..) => (at.as_str(), ""),
            (_, Value::String(result), _) => ("/", result.as_str()),
            (.., Value::String(hex)) => ("/hex", hex.as_str()),
            _ => panic!("{name} has no result"),
        };
        let headers = [["content-type", "text/plain"]];
        let asked = json!({ "method": method, "target": at, "headers": headers, "body": body });
        match exchange(&platform, method, &request(&platform, &url, &asked)).await {
            Ok(answer) => {
                let differs = differs(&answer, &pair["answer"], method);
                failures.extend(differs.map(|differs| format!("{name}: {differs}")));
            }
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    report("answers.json", pairs.len(), &failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_head_of_a_stream_becomes_its_answer() {
    let platform = platform().await;
    let code = platform.sign(&test_guests::component("guest-stream"));
    let mut urls = Vec::new();
    for mode in ["RESPONSE_STREAM", "BUFFERED"] {
        platform.create(&creation(mode, &code)).await;
        urls.push((mode, platform.url(mode, mode).await));
    }
    let (mut count, mut failures) = (0, Vec::new());
    for (name, pair) in &pairs(STREAMS) {
        let method = pair["method"].as_str().unwrap_or("POST");
        let body = pair["event"].to_string();
        let asked = json!({ "method": method, "headers": [["content-type", "application/json"]], "body": body });
        for (mode, url) in urls.iter().filter(|(mode, _)| pair["modes"].as_array().unwrap().contains(&json!(mode))) {
            count += 1;
            match exchange(&platform, method, &request(&platform, url, &asked)).await {
                Ok(answer) => {
                    let differs = differs(&answer, &pair["answer"], method);
                    failures.extend(differs.map(|differs| format!("{name} ({mode}): {differs}")));
                }
                Err(error) => failures.push(format!("{name} ({mode}): {error}")),
            }
        }
    }
    report("streams.json", count, &failures);
}

/// What `guest-http` says that it saw, in the form of a pair; `Err` when it says so
/// otherwise. The headers that the platform adds are checked, and taken away.
fn seen(answer: &Answer) -> Result<Value, String> {
    let text = answer.text();
    let shown = || format!("{} {text}", answer.status);
    let (head, body) = text.split_once("\n\n").ok_or_else(shown)?;
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.rsplit_once(' ')).ok_or_else(shown)?;
    let (scheme, authority) = lines.next().and_then(|line| line.split_once(' ')).ok_or_else(shown)?;
    let authority = authority.trim_start_matches("Some(\"").trim_end_matches("\")");
    let scheme = if scheme == "Some(Scheme::Http)" { "HTTP" } else { scheme };
    let mut headers = json!({});
    for line in lines {
        let (name, value) = line.split_once(": ").ok_or_else(shown)?;
        match headers.get_mut(name) {
            Some(Value::Array(values)) => values.push(value.into()),
            Some(one) => *one = json!([one.clone(), value]),
            None => headers[name] = value.into(),
        }
    }
    for (name, is) in [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http")] {
        let found = headers.as_object_mut().and_then(|headers| headers.remove(name));
        if found != Some(json!(is)) {
            return Err(format!("{name}: {found:?}"));
        }
    }
    Ok(json!({
        "method": method, "target": target, "scheme": scheme, "authority": authority, "headers": headers, "body": body,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_sees_the_request_and_says_the_answer() {
    let platform = platform().await;
    let code = platform.sign(&test_guests::component("guest-http"));
    let (requests, mut failures, mut count) = (pairs(SERVERS), Vec::new(), 0);
    let answers = serde_json::from_str::<Value>(SERVERS).unwrap()["answers"].clone();
    for mode in ["RESPONSE_STREAM", "BUFFERED"] {
        platform.create(&creation(mode, &code)).await;
        let url = platform.url(mode, mode).await;
        let known = known(&platform, &url);
        for (name, pair) in &requests {
            count += 1;
            let expect = filled(&pair["sees"], &known);
            let method = pair["request"]["method"].as_str().unwrap_or("GET");
            let found = exchange(&platform, method, &request(&platform, &url, &pair["request"])).await;
            let found = found.and_then(|answer| seen(&answer)).map(|mut found| {
                let headers = found["headers"].as_object_mut().unwrap();
                let port = headers.remove("x-forwarded-port");
                assert_eq!(port.as_ref(), Some(&json!(known[3].1)), "{name}");
                // One of the platform's own making is not sampled.
                let own = headers.get("x-amzn-trace-id").is_some_and(|id| id.as_str().unwrap().ends_with(";Sampled=0"));
                if own {
                    headers.remove("x-amzn-trace-id");
                }
                found
            });
            if found.as_ref() != Ok(&expect) {
                failures.push(format!("{name} ({mode}):\n  {found:?}\n  {expect}"));
            }
        }
        let told = answers.as_array().unwrap().iter();
        for pair in told.filter(|pair| pair["modes"].as_array().unwrap().contains(&json!(mode))) {
            count += 1;
            let (name, method) = (pair["name"].as_str().unwrap(), pair["method"].as_str().unwrap_or("POST"));
            let asked = json!({ "method": method, "target": "/answer", "body": pair["told"] });
            let failed = match exchange(&platform, method, &request(&platform, &url, &asked)).await {
                Ok(answer) => differs(&answer, &pair["answer"], method),
                Err(error) => Some(error),
            };
            failures.extend(failed.map(|reason| format!("{name} ({mode}): {reason}")));
        }
    }
    report("servers.json", count, &failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cross_origin_rule_becomes_its_headers() {
    let platform = platform().await;
    platform.deploy("url", &test_guests::component("guest-url")).await;
    let url = platform.url("url", "BUFFERED").await;
    let (pairs, mut failures) = (pairs(CORS), Vec::new());
    for (name, pair) in &pairs {
        // Rules are replaced whole; without any the URL is made anew.
        let path = "/2021-10-31/functions/url/url";
        let url = match &pair["cors"] {
            Value::Null => {
                platform.client.call("DELETE", path, "").await.expect(204);
                platform.private_url("url", "BUFFERED").await
            }
            cors => {
                platform.client.json("PUT", path, &json!({ "Cors": cors })).await.expect(200);
                url.clone()
            }
        };
        let mut asked = pair["request"].clone();
        if asked["body"].is_string() {
            asked["headers"].as_array_mut().unwrap().push(json!(["content-type", "text/plain"]));
        }
        let method = asked["method"].as_str().unwrap();
        match exchange(&platform, method, &request(&platform, &url, &asked)).await {
            Ok(answer) => {
                let differs = differs(&answer, &pair["answer"], method);
                failures.extend(differs.map(|differs| format!("{name}: {differs}")));
            }
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    report("cors.json", pairs.len(), &failures);
}

/// The statuses of requests that get no answer of the function.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_lambdas_statuses() {
    const LIMIT: usize = 6_291_456;
    let platform = platform().await;
    platform.deploy("url", &test_guests::component("guest-url")).await;
    let url = platform.private_url("url", "BUFFERED").await;
    let forbidden = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                     https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";
    let ask = async |asked: Value| exchange(&platform, "POST", &request(&platform, &url, &asked)).await.unwrap();
    let answer = ask(json!({})).await;
    assert_eq!((answer.status, answer.text()), (403, json!({ "Message": forbidden }).to_string()));
    assert_eq!(answer.header("x-amzn-errortype"), "AccessDeniedException");
    let unknown = json!({"headers": [["host", "abcdefghijklmnopqrstuvwxyz234567.lambda-url.us-east-1.localhost"]]});
    let answer = ask(unknown).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, r#"{"Message":null}"#));
    assert_eq!(answer.header("x-amzn-errortype"), "AccessDeniedException");

    platform.publish_url("url").await;
    // A constant is enough: what is asked is whether it was called.
    let body = |length: usize| {
        let text = format!("\"{}\"", "x".repeat(length - 2));
        json!({ "method": "POST", "headers": [["content-type", "text/plain"]], "body": text })
    };
    let answer = ask(body(LIMIT)).await;
    assert_eq!((answer.status, answer.body.len()), (200, LIMIT - 2));
    for too_large in [body(LIMIT + 1), json!({ "method": "POST", "chunks": ["x".repeat(LIMIT), "x"] })] {
        let answer = ask(too_large).await;
        let text = format!("Request must be smaller than {LIMIT} bytes for the InvokeFunction operation");
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype").as_str()),
            (413, "RequestEntityTooLargeException")
        );
        assert!(answer.text().contains(&text), "{}", answer.text());
    }
    // 502 in all its forms is in answers.json and streams.json.
}

/// As many calls as the account may have at a time, and one more.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_beyond_the_accounts_concurrency_is_throttled() {
    const ACCOUNT: usize = 1_000;
    let platform = platform().await;
    let mut sleeper = creation("url", &platform.sign(&test_guests::component("guest-url")));
    sleeper["Timeout"] = json!(600);
    platform.create(&sleeper).await;
    let url = platform.url("url", "BUFFERED").await;
    let sleep = request(&platform, &url, &json!({ "target": "/sleep?500000" }));
    let mut held = Vec::new();
    for _ in 0..ACCOUNT {
        let mut connection = Connection::open(&platform.client.authority).await;
        connection.send(&sleep).await;
        held.push(connection);
    }
    let begun = std::time::Instant::now();
    while platform.client.get("/lamina/v1/status").await.expect(200).json()["Running"] != ACCOUNT {
        assert!(begun.elapsed() < DEADLINE, "not all calls have begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answer = exchange(&platform, "GET", &request(&platform, &url, &json!({}))).await.unwrap();
    let text = r#"{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    assert_eq!((answer.status, answer.text().as_str()), (429, text));
    assert_eq!(answer.header("x-amzn-errortype"), "TooManyRequestsException");
    drop(held);
}

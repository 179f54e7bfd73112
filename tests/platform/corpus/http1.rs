//! The cases of `http1.json`.

use harness::http::DEADLINE;
use harness::raw::{Answer, Connection, Read};
use serde_json::Value;

use super::{Doors, report};

const CASES: &str = include_str!("http1.json");

/// Runs one case; says what was not as expected.
async fn run(doors: &Doors, case: &Value) -> Result<(), String> {
    let mut connection = Connection::at(&doors.door).await;
    let pieces = match &case["send"] {
        Value::Array(pieces) => pieces.clone(),
        whole => vec![whole.clone()],
    };
    let differs = if doors.door.scheme() == "https" { case.get("tls") } else { None };
    let expect = differs.unwrap_or(case);
    let expected = expect["answers"].as_array().expect("a list of answers");
    let mut found = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        connection.send(&doors.bytes(piece.as_str().expect("a text"))).await;
        // An interim answer is waited for before the rest is sent.
        if number + 1 < pieces.len() && expected.get(found.len()).is_some_and(|answer| answer == 100) {
            found.push(connection.one("GET", DEADLINE).await);
        }
    }
    if case["finish"] == true {
        connection.finish().await;
    }
    while found.len() < expected.len() {
        let method = expected[found.len()]["method"].as_str().unwrap_or("GET");
        found.push(connection.one(method, DEADLINE).await);
    }
    for (number, (found, expect)) in found.iter().zip(expected).enumerate() {
        let answer = match found {
            Read::Answer(answer) => answer,
            other => return Err(format!("answer {}: {other:?}, not {expect}", number + 1)),
        };
        answers(answer, expect).map_err(|reason| format!("answer {}: {reason}", number + 1))?;
    }
    match expect["end"].as_str() {
        Some("closed") => match connection.one("GET", DEADLINE).await {
            Read::Closed => Ok(()),
            other => Err(format!("{other:?}, not closed")),
        },
        Some("open") => {
            connection.send(&doors.bytes("GET /probe HTTP/1.1\r\nhost: $host\r\n\r\n")).await;
            match connection.one("GET", DEADLINE).await {
                Read::Answer(answer) if answer.status == 200 && answer.text().contains("\"/probe\"") => Ok(()),
                other => Err(format!("{other:?} to the next request, not its answer")),
            }
        }
        other => panic!("{other:?} is no end"),
    }
}

fn answers(answer: &Answer, expect: &Value) -> Result<(), String> {
    let status = expect.as_u64().or_else(|| expect["status"].as_u64()).expect("a status");
    if u64::from(answer.status) != status {
        return Err(format!("{} `{}`, not {expect}", answer.status, answer.text()));
    }
    if let Some(text) = expect["text"].as_str()
        && !answer.text().contains(text)
    {
        return Err(format!("`{text}` is not in `{}`", answer.text()));
    }
    match expect.get("event") {
        None => Ok(()),
        Some(members) => {
            let event = serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))?;
            has(&event, members).map_err(|name| format!("`{name}` is not as in {members}: {event}"))
        }
    }
}

/// Whether `value` has these members, and has not those that are null.
fn has(value: &Value, members: &Value) -> Result<(), String> {
    for (name, expect) in members.as_object().expect("members") {
        match (value.get(name), expect) {
            (None, Value::Null) => {}
            (Some(inner @ Value::Object(_)), Value::Object(_)) => has(inner, expect)?,
            (Some(found), expect) if found == expect => {}
            _ => return Err(name.clone()),
        }
    }
    Ok(())
}

async fn all(what: &str, doors: &Doors) {
    let file: Value = serde_json::from_str(CASES).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let mut failures = Vec::new();
    for case in cases {
        if let Err(reason) = run(doors, case).await {
            failures.push((case, reason));
        }
    }
    doors.still_answers().await;
    report(what, cases, &failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_corpus_ends_as_it_says() {
    all("HTTP/1.1", &Doors::plain().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_corpus_ends_as_it_says_by_tls() {
    all("HTTP/1.1 by TLS", &Doors::tls().await).await;
}

//! The cases of `corpus/http1.json`: requests as bytes, well-formed and not, with
//! the exact end of each, on a platform of their own that must still answer after
//! the last.

use harness::Url;
use harness::http::DEADLINE;
use harness::raw::{Answer, Connection, Read};
use serde_json::Value;

use crate::common::platform;

const CASES: &str = include_str!("corpus/http1.json");

/// Both functions that the cases talk to.
struct Doors {
    authority: String,
    event: Url,
    say: Url,
}

impl Doors {
    fn host(&self, url: &Url) -> String {
        url.url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// A case's text as bytes: names filled in, repetitions written out, and each
    /// character one byte.
    fn bytes(&self, text: &str) -> Vec<u8> {
        let host = self.host(&self.event);
        let text = text.replace("$host", &host).replace("$HOST", &host.to_uppercase());
        let text = text.replace("$say", &self.host(&self.say)).replace("$id", &self.event.id);
        let mut written = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("<<") {
            let (repeated, after) = after.split_once(">>").expect("a repetition ends");
            let (what, times) = repeated.rsplit_once('*').expect("a repetition says how often");
            written += before;
            written += &what.repeat(times.parse().expect("a number"));
            rest = after;
        }
        written += rest;
        written.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of one byte")).collect()
    }

    /// Runs one case; says what was not as expected.
    async fn run(&self, case: &Value) -> Result<(), String> {
        let mut connection = Connection::open(&self.authority).await;
        let pieces = match &case["send"] {
            Value::Array(pieces) => pieces.clone(),
            whole => vec![whole.clone()],
        };
        let expected = case["answers"].as_array().expect("a list of answers");
        let mut found = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            connection.send(&self.bytes(piece.as_str().expect("a text"))).await;
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
        match case["end"].as_str() {
            Some("closed") => match connection.one("GET", DEADLINE).await {
                Read::Closed => Ok(()),
                other => Err(format!("{other:?}, not closed")),
            },
            Some("open") => {
                connection.send(&self.bytes("GET /probe HTTP/1.1\r\nhost: $host\r\n\r\n")).await;
                match connection.one("GET", DEADLINE).await {
                    Read::Answer(answer) if answer.status == 200 && answer.text().contains("\"/probe\"") => Ok(()),
                    other => Err(format!("{other:?} to the next request, not its answer")),
                }
            }
            other => panic!("{other:?} is no end"),
        }
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

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_corpus_ends_as_it_says() {
    let platform = platform().await;
    platform.deploy("event", &harness::tiny::echo()).await;
    platform.deploy("say", &test_guests::component("guest-url")).await;
    let doors = Doors {
        authority: platform.client.authority.clone(),
        event: platform.url("event", "BUFFERED").await,
        say: platform.url("say", "BUFFERED").await,
    };
    let file: Value = serde_json::from_str(CASES).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let mut failures = Vec::new();
    for case in cases {
        if let Err(reason) = doors.run(case).await {
            failures.push(format!(
                "{}: {}",
                case["name"].as_str().unwrap(),
                reason.chars().take(600).collect::<String>()
            ));
        }
    }
    // Whatever was said, everybody else is served.
    let mut connection = Connection::open(&doors.authority).await;
    connection.send(&doors.bytes("GET /after HTTP/1.1\r\nhost: $host\r\n\r\n")).await;
    let after = connection.one("GET", DEADLINE).await;
    assert!(matches!(&after, Read::Answer(answer) if answer.status == 200), "{after:?}");
    platform.client.get("/lamina/v1/status").await.expect(200);
    eprintln!("corpus: {} cases, {} end otherwise", cases.len(), failures.len());
    assert!(failures.is_empty(), "{} of {} cases end otherwise:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

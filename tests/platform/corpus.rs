//! Requests as bytes, well-formed and not, with the exact end of each, on platforms of
//! their own that must still answer after the last: `corpus/http1.json` and
//! `corpus/http2.json`, each plain and by TLS.

mod http1;
mod http2;

use std::fs;

use harness::certificates::Certificate;
use harness::http::DEADLINE;
use harness::raw::{Connection, Read};
use harness::wire::Door;
use harness::{Options, Platform};
use serde_json::Value;

use crate::common::PROGRAM;

/// The functions that the cases talk to.
struct Doors {
    door: Door,
    /// Hosts: of one that answers with its event,
    event: String,
    /// of one that answers with its request's body,
    say: String,
    /// and of an HTTP server.
    server: String,
    platform: Platform,
    _folder: tempfile::TempDir,
}

impl Doors {
    async fn plain() -> Self {
        Self::with(Options::new(PROGRAM), tempfile::tempdir().unwrap()).await
    }

    async fn tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::local(folder.path());
        Self::with(Options::new(PROGRAM).tls(&certificate, &[]), folder).await
    }

    async fn with(options: Options, folder: tempfile::TempDir) -> Self {
        let platform = Platform::start(options.signing("off")).await;
        let deployed = |name: &str, component: &[u8], more: &[&str]| {
            let file = platform.home().join("component.wasm");
            fs::write(&file, component).unwrap();
            let words = [&["deploy", name, file.to_str().unwrap(), "--url", "--output", "json"], more].concat();
            let url = platform.cli(&words).ok().json()["FunctionUrl"].as_str().unwrap().to_owned();
            let host = url.split_once("://").unwrap().1.trim_end_matches('/');
            host.to_owned()
        };
        let event = deployed("event", &harness::tiny::echo(), &[]);
        let say = deployed("say", &test_guests::component("guest-url"), &[]);
        let server = deployed("server", &test_guests::component("guest-http"), &["--stream", "--timeout", "20"]);
        Self { door: Door::of(&platform), event, say, server, platform, _folder: folder }
    }

    /// A case's text: names filled in, and repetitions written out.
    fn text(&self, text: &str) -> String {
        let (host, id) = (&self.event, self.event.split('.').next().unwrap());
        let text = text.replace("$host", host).replace("$HOST", &host.to_uppercase());
        let text = text.replace("$say", &self.say).replace("$server", &self.server);
        let text = text.replace("$scheme", self.door.scheme()).replace("$id", id);
        let mut written = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("<<") {
            let (repeated, after) = after.split_once(">>").expect("a repetition ends");
            let (what, times) = repeated.rsplit_once('*').expect("a repetition says how often");
            written += before;
            written += &what.repeat(times.parse().expect("a number"));
            rest = after;
        }
        written + rest
    }

    /// The same as bytes.
    fn bytes(&self, text: &str) -> Vec<u8> {
        latin(&self.text(text))
    }

    /// Whatever was said, everybody else is served.
    async fn still_answers(&self) {
        let mut connection = Connection::at(&self.door).await;
        connection.send(&self.bytes("GET /after HTTP/1.1\r\nhost: $host\r\n\r\n")).await;
        let after = connection.one("GET", DEADLINE).await;
        assert!(matches!(&after, Read::Answer(answer) if answer.status == 200), "{after:?}");
        self.platform.cli(&["status"]).ok();
    }
}

/// Each character as one byte.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of one byte")).collect()
}

/// Fails with all cases that ended otherwise, if any did.
fn report(what: &str, cases: &[Value], failures: &[(&Value, String)]) {
    let lines = failures.iter().map(|(case, reason)| {
        let reason: String = reason.chars().take(600).collect();
        format!("{}: {reason}", case["name"].as_str().unwrap())
    });
    let lines: Vec<String> = lines.collect();
    eprintln!("corpus of {what}: {} cases, {} end otherwise", cases.len(), lines.len());
    assert!(lines.is_empty(), "{} of {} cases end otherwise:\n{}", lines.len(), cases.len(), lines.join("\n"));
}

//! One call of a function, and everything that is seen of it from outside.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::Platform;
use harness::http::{DEADLINE, Open, request};
use serde_json::Value;

/// Between a prelude and the body of a streamed answer.
const NULS: [u8; 8] = [0; 8];
/// Time for a call's last line to be in the log.
const LOG_MAX: Duration = Duration::from_secs(60);

/// How a function is called.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The event.
    pub(super) payload: Vec<u8>,
    /// The text inside the client context's header.
    pub(super) client_context: Option<String>,
}

/// What its caller got.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) status: u16,
    /// The name of an error of the API.
    pub(super) refused: String,
    pub(super) content_type: String,
    pub(super) request_id: String,
    /// The body; of a stream without its prelude.
    pub(super) body: Vec<u8>,
    /// How the function failed.
    pub(super) error: Option<Value>,
    /// What preceded the body of a stream.
    pub(super) prelude: Option<Value>,
    /// The function's own events in its log.
    pub(super) log: Vec<String>,
    /// The platform's lines about the call.
    pub(super) told: Vec<String>,
    /// The log stream of both.
    pub(super) log_stream: String,
}

impl Asked {
    fn request(&self, path: &str) -> ::http::Request<Bytes> {
        let mut request = request("POST", path, self.payload.clone());
        if let Some(context) = &self.client_context {
            let value = STANDARD.encode(context).parse().expect("base64 is a header's value");
            request.headers_mut().insert("x-amz-client-context", value);
        }
        request
    }

    /// Invoke.
    pub(super) async fn invoke(&self, platform: &Platform, name: &str) -> Seen {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let reply = platform.client.send(self.request(&path)).await;
        let failed = !reply.header("x-amz-function-error").is_empty();
        let mut seen = Seen {
            status: reply.status,
            refused: reply.error().to_owned(),
            content_type: reply.header("content-type").to_owned(),
            request_id: reply.header("x-amzn-requestid").to_owned(),
            error: failed.then(|| reply.json()),
            body: reply.body.to_vec(),
            ..Seen::default()
        };
        if reply.status == 200 {
            seen.read_log(platform, name).await;
        }
        seen
    }

    async fn open(&self, platform: &Platform, name: &str) -> Open {
        let path = format!("/2021-11-15/functions/{name}/response-streaming-invocations");
        let request = platform.client.signed(self.request(&path));
        harness::http::open(&platform.client.authority, request).await
    }

    /// InvokeWithResponseStream.
    pub(super) async fn stream(&self, platform: &Platform, name: &str) -> Seen {
        let mut open = self.open(platform, name).await;
        let header = |name: &str| open.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let mut seen = Seen {
            status: open.status.as_u16(),
            refused: header("x-amzn-errortype"),
            request_id: header("x-amzn-requestid"),
            ..Seen::default()
        };
        let (bytes, clean) = open.rest().await;
        assert!(clean, "the events of {name} broke off");
        if seen.status != 200 {
            return seen;
        }
        for (kind, payload) in events(&bytes) {
            match kind.as_str() {
                "PayloadChunk" => seen.body.extend(payload),
                "InvokeComplete" => {
                    let complete: Value = serde_json::from_slice(&payload).unwrap();
                    let details = complete["ErrorDetails"].as_str();
                    seen.error = details.map(|details| serde_json::from_str(details).unwrap());
                }
                other => panic!("an event {other} of {name}"),
            }
        }
        let nuls = seen.body.windows(NULS.len()).position(|bytes| bytes == NULS);
        if let Some(at) = nuls.filter(|_| seen.body.starts_with(b"{\"")) {
            seen.prelude = serde_json::from_slice(&seen.body[..at]).ok();
            seen.body.drain(..at + NULS.len());
        }
        seen.read_log(platform, name).await;
        seen
    }

    /// InvokeWithResponseStream whose caller leaves at the first piece.
    pub(super) async fn leave(&self, platform: &Platform, name: &str) -> Seen {
        let mut open = self.open(platform, name).await;
        let _ = open.chunk().await;
        let request_id = open.headers["x-amzn-requestid"].to_str().unwrap().to_owned();
        let mut seen = Seen { status: open.status.as_u16(), request_id, ..Seen::default() };
        drop(open);
        seen.read_log(platform, name).await;
        seen
    }
}

impl Seen {
    /// Waits for the call's last line and takes all that the log has of it.
    async fn read_log(&mut self, platform: &Platform, name: &str) {
        let begun = Instant::now();
        let (text, json) = (format!("START RequestId: {} ", self.request_id), "\"type\":\"platform.start\"");
        let last = [format!("REPORT RequestId: {}\t", self.request_id), "\"type\":\"platform.report\"".to_owned()];
        loop {
            let logged = platform.logs(name).await;
            let is_start =
                |line: &str| line.starts_with(&text) || line.contains(json) && line.contains(&self.request_id);
            let is_last =
                |line: &str| line.starts_with(&last[0]) || line.contains(&last[1]) && line.contains(&self.request_id);
            let start = logged.iter().position(|event| is_start(&event.message));
            let end = logged.iter().position(|event| is_last(&event.message));
            if let (Some(start), Some(end)) = (start, end) {
                self.log_stream.clone_from(&logged[start].stream);
                let lines = logged[start..=end].iter().map(|event| event.message.clone());
                (self.told, self.log) = lines.partition(|line| is_platforms(line));
                return;
            }
            assert!(begun.elapsed() < LOG_MAX, "{name} has no REPORT of {}: {logged:#?}", self.request_id);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_platforms(line: &str) -> bool {
    let words = ["START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "INIT_REPORT Init", "INIT_START "];
    words.iter().any(|word| line.starts_with(word)) || line.starts_with('{') && line.contains("\"type\":\"platform.")
}

/// The kinds and payloads of events, in AWS's encoding: lengths, their check, headers
/// of text, the payload, a check of all.
fn events(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let (length, head) = (number(0), number(4));
        let (mut headers, payload) = (&bytes[12..12 + head], &bytes[12 + head..length - 4]);
        let mut kind = String::new();
        while let Some((&name_bytes, rest)) = headers.split_first() {
            let (name, rest) = rest.split_at(usize::from(name_bytes));
            assert_eq!(rest[0], 7, "a header of text");
            let (value_bytes, rest) = rest[1..].split_at(2);
            let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes(value_bytes.try_into().unwrap())));
            if name == b":event-type" {
                kind = String::from_utf8(value.to_vec()).unwrap();
            }
            headers = rest;
        }
        events.push((kind, payload.to_vec()));
        bytes = &bytes[length..];
    }
    events
}

/// Waits until the package's bundle is kept; `false` when there is to be none.
pub(super) async fn bundled(platform: &Platform, zip: &[u8]) -> Result<bool, String> {
    let bundles = platform.data().join("artifacts/derived/bundles");
    let package = lamina_types::Digest::of(zip).to_string();
    let begun = Instant::now();
    while begun.elapsed() < DEADLINE {
        let names = std::fs::read_dir(&bundles).into_iter().flatten().flatten();
        let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        if names.any(|name| name.starts_with(&package) && name.ends_with(".bundle")) {
            return Ok(true);
        }
        let said = platform.stderr();
        if said.lines().any(|line| line.contains("a package has no bundle") && line.contains(&package)) {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("no bundle after {DEADLINE:?}"))
}

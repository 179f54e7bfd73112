//! `kill -9` of a real server under load: what it has answered is there when it
//! runs again, and what it had not answered is there whole or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::{Client, Options, Platform, creation, tiny};
use http::Request;
use lamina_signing::SecretKey;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cut::Chance;

/// Kills in one run, and in the nightly one.
const ROUNDS: usize = 20;
const ROUNDS_LONG: usize = 200;
/// Writers at a time, each with a function of its own.
const WRITERS: usize = 4;
/// Callers of a URL at a time.
const CALLERS: usize = 2;
/// How long the load lasts before a kill, in milliseconds.
const LOAD_MS: (usize, usize) = (20, 800);

const FUNCTIONS: &str = "/2015-03-31/functions";
const ARN: &str = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3A";

/// A function as its writer knows it. Its code answers with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Function {
    code: u64,
    tags: BTreeSet<String>,
    /// The code of each version.
    versions: Vec<u64>,
}

/// One function's writer.
struct Writer {
    name: String,
    key: SecretKey,
    chance: Chance,
    last: u64,
    /// As it was answered.
    state: Option<Function>,
    /// As it is after the request that was not answered.
    open: Option<Option<Function>>,
    answered: usize,
}

/// What was found out over all rounds.
#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    called: usize,
    open: usize,
    open_there: usize,
    lost: Vec<String>,
    torn: Vec<String>,
}

/// Sends a request; `None` when the server was gone before the whole answer was
/// here. Nothing else is a reason to panic: the server is being killed.
async fn exchange(authority: &str, request: Request<Bytes>) -> Option<(u16, Bytes)> {
    let mut stream = TcpStream::connect(authority).await.ok()?;
    let (parts, body) = request.into_parts();
    let mut head = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri);
    if !parts.headers.contains_key("host") {
        head += &format!("host: {authority}\r\n");
    }
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = Bytes::copy_from_slice(&answer[end + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    (body.len() >= length).then_some((status, body))
}

async fn api(client: &Client, method: &str, path: &str, body: &Value) -> Option<(u16, Bytes)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    exchange(&client.authority, client.signed(harness::http::request(method, path, body))).await
}

impl Writer {
    fn code(&self, number: u64) -> Vec<u8> {
        lamina_signing::sign(&tiny::constant(&number.to_string()), &self.key).unwrap()
    }

    /// The next request: method, path, body, the status that acknowledges it, and
    /// what is there then.
    fn request(&mut self) -> (&'static str, String, Value, u16, Option<Function>) {
        self.last += 1;
        let (name, number) = (self.name.clone(), self.last);
        let Some(function) = self.state.clone() else {
            let made = Function { code: number, tags: BTreeSet::new(), versions: Vec::new() };
            return ("POST", FUNCTIONS.into(), creation(&name, &self.code(number)), 201, Some(made));
        };
        match self.chance.below(10) {
            0..3 => {
                let body = json!({ "ZipFile": STANDARD.encode(self.code(number)) });
                let updated = Function { code: number, ..function };
                ("PUT", format!("{FUNCTIONS}/{name}/code"), body, 200, Some(updated))
            }
            3..5 if function.versions.last() != Some(&function.code) => {
                let mut published = function;
                published.versions.push(published.code);
                ("POST", format!("{FUNCTIONS}/{name}/versions"), json!({}), 201, Some(published))
            }
            5 => ("DELETE", format!("{FUNCTIONS}/{name}"), Value::Null, 204, None),
            _ => {
                // Never more than Lambda's fifty.
                let tag = format!("t{}", number % 40);
                let body = json!({ "Tags": { tag.clone(): "x".repeat(200) } });
                let mut tagged = function;
                tagged.tags.insert(tag);
                ("POST", format!("/2017-03-31/tags/{ARN}{name}"), body, 204, Some(tagged))
            }
        }
    }

    /// Makes requests until one is not answered.
    async fn run(mut self, client: Client) -> Self {
        loop {
            let (method, path, body, status, after) = self.request();
            self.open = Some(after.clone());
            let Some((found, text)) = api(&client, method, &path, &body).await else { return self };
            assert_eq!(found, status, "{method} {path}: {}", String::from_utf8_lossy(&text));
            self.state = after;
            self.open = None;
            self.answered += 1;
            if self.state.is_some() && !self.is_active(&client).await {
                return self;
            }
        }
    }

    /// Waits until nothing is being done to the function; not when the server is gone.
    async fn is_active(&self, client: &Client) -> bool {
        let path = format!("{FUNCTIONS}/{}/configuration", self.name);
        loop {
            let Some((200, text)) = api(client, "GET", &path, &Value::Null).await else { return false };
            let configuration: Value = serde_json::from_slice(&text).unwrap();
            if configuration["State"] == "Active" && configuration["LastUpdateStatus"] != "InProgress" {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Compares what is there with what was answered, and goes on from there.
    async fn judge(&mut self, platform: &Platform, tally: &mut Tally) {
        let found = found(platform, &self.name).await;
        let open = self.open.take();
        tally.open += usize::from(open.is_some());
        if open.as_ref() == Some(&found) {
            tally.open_there += 1;
        } else if found != self.state {
            let text = format!("{}: found {found:?}, answered {:?}, not answered {open:?}", self.name, self.state);
            // Something that nobody has asked for is torn; something older is lost.
            let is_older = match (&found, &self.state) {
                (None, Some(_)) => true,
                (Some(found), Some(state)) => found.code <= state.code && found.tags.is_subset(&state.tags),
                _ => false,
            };
            if is_older { tally.lost.push(text) } else { tally.torn.push(text) }
        }
        tally.answered += std::mem::take(&mut self.answered);
        self.state = found;
    }
}

/// A function as the platform has it: its answers are its code.
async fn found(platform: &Platform, name: &str) -> Option<Function> {
    let reply = platform.client.get(&format!("{FUNCTIONS}/{name}")).await;
    if reply.status == 404 {
        return None;
    }
    let function = reply.expect(200).json();
    platform.active(name).await;
    let tags = function["Tags"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let answer = |reply: harness::Reply| reply.expect(200).text().parse().unwrap();
    let code = answer(platform.invoke(name, &json!({})).await);
    let list = platform.client.get(&format!("{FUNCTIONS}/{name}/versions")).await.expect(200).json();
    let mut versions = Vec::new();
    for version in list["Versions"].as_array().unwrap().iter().map(|version| version["Version"].as_str().unwrap()) {
        if version != "$LATEST" {
            let path = format!("{FUNCTIONS}/{name}/invocations?Qualifier={version}");
            versions.push(answer(platform.client.json("POST", &path, &json!({})).await));
        }
    }
    Some(Function { code, tags, versions })
}

/// Calls a URL until it is not answered; how often it was.
async fn call(authority: String, id: String) -> usize {
    let mut called = 0;
    loop {
        let request = harness::http::request("GET", &format!("/_url/{id}/"), "");
        match exchange(&authority, request).await {
            Some((200, body)) => assert_eq!(body, "12345"),
            // Throttled: that is an answer too.
            Some((429, _)) => {}
            Some((status, body)) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
            None => return called,
        }
        called += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kills_under_load() {
    let rounds = if crate::is_long() { ROUNDS_LONG } else { ROUNDS };
    let mut platform = Platform::start(Options::new(env!("CARGO_BIN_EXE_lamina-tested"))).await;
    platform.deploy("called", &tiny::constant("12345")).await;
    let url = platform.url("called", "BUFFERED").await;
    let mut chance = Chance::new(9);
    let new = |number: usize| Writer {
        name: format!("w{number}"),
        key: SecretKey::from_random(&platform_key()),
        chance: Chance::new(100 + number as u64),
        last: 0,
        state: None,
        open: None,
        answered: 0,
    };
    let mut writers: Vec<Writer> = (0..WRITERS).map(new).collect();
    let mut tally = Tally::default();
    for _ in 0..rounds {
        let running: Vec<_> =
            writers.drain(..).map(|writer| tokio::spawn(writer.run(platform.client.clone()))).collect();
        let callers: Vec<_> =
            (0..CALLERS).map(|_| tokio::spawn(call(platform.client.authority.clone(), url.id.clone()))).collect();
        let load = LOAD_MS.0 + chance.below(LOAD_MS.1 - LOAD_MS.0);
        tokio::time::sleep(Duration::from_millis(load as u64)).await;
        platform.kill();
        for writer in running {
            writers.push(writer.await.unwrap());
        }
        for caller in callers {
            tally.called += caller.await.unwrap();
        }
        platform.start_again();
        for writer in &mut writers {
            writer.judge(&platform, &mut tally).await;
        }
    }
    let Tally { answered, called, open, open_there, lost, torn } = &tally;
    println!(
        "{rounds} kills, {answered} answered changes: {} lost, {} torn; {open} not answered: {open_there} there; {called} calls",
        lost.len(),
        torn.len()
    );
    assert!(lost.is_empty() && torn.is_empty(), "{tally:#?}");
    assert!(*answered > rounds && *called > rounds, "too little was done: {tally:?}");
}

/// The secret of [`Platform::key`].
fn platform_key() -> [u8; 32] {
    [7; 32]
}

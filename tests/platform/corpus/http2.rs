//! The cases of `http2.json`.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::frames::{Connection, Frame, PREFACE, block, kind, status};
use serde_json::Value;
use tokio::time::timeout;

use super::{Doors, latin, report};

const CASES: &str = include_str!("http2.json");
/// Time for a frame that is to come, on a machine that is busy.
const FRAME_MAX: Duration = Duration::from_secs(30);
/// Codes of errors (RFC 9113, section 7).
const ERRORS: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// What a server has said on one connection.
#[derive(Debug, Default)]
struct Seen {
    /// In the order in which each began.
    events: Vec<String>,
    bodies: BTreeMap<u32, Vec<u8>>,
}

impl Seen {
    fn note(&mut self, frame: &Frame) {
        let stream = frame.stream;
        let code = |at: usize| {
            let code = frame.payload.get(at..at + 4).map_or(99, |bytes| usize::from(bytes[3]));
            ERRORS.get(code).copied().unwrap_or("an unknown code")
        };
        match frame.kind {
            kind::HEADERS if !self.bodies.contains_key(&stream) => {
                self.bodies.insert(stream, Vec::new());
                let status = status(&frame.payload).map_or("no status".to_owned(), |status| status.to_string());
                self.events.push(format!("{stream} {status}"));
            }
            kind::HEADERS => self.more(stream, " trailers"),
            kind::DATA => self.bodies.entry(stream).or_default().extend(&frame.payload),
            kind::RST_STREAM => self.events.push(format!("reset {stream} {}", code(0))),
            kind::GOAWAY => {
                let event = format!("goaway {}", code(4));
                // A server that waits for its requests says it twice.
                if !self.events.contains(&event) {
                    self.events.push(event);
                }
            }
            kind::PING if frame.flags == 1 => self.events.push("pong".to_owned()),
            kind::SETTINGS | kind::WINDOW_UPDATE | kind::PING => {}
            other => self.events.push(format!("a frame {other}")),
        }
        if frame.ends_stream() {
            self.more(stream, " end");
        }
    }

    fn more(&mut self, stream: u32, what: &str) {
        let begins = format!("{stream} ");
        if let Some(event) = self.events.iter_mut().find(|event| event.starts_with(&begins)) {
            event.push_str(what);
        }
    }

    /// Whether this is all, and whether bodies have their texts in them.
    fn is(&self, expected: &[&str]) -> bool {
        let one = |(found, expected): (&String, &&str)| match expected.split_once(" ~ ") {
            None => found == expected,
            Some((event, text)) => {
                let stream = event.split(' ').next().and_then(|stream| stream.parse().ok());
                let body = stream.and_then(|stream: u32| self.bodies.get(&stream));
                found == event && body.is_some_and(|body| String::from_utf8_lossy(body).contains(text))
            }
        };
        self.events.len() == expected.len() && self.events.iter().zip(expected).all(one)
    }

    fn says(&self) -> String {
        let bodies: BTreeMap<u32, String> =
            self.bodies.iter().map(|(stream, body)| (*stream, String::from_utf8_lossy(body).into_owned())).collect();
        format!("{:?} {bodies:?}", self.events)
    }
}

/// Reads until `done`, or the end, or nothing comes; answers whether there is more to
/// come.
async fn read(connection: &mut Connection, seen: &mut Seen, done: impl Fn(&Seen) -> bool) -> Result<bool, String> {
    while !done(seen) {
        match timeout(FRAME_MAX, connection.next()).await {
            Err(_) => return Err(format!("nothing more came after {}", seen.says())),
            Ok(None) => return Ok(false),
            Ok(Some(frame)) => seen.note(&frame),
        }
    }
    Ok(true)
}

/// One item of `send` as bytes.
fn bytes(doors: &Doors, item: &str) -> Vec<u8> {
    let get = ":method: GET | :scheme: $scheme | :path: / | :authority: $host";
    let item = item.replace("$get", get).replace("$post", &format!("{} | content-type: text/plain", post(get)));
    let item = doors.text(&item);
    let (words, rest) = item.split_once(" | ").unwrap_or((&item, ""));
    let words: Vec<&str> = words.split(' ').collect();
    let number = |at: usize| words[at].parse().unwrap_or_else(|_| panic!("a number at {at} in {item}"));
    let flags = |at: usize| {
        let bits = [('E', 1), ('H', 4), ('P', 8), ('R', 0x20)];
        bits.iter().filter(|(letter, _)| words[at].contains(*letter)).map(|(_, bit)| bit).sum()
    };
    let frame = |kind: u8, payload: Vec<u8>| Frame::new(kind, flags(2), number(1), payload).bytes();
    match words[0] {
        "preface" => PREFACE.to_vec(),
        "settings" => {
            let pairs = words[1..].iter().map(|pair| pair.split_once('=').expect("ID=VALUE"));
            let payload = pairs.flat_map(|(id, value)| {
                let (id, value): (u16, u32) = (id.parse().expect("an id"), value.parse().expect("a value"));
                [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
            });
            Frame::new(kind::SETTINGS, 0, 0, payload.collect::<Vec<u8>>()).bytes()
        }
        "head" => frame(kind::HEADERS, fields(rest)),
        "more" => frame(kind::CONTINUATION, fields(rest)),
        "data" => frame(kind::DATA, latin(rest)),
        "reset" => Frame::new(kind::RST_STREAM, 0, number(1), 8_u32.to_be_bytes()).bytes(),
        // Kind, flags, stream, payload.
        "frame" => {
            let kind = number(1).try_into().expect("a kind");
            let flags = number(2).try_into().expect("flags");
            Frame::new(kind, flags, number(3), words.get(4).map_or(Vec::new(), |hex| unhex(hex))).bytes()
        }
        "bytes" => unhex(words[1]),
        other => panic!("{other} is nothing to send"),
    }
}

fn post(get: &str) -> String {
    get.replace("GET", "POST")
}

fn fields(text: &str) -> Vec<u8> {
    let pairs = text.split(" | ").filter(|pair| !pair.is_empty());
    let pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once(": ").unwrap_or_else(|| panic!("{pair} is no field"));
            (latin(name), latin(value))
        })
        .collect();
    block(pairs.iter().map(|(name, value)| (&name[..], &value[..])))
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_else(|_| panic!("{text} is no hex"));
    (0..text.len()).step_by(2).map(byte).collect()
}

/// All items up to the first `wait`, and what that waits for.
fn stages<'a>(doors: &Doors, send: &'a [Value]) -> Vec<(Vec<u8>, Option<&'a str>)> {
    let mut stages = vec![(Vec::new(), None)];
    for item in send.iter().map(|item| item.as_str().expect("a text")) {
        let last = stages.last_mut().expect("one");
        if let Some(event) = item.strip_prefix("wait ") {
            last.1 = Some(event);
            stages.push((Vec::new(), None));
        } else if let Some((times, item)) = item.split_once(" times ") {
            for number in 0..times.parse().expect("a number") {
                let stream: u32 = 2 * number + 1;
                last.0.extend(
                    item.split(" then ").flat_map(|item| bytes(doors, &item.replace("$n", &stream.to_string()))),
                );
            }
        } else {
            last.0.extend(bytes(doors, item));
        }
    }
    stages
}

/// Runs one case; says what was not as expected.
async fn run(doors: &Doors, case: &Value) -> Result<(), String> {
    let expected: Vec<&str> = case["says"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let mut connection = Connection::at(&doors.door).await;
    let mut seen = Seen::default();
    // Without a table of headers statuses can be read.
    let usual = case["begin"] != false;
    if usual {
        connection.send(&[bytes(doors, "preface"), bytes(doors, "settings 1=0")].concat()).await;
    }
    for (bytes, event) in stages(doors, case["send"].as_array().expect("a list")) {
        if case["flood"] == true {
            connection.send_as_long_as_it_is_read(&bytes).await;
            continue;
        }
        connection.send(&bytes).await;
        if let Some(event) = event {
            read(&mut connection, &mut seen, |seen| seen.events.iter().any(|seen| seen.starts_with(event))).await?;
        }
    }
    if case["finish"] == true {
        connection.finish().await;
    }
    if case["flood"] == true {
        assert!(expected.is_empty(), "what a flood is told is not read");
        return match timeout(FRAME_MAX, connection.ended()).await {
            Ok(()) => Ok(()),
            Err(_) => Err("it was not closed".to_owned()),
        };
    }
    read(&mut connection, &mut seen, |seen| seen.is(&expected)).await?;
    match case["end"].as_str() {
        Some("closed") => {
            read(&mut connection, &mut seen, |_| false).await?;
        }
        Some("open") => {
            connection.send(&bytes(doors, "head 2001 EH | $get")).await;
            let answered = |seen: &Seen| seen.events.iter().any(|event| event == "2001 200 end");
            if !read(&mut connection, &mut seen, answered).await? {
                return Err(format!("closed after {}", seen.says()));
            }
            seen.events.retain(|event| event != "2001 200 end");
        }
        other => panic!("{other:?} is no end"),
    }
    if seen.is(&expected) { Ok(()) } else { Err(format!("{}, not {expected:?}", seen.says())) }
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
async fn every_case_of_frames_ends_as_it_says() {
    all("HTTP/2", &Doors::plain().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_frames_ends_as_it_says_by_tls() {
    all("HTTP/2 by TLS", &Doors::tls().await).await;
}

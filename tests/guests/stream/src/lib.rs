//! A streaming function that does what its event says: `{"do": "chunks", ...}`.
//! Called by a URL, its request's body is the event.

use std::time::Duration;

use lamina::{Body, Context, Error, Head, ResponseStream};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Event {
    /// Numbered chunks, padded to a length, with a pause before each.
    Chunks(Chunks),
    /// A head with status, headers and cookies, then one chunk.
    Prelude,
    /// The head that the event says, then its chunks.
    Answer(Answer),
    /// Exactly so many bytes, in pieces of 64 KiB; says on standard output when a
    /// write failed, and when none did.
    Exactly { bytes: u64 },
    /// A head that no HTTP client could be sent.
    BadHead { name: String },
    /// A head with so many bytes of headers.
    LargeHead { bytes: usize },
    /// Returns an error before the head.
    FailBefore,
    /// Returns an error after a chunk.
    FailAfter,
    /// Panics before the head.
    PanicBefore,
    /// Panics after a chunk.
    PanicAfter,
    /// Computes for ever after a chunk.
    SpinAfter,
    /// Waits after a chunk.
    SleepAfter { ms: u64 },
    /// Returns without ever starting.
    Nothing,
    /// Starts and writes nothing.
    Empty,
    /// Writes until a write fails, and says on standard output how that went.
    Endless {
        bytes: usize,
        /// Says every write on standard output.
        #[serde(default)]
        say: bool,
    },
    /// Waits for room before it writes, as long as it lasts.
    EndlessReady { bytes: usize },
}

/// An event, or the request to a URL that holds one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Url {
        #[serde(rename = "rawPath")]
        _path: String,
        body: String,
    },
    Plain(Event),
}

#[derive(Deserialize)]
struct Answer {
    content_type: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    chunks: Vec<String>,
}

#[derive(Deserialize)]
struct Chunks {
    count: u32,
    #[serde(default)]
    bytes: usize,
    #[serde(default)]
    pause_ms: u64,
}

#[lamina::handler]
async fn handle(asked: Asked, _ctx: Context, response: ResponseStream) -> Result<(), Error> {
    let event = match asked {
        Asked::Plain(event) => event,
        Asked::Url { body, .. } => serde_json::from_str(&body).map_err(|error| Error::new("Test.Event", error.to_string()))?,
    };
    match event {
        Event::Chunks(chunks) => chunks.send(response).await,
        Event::Answer(answer) => answer.send(response),
        Event::Exactly { bytes } => exactly(response, bytes),
        Event::Prelude => {
            let head = Head::new("text/plain").status(201).header("x-one", "1").header("x-one", "2").cookie("id=7");
            Ok(response.start(head)?.write("made")?)
        }
        Event::BadHead { name } => Ok(response.start(Head::default().header(name, "1")).map(drop)?),
        Event::LargeHead { bytes } => {
            let head = (0..bytes / 1_000).fold(Head::default(), |head, _| head.header("x-large", "x".repeat(1_000)));
            Ok(response.start(head).map(drop)?)
        }
        Event::FailBefore => Err(Error::new("Test.Failed", "before the head")),
        Event::FailAfter => {
            begin(response)?;
            Err(Error::new("Test.Failed", "after the first byte"))
        }
        Event::PanicBefore => panic!("before the head"),
        Event::PanicAfter => {
            let _body = begin(response)?;
            panic!("after the first byte");
        }
        Event::SpinAfter => {
            let _body = begin(response)?;
            loop {
                std::hint::black_box(());
            }
        }
        Event::SleepAfter { ms } => {
            let _body = begin(response)?;
            lamina::time::sleep(Duration::from_millis(ms)).await;
            Ok(())
        }
        Event::Nothing => Ok(()),
        Event::Empty => Ok(response.start(Head::default()).map(drop)?),
        Event::Endless { bytes, say } => endless(response, bytes, say),
        Event::EndlessReady { bytes } => {
            let mut body = response.start(Head::default())?;
            loop {
                body.ready().await;
                body.write("x".repeat(bytes)).inspect_err(|error| println!("the write failed: {error}"))?;
            }
        }
    }
}

fn begin(response: ResponseStream) -> Result<Body, Error> {
    let mut body = response.start(Head::new("text/plain"))?;
    body.write("first")?;
    Ok(body)
}

fn exactly(response: ResponseStream, bytes: u64) -> Result<(), Error> {
    const PIECE: u64 = 64 << 10;
    let mut body = response.start(Head::default())?;
    let piece = vec![b'x'; PIECE as usize];
    let mut left = bytes;
    while left > 0 {
        let next = left.min(PIECE);
        body.write(&piece[..next as usize]).inspect_err(|error| println!("{left} bytes before the end: {error}"))?;
        left -= next;
    }
    println!("all {bytes} bytes were written");
    Ok(())
}

fn endless(response: ResponseStream, bytes: usize, say: bool) -> Result<(), Error> {
    let mut body = response.start(Head::default())?;
    let chunk = "x".repeat(bytes);
    for number in 1_u64.. {
        if let Err(error) = body.write(&chunk) {
            println!("write {number} failed: {error}");
            return Err(error.into());
        }
        if say {
            println!("wrote {number}");
        }
    }
    Ok(())
}

impl Answer {
    fn send(self, response: ResponseStream) -> Result<(), Error> {
        let mut head = self.content_type.map_or_else(Head::default, Head::new);
        if let Some(status) = self.status {
            head = head.status(status);
        }
        head = self.headers.into_iter().fold(head, |head, (name, value)| head.header(name, value));
        head = self.cookies.into_iter().fold(head, Head::cookie);
        let mut body = response.start(head)?;
        for chunk in &self.chunks {
            body.write(chunk)?;
        }
        Ok(())
    }
}

impl Chunks {
    async fn send(&self, response: ResponseStream) -> Result<(), Error> {
        let mut body = response.start(Head::new("text/plain"))?;
        let padding = ".".repeat(self.bytes);
        for number in 1..=self.count {
            if self.pause_ms > 0 {
                lamina::time::sleep(Duration::from_millis(self.pause_ms)).await;
            }
            body.write(format!("chunk {number}{padding}\n"))?;
        }
        Ok(())
    }
}

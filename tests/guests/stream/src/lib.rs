//! A streaming function that does what its event says: `{"do": "chunks", ...}`.

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

#[derive(Deserialize)]
struct Chunks {
    count: u32,
    #[serde(default)]
    bytes: usize,
    #[serde(default)]
    pause_ms: u64,
}

#[lamina::handler]
async fn handle(event: Event, _ctx: Context, response: ResponseStream) -> Result<(), Error> {
    match event {
        Event::Chunks(chunks) => chunks.send(response).await,
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

//! A buffered function that does what its event says: `{"do": "panic", ...}`.
//!
//! The behaviours of the `function` world that a platform must show or survive,
//! in one component, because they need the same imports.

mod abuse;
mod facts;
mod reach;

use std::time::Duration;

use lamina::{Context, Error};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Event {
    /// Answers with the event and every field of the context.
    Echo {
        #[serde(default)]
        value: Value,
    },
    /// Answers with environment, arguments and working directory.
    Env,
    /// Answers with what clocks and random sources give.
    Sources,
    /// Writes numbered lines.
    Print(facts::Print),
    /// Writes one line by way of `log`.
    Log { message: String },
    /// Answers with a string of this length in JSON, the quotes included.
    Big { bytes: usize },
    /// Returns an error with a chain of causes.
    Fail {
        #[serde(default)]
        message: Option<String>,
    },
    /// Panics.
    Panic { message: String },
    /// Executes `unreachable`, three named functions deep.
    Trap,
    /// Computes for ever.
    Spin,
    /// Draws random bytes for ever: in calls of the host.
    Draw,
    /// Fills memory anew for ever: in long instructions.
    Wipe,
    /// Computes this many rounds.
    Burn { rounds: u64 },
    /// Waits, as an async handler does.
    Sleep { ms: u64 },
    /// Waits, as a plain one does.
    SleepBlocking { ms: u64 },
    /// Fills memory until it is refused, and dies of it.
    Fill,
    /// Grows memory in these steps until it is refused; answers with the size.
    Grow {
        step_pages: usize,
        /// Between the steps, ask for more than a 32-bit memory can have.
        #[serde(default)]
        overreach: bool,
    },
    /// Recurses for ever.
    Overflow,
    /// Exits.
    Exit { status: i32 },
    /// Lists and reads the package.
    ReadTask,
    /// Tries to change the package.
    WriteTask,
    /// Tries to open what is outside the package.
    Escape,
    /// Tries to reach the network.
    Connect { port: u16 },
    /// Opens the package's file until it is refused.
    OpenMany,
    /// Asks for this much randomness in one call.
    Random { bytes: u64 },
}

#[lamina::handler]
async fn handle(event: Event, ctx: Context) -> Result<Value, Error> {
    match event {
        Event::Echo { value } => Ok(json!({ "event": value, "context": facts::context(&ctx) })),
        Event::Env => Ok(facts::environment()),
        Event::Sources => Ok(facts::sources()),
        Event::Print(print) => Ok(print.run()),
        Event::Log { message } => {
            log::warn!("{message}");
            Ok(Value::Null)
        }
        Event::Big { bytes } => Ok("x".repeat(bytes.saturating_sub(2)).into()),
        Event::Fail { message: Some(message) } => Err(Error::new("Test.Failed", message)),
        Event::Fail { message: None } => {
            let cause = "three".parse::<u32>().map(drop).unwrap_err();
            Err(Error::new("Order.Invalid", "order 7 cannot be shipped").caused_by(&cause))
        }
        Event::Panic { message } => panic!("{message}"),
        Event::Trap => abuse::trap(),
        Event::Spin => abuse::spin(),
        Event::Draw => abuse::draw(),
        Event::Wipe => abuse::wipe(),
        Event::Burn { rounds } => Ok(abuse::burn(rounds).into()),
        Event::Sleep { ms } => {
            lamina::time::sleep(Duration::from_millis(ms)).await;
            Ok(ms.into())
        }
        Event::SleepBlocking { ms } => {
            std::thread::sleep(Duration::from_millis(ms));
            Ok(ms.into())
        }
        Event::Fill => abuse::fill(),
        Event::Grow { step_pages, overreach } => Ok(abuse::grow(step_pages, overreach)),
        Event::Overflow => Ok(abuse::overflow(0).into()),
        Event::Exit { status } => std::process::exit(status),
        Event::ReadTask => reach::read_task(),
        Event::WriteTask => Ok(reach::write_task()),
        Event::Escape => Ok(reach::escape()),
        Event::Connect { port } => Ok(reach::connect(port)),
        Event::OpenMany => Ok(reach::open_many()),
        Event::Random { bytes } => Ok(wasip2::random::random::get_random_bytes(bytes).len().into()),
    }
}

//! The least a function does: it greets, and writes no log line. For benchmarks,
//! so that they show what the platform costs and not what a function does.

use lamina::{Context, Error};
use serde::Serialize;

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

#[lamina::handler]
fn handle(_event: (), _ctx: Context) -> Result<Greeting, Error> {
    Ok(Greeting { message: "Hello, world!" })
}

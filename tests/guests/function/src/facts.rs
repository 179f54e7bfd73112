//! What the platform told this instance.

#![expect(clippy::disallowed_methods, reason = "a guest asks for the time itself")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamina::Context;
use serde::Deserialize;
use serde_json::{Value, json};

pub fn context(ctx: &Context) -> Value {
    let deadline_ms = ctx.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    json!({
        "requestId": ctx.request_id,
        "functionName": ctx.function_name,
        "functionVersion": ctx.function_version,
        "invokedFunctionArn": ctx.invoked_function_arn,
        "memoryLimitMb": ctx.memory_limit_mb,
        "deadlineMs": deadline_ms as u64,
        "remainingMs": ctx.remaining_time().as_millis() as u64,
        "logGroupName": ctx.log_group_name,
        "logStreamName": ctx.log_stream_name,
        "traceId": ctx.trace_id,
        "clientContext": ctx.client_context,
        "identity": ctx.identity,
    })
}

pub fn environment() -> Value {
    json!({
        "environment": std::env::vars().collect::<BTreeMap<_, _>>(),
        "arguments": std::env::args().collect::<Vec<_>>(),
        // Asked of the platform: std's own idea of it begins at `/`.
        "directory": wasip2::cli::environment::initial_cwd(),
    })
}

pub fn sources() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (begun, insecure) = (Instant::now(), wasip2::random::insecure::get_insecure_random_u64());
    json!({
        "random": wasip2::random::random::get_random_u64().to_string(),
        "insecure": insecure.to_string(),
        "hash": RandomState::new().hash_one("a").to_string(),
        "epochMicros": now.as_micros() as u64,
        "elapsedNanos": begun.elapsed().as_nanos() as u64,
    })
}

/// Numbered lines, padded to a length.
#[derive(Deserialize)]
pub struct Print {
    lines: u32,
    /// A line of its own, before the others.
    #[serde(default)]
    text: String,
    #[serde(default)]
    bytes: usize,
    #[serde(default)]
    to_stderr: bool,
    #[serde(default)]
    pause_ms: u64,
}

impl Print {
    pub fn run(&self) -> Value {
        if !self.text.is_empty() {
            println!("{}", self.text);
        }
        let padding = ".".repeat(self.bytes);
        for number in 1..=self.lines {
            let line = format!("line {number}{padding}\n");
            let written = match self.to_stderr {
                true => std::io::stderr().write_all(line.as_bytes()),
                false => std::io::stdout().write_all(line.as_bytes()),
            };
            if let Err(error) = written {
                return json!({ "failed": error.to_string() });
            }
            std::thread::sleep(Duration::from_millis(self.pause_ms));
        }
        json!({ "printed": self.lines })
    }
}

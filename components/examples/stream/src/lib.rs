//! Streams a countdown, a line at a time, with a pause before each:
//! `{"from": 3, "pause_ms": 100}`, or five lines as it is called through a URL.

use std::time::Duration;

use lamina::{Context, Error, Head, ResponseStream};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default)]
struct Event {
    from: u32,
    pause_ms: u64,
}

impl Default for Event {
    fn default() -> Self {
        Self { from: 5, pause_ms: 300 }
    }
}

#[lamina::handler(stream)]
async fn handle(event: Event, _ctx: Context, response: ResponseStream) -> Result<(), Error> {
    log::info!("counting down from {}", event.from);
    let mut body = response.start(Head::new("text/plain; charset=utf-8"))?;
    for number in (1..=event.from).rev() {
        body.write(format!("{number}\n"))?;
        lamina::time::sleep(Duration::from_millis(event.pause_ms)).await;
    }
    body.write("lift-off\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use lamina::testing::invoke_stream;
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_down_a_chunk_at_a_time() {
        let answer = invoke_stream(handle, json!({"from": 3, "pause_ms": 1}));
        answer.result.as_ref().unwrap();
        assert_eq!(answer.head.as_ref().unwrap().content_type.as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.chunks.len(), 4);
        assert_eq!(answer.text(), "3\n2\n1\nlift-off\n");
    }
}

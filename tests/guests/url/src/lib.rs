//! A function behind a URL whose result is what its request says: the body, byte
//! for byte, so that a table of results needs one function. The path chooses
//! other ends.

use std::time::Duration;

use lamina::{Context, Error, Raw};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    body: String,
}

#[lamina::handler]
async fn handle(event: Event, _ctx: Context) -> Result<Raw, Error> {
    let number: usize = event.raw_query_string.parse().unwrap_or(0);
    match event.raw_path.as_str() {
        "/hex" => Ok(Raw(unhex(&event.body))),
        // A string in JSON of so many bytes, its quotes included.
        "/big" => Ok(Raw(format!("\"{}\"", "x".repeat(number.saturating_sub(2))).into_bytes())),
        "/fail" => Err(Error::new("Test.Failed", "as it was told")),
        "/panic" => panic!("as it was told"),
        "/trap" => core::arch::wasm32::unreachable(),
        "/exit" => std::process::exit(number as i32),
        "/sleep" => {
            lamina::time::sleep(Duration::from_millis(number as u64)).await;
            Ok(Raw(b"\"slept\"".to_vec()))
        }
        _ => Ok(Raw(event.body.into_bytes())),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).expect("a hexadecimal digit") as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

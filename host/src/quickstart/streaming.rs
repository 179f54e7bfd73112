//! Calls through function URLs, and the proof that a stream streams.

use std::time::Duration;

use http::StatusCode;

use super::narrator::Narrator;
use crate::cli::client::{Client, UrlAnswer};
use crate::cli::failure::Failure;

/// The example pauses 300 ms before each of six chunks but the first; a platform
/// that collects them would show none of it.
const SPREAD_LEAST: Duration = Duration::from_millis(700);
/// Chunks this far apart came one by one.
const GAP_LEAST: Duration = Duration::from_millis(100);
const GAPS_LEAST: usize = 3;
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A chunk as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrival {
    /// Since the call began.
    at: Duration,
    text: String,
}

/// Calls hello's URL.
pub(super) async fn greet(narrator: &Narrator, client: &Client, url: &str) -> Result<(), Failure> {
    let url = format!("{url}?name=Grace");
    narrator.detail(&url)?;
    let arrivals = read(narrator, client, &url).await?;
    let whole: String = arrivals.iter().map(|arrival| arrival.text.as_str()).collect();
    if whole.contains("Hello, Grace!") { Ok(()) } else { Err(Failure::new(format!("hello answered: {whole}"))) }
}

/// Calls stream's URL and shows each chunk when it comes.
pub(super) async fn stream(narrator: &Narrator, client: &Client, url: &str) -> Result<(), Failure> {
    narrator.detail(url)?;
    let arrivals = read(narrator, client, url).await?;
    check(&arrivals).map_err(|why| Failure::new(format!("the answer was not streamed: {why}")))
}

async fn read(narrator: &Narrator, client: &Client, url: &str) -> Result<Vec<Arrival>, Failure> {
    let since = narrator.elapsed();
    let UrlAnswer { status, mut chunks } = client.get_url(url).await?;
    let (mut arrivals, mut bytes) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await? {
        bytes += chunk.len();
        if bytes > ANSWER_BYTES_MAX {
            return Err(Failure::new(format!("{url} answered more than {ANSWER_BYTES_MAX} bytes")));
        }
        let arrival = Arrival {
            at: narrator.elapsed().saturating_sub(since),
            text: String::from_utf8_lossy(&chunk).into_owned(),
        };
        narrator.detail(format_args!("{:>6.3} s  {}", arrival.at.as_secs_f64(), arrival.text.trim_end()))?;
        arrivals.push(arrival);
    }
    if status != StatusCode::OK {
        return Err(Failure::new(format!("{url} answered {status}")));
    }
    Ok(arrivals)
}

/// Whether the chunks came one by one, at clearly different times.
fn check(arrivals: &[Arrival]) -> Result<(), String> {
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
        return Err("nothing came".to_owned());
    };
    if arrivals.len() < 2 {
        return Err("it came as one chunk".to_owned());
    }
    let spread = last.at.saturating_sub(first.at);
    if spread < SPREAD_LEAST {
        return Err(format!("{} chunks came within {} ms", arrivals.len(), spread.as_millis()));
    }
    let apart = arrivals.windows(2).filter(|pair| match pair {
        [one, next] => next.at.saturating_sub(one.at) >= GAP_LEAST,
        _ => false,
    });
    let gaps = apart.count();
    if gaps < GAPS_LEAST {
        return Err(format!("only {gaps} of {} chunks came after a pause", arrivals.len() - 1));
    }
    if last.text.trim_end().ends_with("lift-off") { Ok(()) } else { Err("its end is missing".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_comes_one_by_one() {
        let verdict = |times: &[u64]| {
            let arrival = |at: &u64| Arrival { at: Duration::from_millis(*at), text: "lift-off\n".into() };
            check(&times.iter().map(arrival).collect::<Vec<_>>())
        };
        assert_eq!(verdict(&[5, 305, 605, 905, 1205, 1505]), Ok(()));
        for bad in [&[][..], &[1500], &[1500, 1501, 1502], &[5, 1505], &[5, 6, 7, 8, 1505]] {
            assert!(verdict(bad).is_err(), "{bad:?}");
        }
    }
}

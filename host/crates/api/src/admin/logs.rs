//! `GET /lamina/v1/logs/{group}`: the lines of a log group, with a long poll for
//! the next ones.

use std::time::Duration;

use http::StatusCode;
use lamina_logs::{Event, Found, Pattern, Position};
use lamina_wire::Invalid;
use lamina_wire::query::Query;
use lamina_wire::violation::Violations;
use serde::Serialize;

use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::logs::search::Search;
use crate::request::{Call, Shared};

/// Lines of one answer, unless more or fewer are asked for.
const LIMIT_DEFAULT: i64 = 1_000;
/// Lines of one answer at most.
const LIMIT_MAX: i64 = 10_000;
/// The longest wait for a line, in milliseconds.
const WAIT_MS_MAX: i64 = 30_000;
/// Longer than any wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Between two looks that found nothing.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of text of one answer, and one line more.
const BYTES_MAX: usize = 4 << 20;

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Request {
    after: u64,
    limit: usize,
    wait: Duration,
    start_ms: Option<u64>,
    pattern: Option<Pattern>,
    request_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LogPage<'a> {
    events: Vec<EventAnswer<'a>>,
    /// What `After` must be to go on from here.
    next_after: u64,
    /// Whether there is more to look at already.
    more: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventAnswer<'a> {
    sequence: u64,
    /// In milliseconds since the Unix epoch.
    timestamp: u64,
    stream: &'a str,
    /// The call that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    message: &'a str,
}

/// Waits at most as long as asked, and not at all once the server drains.
pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let request = Request::take(call.query())?;
    let (shared, group) = (call.shared, call.segment(0));
    let search = Search {
        start_ms: request.start_ms,
        pattern: request.pattern,
        call: request.request_id,
        from: Position::After(request.after),
        lines_max: request.limit,
        bytes_max: BYTES_MAX,
        ..Search::of(group)
    };
    let mut found = shared.searcher.run(search.clone()).await?.unwrap_or_default();
    let mut reached = found.reached.max(request.after);
    if found.events.is_empty() && !found.more && !request.wait.is_zero() {
        tokio::select! {
            followed = tokio::time::timeout(request.wait, next(shared, search, &mut reached)) => {
                // Nothing came: that is an answer too.
                if let Ok(next) = followed {
                    found = next?;
                }
            }
            () = shared.draining() => {}
        }
    }
    page(&found, reached)
}

/// Waits for lines that are asked for. `reached` says how far it has looked, also when
/// this is dropped.
async fn next(shared: &Shared, search: Search, reached: &mut u64) -> Result<Found, ApiError> {
    loop {
        shared.deps.logs.appended(&search.group, *reached, WAIT_MAX).await;
        let search = Search { from: Position::After(*reached), ..search.clone() };
        let found = shared.searcher.run(search).await?.unwrap_or_default();
        *reached = found.reached.max(*reached);
        if !found.events.is_empty() || found.more {
            return Ok(found);
        }
        // Lines that were not asked for: many of them are looked at together.
        tokio::time::sleep(PAUSE).await;
    }
}

fn page(found: &Found, reached: u64) -> Result<Answer, ApiError> {
    fn answer(event: &Event) -> EventAnswer<'_> {
        EventAnswer {
            sequence: event.sequence,
            timestamp: event.time.millis(),
            stream: &event.stream,
            request_id: event.call.as_deref(),
            message: &event.message,
        }
    }
    let events = found.events.iter().map(answer).collect();
    json(StatusCode::OK, &LogPage { events, next_after: found.reached.max(reached), more: found.more })
}

impl Request {
    fn take(mut query: Query) -> Result<Self, Invalid> {
        let after = integer(&mut query, "After")?;
        let limit = integer(&mut query, "Limit")?;
        let wait_ms = integer(&mut query, "WaitMs")?;
        let start_ms = integer(&mut query, "StartMs")?;
        let filter = query.take("Filter")?;
        let request_id = query.take("RequestId")?.filter(|id| !id.is_empty());
        query.finish("GetLogs")?;
        let mut violations = Violations::new();
        violations.range("after", after, 0..=i64::MAX);
        violations.range("limit", limit, 1..=LIMIT_MAX);
        violations.range("waitMs", wait_ms, 0..=WAIT_MS_MAX);
        violations.range("startMs", start_ms, 0..=i64::MAX);
        violations.length("requestId", request_id.as_ref(), 1..=64);
        violations.finish()?;
        let pattern = filter.map(|text| Pattern::parse(&text)).transpose();
        let pattern = pattern.map_err(|error| Invalid::Parameter(format!("Invalid filter pattern: {error}")))?;
        let natural = |number: Option<i64>, other: i64| u64::try_from(number.unwrap_or(other)).unwrap_or_default();
        Ok(Self {
            after: natural(after, 0),
            limit: usize::try_from(natural(limit, LIMIT_DEFAULT)).unwrap_or(usize::MAX),
            wait: Duration::from_millis(natural(wait_ms, 0)),
            start_ms: start_ms.and_then(|ms| u64::try_from(ms).ok()),
            pattern,
            request_id,
        })
    }
}

/// A whole number of the query's, if it is there.
pub(super) fn integer(query: &mut Query, name: &str) -> Result<Option<i64>, Invalid> {
    let not_one = |_| Invalid::Serialization(format!("{name} must be a whole number"));
    query.take(name)?.map(|text| text.parse().map_err(not_one)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let check = |text: &str| Request::take(Query::parse(text));
        let none = || Request {
            after: 0,
            limit: 1_000,
            wait: Duration::ZERO,
            start_ms: None,
            pattern: None,
            request_id: None,
        };
        assert_eq!(check(""), Ok(none()));
        let wait = Duration::from_millis(30_000);
        assert_eq!(
            check("After=7&Limit=10000&WaitMs=30000&StartMs=5&RequestId=r"),
            Ok(Request { after: 7, limit: 10_000, wait, start_ms: Some(5), request_id: Some("r".into()), ..none() })
        );
        assert!(check("Filter=a+b").unwrap().pattern.is_some());
        for bad in ["After=-1", "Limit=0", "Limit=10001", "WaitMs=30001", "StartMs=-1"] {
            assert!(matches!(check(bad), Err(Invalid::Validation(_))), "{bad}");
        }
        assert!(matches!(check("After=x"), Err(Invalid::Serialization(_))));
        assert!(matches!(check("Follow=1"), Err(Invalid::Parameter(_))));
        assert!(matches!(check("Filter=%22"), Err(Invalid::Parameter(_))));
    }
}

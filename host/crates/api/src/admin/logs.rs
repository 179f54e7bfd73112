//! `GET /lamina/v1/logs/{group}`: the lines of a log group, with a long poll for
//! the next ones.

use std::time::Duration;

use http::StatusCode;
use lamina_telemetry::LogEvent;
use lamina_wire::Invalid;
use lamina_wire::query::Query;
use lamina_wire::violation::Violations;
use serde::Serialize;

use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

/// Lines of one answer, unless more or fewer are asked for.
const LIMIT_DEFAULT: i64 = 1_000;
/// Lines of one answer at most.
const LIMIT_MAX: i64 = 10_000;
/// The longest wait for a line, in milliseconds.
const WAIT_MS_MAX: i64 = 30_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    after: u64,
    limit: usize,
    wait: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LogPage<'a> {
    events: Vec<EventAnswer<'a>>,
    /// What `After` must be to go on from here.
    next_after: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventAnswer<'a> {
    sequence: u64,
    /// In milliseconds since the Unix epoch.
    timestamp: u64,
    stream: &'a str,
    message: &'a str,
}

/// Waits at most as long as asked, and not at all once the server drains.
pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let request = Request::take(call.query())?;
    let (logs, group) = (&call.shared.deps.logs, call.segment(0));
    let mut events = logs.read(group, request.after, request.limit);
    if events.is_empty() && !request.wait.is_zero() {
        tokio::select! {
            followed = logs.follow(group, request.after, request.limit, request.wait) => events = followed,
            () = call.shared.draining() => {}
        }
    }
    page(&events, request.after)
}

fn page(events: &[LogEvent], after: u64) -> Result<Answer, ApiError> {
    let next_after = events.last().map_or(after, |event| event.sequence);
    let events = events.iter().map(|event| EventAnswer {
        sequence: event.sequence,
        timestamp: event.time.millis(),
        stream: &event.stream,
        message: &event.message,
    });
    json(StatusCode::OK, &LogPage { events: events.collect(), next_after })
}

impl Request {
    fn take(mut query: Query) -> Result<Self, Invalid> {
        let after = integer(&mut query, "After")?;
        let limit = integer(&mut query, "Limit")?;
        let wait_ms = integer(&mut query, "WaitMs")?;
        query.finish("GetLogs")?;
        let mut violations = Violations::new();
        violations.range("after", after, 0..=i64::MAX);
        violations.range("limit", limit, 1..=LIMIT_MAX);
        violations.range("waitMs", wait_ms, 0..=WAIT_MS_MAX);
        violations.finish()?;
        let natural = |number: Option<i64>, other: i64| u64::try_from(number.unwrap_or(other)).unwrap_or_default();
        Ok(Self {
            after: natural(after, 0),
            limit: usize::try_from(natural(limit, LIMIT_DEFAULT)).unwrap_or(usize::MAX),
            wait: Duration::from_millis(natural(wait_ms, 0)),
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
        let (limit, wait) = (1_000, Duration::ZERO);
        assert_eq!(check(""), Ok(Request { after: 0, limit, wait }));
        let wait = Duration::from_millis(30_000);
        assert_eq!(check("After=7&Limit=10000&WaitMs=30000"), Ok(Request { after: 7, limit: 10_000, wait }));
        for bad in ["After=-1", "Limit=0", "Limit=10001", "WaitMs=30001"] {
            assert!(matches!(check(bad), Err(Invalid::Validation(_))), "{bad}");
        }
        assert!(matches!(check("After=x"), Err(Invalid::Serialization(_))));
        assert!(matches!(check("Follow=1"), Err(Invalid::Parameter(_))));
    }
}

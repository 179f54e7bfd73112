//! GetLogEvents, FilterLogEvents and PutLogEvents.

use lamina_logs::{Event, Found, Pattern, Position};
use lamina_types::Timestamp;
use lamina_wire::logs::{FilterEvents, GetEvents, PutEvents};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::LogsError;
use super::search::{Search, Which};
use super::{Asked, answer, blocking};
use crate::answer::Answer;

/// Bytes of text of one answer, and one line more: AWS's megabyte.
const BYTES_MAX: usize = 1 << 20;
const HOUR_MS: u64 = 3_600_000;
/// PutLogEvents takes nothing that is further in the future,
const NEW_MS_MAX: u64 = 2 * HOUR_MS;
/// or in the past.
const OLD_MS_MAX: u64 = 14 * 24 * HOUR_MS;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_name: Option<&'a str>,
    timestamp: u64,
    message: &'a str,
    ingestion_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
}

fn output(event: &Event) -> OutputEvent<'_> {
    let (timestamp, message) = (event.time.millis(), &event.message);
    OutputEvent { log_stream_name: None, timestamp, message, ingestion_time: event.taken.millis(), event_id: None }
}

/// A pattern, if one was given.
pub(super) fn pattern(text: Option<&String>) -> Result<Option<Pattern>, LogsError> {
    let parsed = text.filter(|text| !text.trim().is_empty()).map(|text| Pattern::parse(text)).transpose();
    parsed.map_err(|error| LogsError::parameter(format!("Invalid filter pattern: {error}")))
}

/// Sorted by time; the order of those of one time stays.
fn by_time(found: &mut Found) {
    found.events.sort_by_key(|event| event.time);
}

pub(super) async fn get(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let request = GetEvents::read(asked.body, &asked.shared.owner)?;
    let token = request.paging.next_token.as_deref();
    let given = token
        .map(|token| read_token(token).ok_or_else(|| LogsError::parameter("The specified nextToken is invalid.")))
        .transpose()?;
    let from = given.unwrap_or(if request.from_head { Position::After(0) } else { Position::Before(u64::MAX) });
    let (group, stream) = (request.group.clone(), request.stream.clone());
    let is_there =
        move |store: &lamina_logs::LogStore| Ok(store.streams(&group)?.iter().any(|known| *known.name == *stream));
    if !blocking(asked.shared, is_there).await? {
        return Err(LogsError::no_stream());
    }
    let search = Search {
        streams: Which::Named(vec![request.stream]),
        start_ms: request.start_ms,
        end_ms: request.end_ms,
        from,
        lines_max: request.paging.limit,
        bytes_max: BYTES_MAX,
        ..Search::of(&request.group)
    };
    let mut found = asked.shared.searcher.run(search).await?.ok_or_else(LogsError::no_group)?;
    let (first, last) =
        (found.events.first().map(|event| event.sequence), found.events.last().map(|event| event.sequence));
    let (forward, backward) = match from {
        // Where nothing follows, the token that came goes back.
        Position::After(after) => {
            let reached = if found.more { found.reached } else { last.unwrap_or(after) };
            (reached, first.unwrap_or(after.saturating_add(1)))
        }
        Position::Before(before) => {
            let reached = if found.more { found.reached } else { first.unwrap_or(before) };
            (last.unwrap_or(if before == u64::MAX { 0 } else { before.saturating_sub(1) }), reached)
        }
    };
    by_time(&mut found);
    answer(&json!({
        "events": found.events.iter().map(output).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{forward:056}"),
        "nextBackwardToken": format!("b/{backward:056}"),
    }))
}

/// The place that a token of GetLogEvents stands for.
fn read_token(token: &str) -> Option<Position> {
    let (direction, number) = token.split_once('/')?;
    let number = (number.len() == 56).then(|| number.parse().ok())??;
    match direction {
        "f" => Some(Position::After(number)),
        "b" => Some(Position::Before(number)),
        _ => None,
    }
}

pub(super) async fn filter(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let request = FilterEvents::read(asked.body, &asked.shared.owner)?;
    let pattern = pattern(request.pattern.as_ref())?;
    let after = match request.paging.next_token.as_deref() {
        None => 0,
        Some(token) => token.parse().map_err(|_| LogsError::parameter("The specified nextToken is invalid."))?,
    };
    let streams = match (request.names, request.prefix) {
        (Some(names), _) => Which::Named(names),
        (None, Some(prefix)) => Which::AnyPrefix(vec![prefix]),
        (None, None) => Which::All,
    };
    let search = Search {
        streams,
        start_ms: request.start_ms,
        end_ms: request.end_ms,
        pattern,
        from: Position::After(after),
        lines_max: request.paging.limit,
        bytes_max: BYTES_MAX,
        ..Search::of(&request.group)
    };
    let mut found = asked.shared.searcher.run(search).await?.ok_or_else(LogsError::no_group)?;
    by_time(&mut found);
    let shown = |event| {
        let event: &Event = event;
        let event_id = Some(format!("{:056}", event.sequence));
        OutputEvent { log_stream_name: Some(&event.stream), event_id, ..output(event) }
    };
    let mut page = json!({
        "events": found.events.iter().map(shown).collect::<Vec<_>>(),
        // Empty on AWS too, since 2020.
        "searchedLogStreams": [],
    });
    if found.more {
        page["nextToken"] = found.reached.to_string().into();
    }
    answer(&page)
}

pub(super) async fn put(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let PutEvents { group, stream, events } = PutEvents::read(asked.body, &asked.shared.owner)?;
    let now_ms = asked.shared.now().millis();
    let infos = {
        let group = group.clone();
        blocking(asked.shared, move |store| Ok(store.groups().into_iter().find(|info| *info.name == *group))).await?
    };
    let retention_ms = infos.and_then(|info| info.retention_days).map(|days| u64::from(days) * 24 * HOUR_MS);
    let old = count(&events, |time| time < now_ms.saturating_sub(OLD_MS_MAX));
    let expired = retention_ms.map_or(0, |kept| count(&events, |time| time < now_ms.saturating_sub(kept)));
    // They stand in order.
    let new = events.iter().position(|(time, _)| *time > now_ms.saturating_add(NEW_MS_MAX));
    let taken: Vec<(Timestamp, String)> = events
        .into_iter()
        .take(new.unwrap_or(usize::MAX))
        .skip(old.max(expired))
        .map(|(time, text)| (Timestamp::from_millis(time), text))
        .collect();
    blocking(asked.shared, move |store| store.put(&group, &stream, &taken)).await?;
    let mut rejected = Map::new();
    rejected.extend(new.map(|at| ("tooNewLogEventStartIndex".to_owned(), Value::from(at))));
    rejected.extend((old > 0).then(|| ("tooOldLogEventEndIndex".to_owned(), Value::from(old))));
    rejected.extend((expired > 0).then(|| ("expiredLogEventEndIndex".to_owned(), Value::from(expired))));
    // Every token is accepted, and none is needed.
    let mut page = json!({ "nextSequenceToken": asked.id.as_str() });
    if !rejected.is_empty() {
        page["rejectedLogEventsInfo"] = rejected.into();
    }
    answer(&page)
}

/// How many of the first events are so.
fn count(events: &[(u64, String)], so: impl Fn(u64) -> bool) -> usize {
    events.iter().take_while(|(time, _)| so(*time)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back() {
        assert_eq!(read_token(&format!("f/{:056}", 7)), Some(Position::After(7)));
        assert_eq!(read_token(&format!("b/{:056}", u64::MAX)), Some(Position::Before(u64::MAX)));
        for bad in ["", "f", "f/7", "x/1", &format!("c/{:056}", 7), &format!("f/{}", "9".repeat(56))] {
            assert_eq!(read_token(bad), None, "{bad}");
        }
    }
}

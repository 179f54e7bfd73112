//! StartLiveTail: lines as they are written, as events.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use lamina_logs::{Event, Pattern, Position};
use lamina_wire::event_stream::{MEDIA_TYPE, Malformed, exception, json_event};
use lamina_wire::logs::LiveTail;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::Asked;
use super::error::LogsError;
use super::events::pattern;
use super::search::{Search, Searcher, Which};
use crate::answer::{Answer, AnswerBody};
use crate::server::Phase;

/// Sessions at a time: AWS's quota.
pub(crate) const SESSIONS_MAX: usize = 15;
/// Lines of one update, as on AWS.
const LINES_MAX: usize = 500;
const PERIOD: Duration = Duration::from_secs(1);
const SESSION_MAX: Duration = Duration::from_secs(3 * 3_600);
/// Updates that wait for a slow client; meanwhile nothing is read.
const WAITING_MAX: usize = 2;

struct Session {
    request: LiveTail,
    pattern: Option<Pattern>,
    /// Where to go on in each group.
    after: Vec<u64>,
    out: mpsc::Sender<Bytes>,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn start(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let shared = asked.shared;
    let request = LiveTail::read(asked.body, &shared.owner)?;
    let pattern = pattern(request.pattern.as_ref())?;
    let limit = || LogsError::new("LimitExceededException", format!("There are {SESSIONS_MAX} sessions already."));
    let permit = shared.tails.clone().try_acquire_owned().map_err(|_| limit())?;
    let mut after = Vec::new();
    for group in &request.groups {
        let last = Search { from: Position::Before(u64::MAX), lines_max: 1, ..Search::of(group) };
        let found = shared.searcher.run(last).await?.ok_or_else(LogsError::no_group)?;
        after.push(found.events.last().map_or(0, |event| event.sequence));
    }
    let begun = json!({
        "requestId": asked.id.as_str(),
        "sessionId": asked.id.as_str(),
        "logGroupIdentifiers": request.identifiers,
        "logStreamNames": request.names.clone().unwrap_or_default(),
        "logStreamNamePrefixes": request.prefixes.clone().unwrap_or_default(),
        "logEventFilterPattern": request.pattern.clone().unwrap_or_default(),
    });
    let (out, waiting) = mpsc::channel(WAITING_MAX);
    let session = Session { request, pattern, after, out, _permit: permit };
    let head = [json_event("initial-response", &json!({})), json_event("sessionStart", &begun)];
    let head: Vec<u8> = head.into_iter().collect::<Result<Vec<Bytes>, Malformed>>().map_err(unwritten)?.concat();
    // There is room for it.
    let _ = session.out.try_send(head.into());
    let (searcher, phase) = (shared.searcher.clone(), shared.phase.clone());
    shared.tasks.spawn(session.run(searcher, phase));
    let mut answer = Response::new(AnswerBody::Tail(waiting));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(answer)
}

fn unwritten(error: Malformed) -> LogsError {
    LogsError::internal(error.to_string())
}

impl Session {
    /// Sends updates until the client leaves, the server drains, or it has been long
    /// enough.
    async fn run(mut self, searcher: Searcher, mut phase: watch::Receiver<Phase>) {
        let out = self.out.clone();
        let end = tokio::time::sleep(SESSION_MAX);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = out.closed() => return,
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                () = &mut end => {
                    let said = exception("SessionTimeoutException", "The session has lasted three hours.");
                    if let Ok(said) = said {
                        let _ = out.try_send(said);
                    }
                    return;
                }
                () = tokio::time::sleep(PERIOD) => {}
            }
            let Some(update) = self.update(&searcher).await else { return };
            tokio::select! {
                sent = out.send(update) => if sent.is_err() { return },
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
            }
        }
    }

    /// What was written since the last one; `None` when it cannot be told.
    async fn update(&mut self, searcher: &Searcher) -> Option<Bytes> {
        let (mut results, mut sampled) = (Vec::new(), false);
        let groups = self.request.groups.iter().zip(&self.request.identifiers);
        for ((group, identifier), after) in groups.zip(&mut self.after) {
            let streams = match (&self.request.names, &self.request.prefixes) {
                (Some(names), _) => Which::Named(names.clone()),
                (None, Some(prefixes)) => Which::AnyPrefix(prefixes.clone()),
                (None, None) => Which::All,
            };
            let room = LINES_MAX.saturating_sub(results.len());
            let from = Position::After(*after);
            let pattern = self.pattern.clone();
            let search = Search { streams, pattern, from, lines_max: room.max(1), ..Search::of(group) };
            // A group that was removed meanwhile has no lines until it is made again.
            let Some(found) = searcher.run(search).await.ok()? else { continue };
            *after = found.reached.max(*after);
            results.extend(found.events.iter().take(room).map(|event| line(event, identifier)));
            if found.more {
                // What comes faster than it may be shown is passed over.
                sampled = true;
                let last = Search { from: Position::Before(u64::MAX), lines_max: 1, ..Search::of(group) };
                let newest = searcher.run(last).await.ok()?.and_then(|found| found.events.last().cloned());
                *after = newest.map_or(*after, |event| event.sequence.max(*after));
            }
        }
        let update = json!({ "sessionMetadata": { "sampled": sampled }, "sessionResults": results });
        json_event("sessionUpdate", &update).inspect_err(|error| tracing::error!(%error, "a live tail broke off")).ok()
    }
}

fn line(event: &Event, identifier: &str) -> Value {
    json!({
        "logGroupIdentifier": identifier,
        "logStreamName": &*event.stream,
        "message": &*event.message,
        "timestamp": event.time.millis(),
        "ingestionTime": event.taken.millis(),
    })
}

//! DescribeLogGroups and DescribeLogStreams.

use std::cmp::Reverse;

use lamina_logs::StreamInfo;
use lamina_wire::logs::{DescribeGroups, DescribeStreams};
use serde::Serialize;
use serde_json::json;

use super::error::LogsError;
use super::{Asked, answer, blocking};
use crate::answer::Answer;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup<'a> {
    log_group_name: &'a str,
    creation_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<u32>,
    metric_filter_count: u32,
    arn: String,
    log_group_arn: String,
    log_group_class: &'static str,
    stored_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogStream<'a> {
    log_stream_name: &'a str,
    creation_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<u64>,
    arn: String,
    /// Zero on AWS too, since 2019.
    stored_bytes: u64,
}

fn group_arn(asked: &Asked<'_>, group: &str) -> String {
    let owner = &asked.shared.owner;
    format!("arn:aws:logs:{}:{}:log-group:{group}", owner.region.as_str(), owner.account.as_str())
}

pub(super) async fn groups(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let DescribeGroups { prefix, pattern, names, paging } = DescribeGroups::read(asked.body, &asked.shared.owner)?;
    let pattern = pattern.map(|pattern| pattern.to_lowercase());
    let mut groups = blocking(asked.shared, |store| Ok(store.groups())).await?;
    groups.retain(|group| {
        prefix.as_ref().is_none_or(|prefix| group.name.starts_with(prefix.as_str()))
            && pattern.as_ref().is_none_or(|pattern| group.name.to_lowercase().contains(pattern.as_str()))
            && names.as_ref().is_none_or(|names| names.iter().any(|name| **name == *group.name))
            && paging.next_token.as_ref().is_none_or(|after| *group.name > **after)
    });
    let shown: Vec<LogGroup<'_>> = groups
        .iter()
        .take(paging.limit)
        .map(|group| LogGroup {
            log_group_name: &group.name,
            creation_time: group.created_ms,
            retention_in_days: group.retention_days,
            metric_filter_count: 0,
            arn: format!("{}:*", group_arn(asked, &group.name)),
            log_group_arn: group_arn(asked, &group.name),
            log_group_class: "STANDARD",
            stored_bytes: group.stored_bytes,
        })
        .collect();
    let last = shown.last().map(|group| group.log_group_name);
    let mut page = json!({ "logGroups": shown });
    if let Some(last) = last.filter(|_| groups.len() > paging.limit) {
        page["nextToken"] = last.into();
    }
    answer(&page)
}

pub(super) async fn streams(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let request = DescribeStreams::read(asked.body, &asked.shared.owner)?;
    let group = request.group.clone();
    let mut streams = blocking(asked.shared, move |store| store.streams(&group)).await?;
    streams.retain(|stream| request.prefix.as_ref().is_none_or(|prefix| stream.name.starts_with(prefix.as_str())));
    sort(&mut streams, &request);
    // A token is the name before: one that is gone begins anew.
    let after = request.paging.next_token.as_deref();
    let skip = after.and_then(|after| streams.iter().position(|stream| *stream.name == *after)).map_or(0, |at| at + 1);
    let rest = streams.get(skip..).unwrap_or_default();
    let shown: Vec<LogStream<'_>> = rest
        .iter()
        .take(request.paging.limit)
        .map(|stream| LogStream {
            log_stream_name: &stream.name,
            creation_time: stream.created_ms,
            first_event_timestamp: stream.lines.map(|(first, _)| first.millis()),
            last_event_timestamp: stream.lines.map(|(_, last)| last.millis()),
            last_ingestion_time: stream.last_taken.map(lamina_types::Timestamp::millis),
            arn: format!("{}:log-stream:{}", group_arn(asked, &request.group), stream.name),
            stored_bytes: 0,
        })
        .collect();
    let last = shown.last().map(|stream| stream.log_stream_name);
    let mut page = json!({ "logStreams": shown });
    if let Some(last) = last.filter(|_| rest.len() > request.paging.limit) {
        page["nextToken"] = last.into();
    }
    answer(&page)
}

/// They come sorted by name.
fn sort(streams: &mut [StreamInfo], request: &DescribeStreams) {
    let last = |stream: &StreamInfo| stream.lines.map(|(_, last)| last);
    match (request.by_time, request.descending) {
        (false, false) => {}
        (false, true) => streams.reverse(),
        (true, false) => streams.sort_by_key(last),
        (true, true) => streams.sort_by_key(|stream| Reverse(last(stream))),
    }
}

//! The requests of CloudWatch Logs (botocore's model `logs`, 2014-03-28): their
//! members, within the model's constraints. Filter patterns are not read here.

use serde::Deserialize;

use crate::error::Invalid;
use crate::naming::Owner;
use crate::object::Object;
use crate::pattern;
use crate::violation::{Violations, enum_constraint};

/// What PutRetentionPolicy takes.
pub const RETENTION_DAYS: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Events of a batch.
pub const BATCH_EVENTS_MAX: usize = 10_000;
/// Bytes of a batch: its messages and 26 for each.
pub const BATCH_BYTES_MAX: usize = 1_048_576;
/// What each event of a batch counts besides its message.
pub const EVENT_BYTES: usize = 26;
/// From the first event of a batch to its last.
pub const BATCH_SPAN_MS_MAX: u64 = 86_400_000;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct Paging {
    pub next_token: Option<String>,
    pub limit: usize,
}

/// DescribeLogGroups.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct DescribeGroups {
    pub prefix: Option<String>,
    /// Anywhere in the name, in any case.
    pub pattern: Option<String>,
    /// Names, when the groups are listed one by one.
    pub names: Option<Vec<String>>,
    pub paging: Paging,
}

/// DescribeLogStreams.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct DescribeStreams {
    pub group: String,
    pub prefix: Option<String>,
    pub by_time: bool,
    pub descending: bool,
    pub paging: Paging,
}

/// GetLogEvents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct GetEvents {
    pub group: String,
    pub stream: String,
    pub start_ms: Option<u64>,
    pub end_ms: Option<u64>,
    pub from_head: bool,
    pub paging: Paging,
}

/// FilterLogEvents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct FilterEvents {
    pub group: String,
    pub names: Option<Vec<String>>,
    pub prefix: Option<String>,
    pub start_ms: Option<u64>,
    pub end_ms: Option<u64>,
    pub pattern: Option<String>,
    pub paging: Paging,
}

/// PutLogEvents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct PutEvents {
    pub group: String,
    pub stream: String,
    /// Each with its milliseconds since the Unix epoch; in order, within the bounds
    /// of a batch.
    pub events: Vec<(u64, String)>,
}

/// StartLiveTail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "CloudWatch Logs' own members")]
pub struct LiveTail {
    pub groups: Vec<String>,
    /// As they were given.
    pub identifiers: Vec<String>,
    pub names: Option<Vec<String>>,
    pub prefixes: Option<Vec<String>>,
    pub pattern: Option<String>,
}

#[derive(Deserialize)]
struct InputEvent {
    timestamp: Option<i64>,
    message: Option<String>,
}

/// A request that is being read.
struct Reading<'a> {
    body: Object<'a>,
    violations: Violations,
    owner: &'a Owner,
}

fn refuse<T>(text: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Parameter(text.into()))
}

/// Names of streams, as the model's pattern has them.
fn is_stream(name: &str) -> bool {
    !name.contains([':', '*'])
}

impl<'a> Reading<'a> {
    fn of(body: &'a [u8], owner: &'a Owner) -> Result<Self, Invalid> {
        Ok(Self { body: Object::parse(body)?, violations: Violations::new(), owner })
    }

    fn finish(self, operation: &str) -> Result<(), Invalid> {
        self.violations.finish()?;
        self.body.finish(operation)
    }

    fn group_name(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let group = self.body.text(name)?;
        self.violations.length(name, group.as_ref(), 1..=512);
        self.violations.pattern(name, group.as_ref(), &pattern::LOG_GROUP);
        Ok(group)
    }

    /// `logGroupName` alone.
    fn group(&mut self) -> Result<String, Invalid> {
        let group = self.group_name("logGroupName")?;
        self.violations.required("logGroupName", group.as_ref());
        Ok(group.unwrap_or_default())
    }

    /// `logGroupName`, or `logGroupIdentifier`: a name or an ARN.
    fn group_or_identifier(&mut self) -> Result<String, Invalid> {
        let name = self.group_name("logGroupName")?;
        let identifier = self.body.text("logGroupIdentifier")?;
        match (name, identifier) {
            (Some(_), Some(_)) => refuse("Only one of logGroupName and logGroupIdentifier can be specified"),
            (Some(name), None) => Ok(name),
            (None, Some(identifier)) => self.identified(&identifier),
            (None, None) => refuse("Either logGroupName or logGroupIdentifier must be specified"),
        }
    }

    /// The name in a log group's identifier.
    fn identified(&mut self, identifier: &str) -> Result<String, Invalid> {
        let name = match identifier.strip_prefix("arn:") {
            None => identifier,
            Some(rest) => {
                let parts: Vec<&str> = rest.splitn(6, ':').collect();
                let (region, account) = (self.owner.region.as_str(), self.owner.account.as_str());
                match parts.as_slice() {
                    [_, "logs", in_region, of_account, "log-group", name]
                        if *in_region == region && *of_account == account =>
                    {
                        name.strip_suffix(":*").unwrap_or(name)
                    }
                    _ => return refuse(format!("{identifier} is no log group of {account} in {region}")),
                }
            }
        };
        self.violations.pattern("logGroupIdentifier", Some(&name.to_owned()), &pattern::LOG_GROUP);
        Ok(name.to_owned())
    }

    fn stream_name(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let stream = self.body.text(name)?;
        self.violations.length(name, stream.as_ref(), 1..=512);
        if let Some(stream) = stream.as_ref().filter(|stream| !is_stream(stream)) {
            self.violations.add(name, stream, "Member must satisfy regular expression pattern: [^:*]*");
        }
        Ok(stream)
    }

    fn stream(&mut self) -> Result<String, Invalid> {
        let stream = self.stream_name("logStreamName")?;
        self.violations.required("logStreamName", stream.as_ref());
        Ok(stream.unwrap_or_default())
    }

    /// A list of names of streams.
    fn streams(&mut self, name: &str) -> Result<Option<Vec<String>>, Invalid> {
        let streams = self.body.texts(name)?;
        self.violations.count(name, streams.as_ref(), 100);
        let meets = |stream: &str| is_stream(stream) && (1..=512).contains(&stream.chars().count());
        self.violations.each(name, streams.as_ref(), meets, "Member must satisfy regular expression pattern: [^:*]*");
        if streams.as_ref().is_some_and(Vec::is_empty) {
            self.violations.add(name, "[]", "Member must have length greater than or equal to 1");
        }
        Ok(streams)
    }

    fn time(&mut self, name: &str) -> Result<Option<u64>, Invalid> {
        let time = self.body.integer(name)?;
        self.violations.range(name, time, 0..=i64::MAX);
        Ok(time.and_then(|time| u64::try_from(time).ok()))
    }

    fn paging(&mut self, default: usize, most: i64) -> Result<Paging, Invalid> {
        let next_token = self.body.text("nextToken")?;
        self.violations.length("nextToken", next_token.as_ref(), 1..=4_096);
        let limit = self.body.integer("limit")?;
        self.violations.range("limit", limit, 1..=most);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default);
        Ok(Paging { next_token, limit })
    }

    fn pattern(&mut self, name: &str) -> Result<Option<String>, Invalid> {
        let text = self.body.text(name)?;
        self.violations.length(name, text.as_ref(), 0..=1_024);
        Ok(text)
    }
}

impl DescribeGroups {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let prefix = reading.group_name("logGroupNamePrefix")?;
        let pattern = reading.body.text("logGroupNamePattern")?;
        reading.violations.length("logGroupNamePattern", pattern.as_ref(), 0..=512);
        let identifiers = reading.body.texts("logGroupIdentifiers")?;
        reading.violations.count("logGroupIdentifiers", identifiers.as_ref(), 50);
        let names = identifiers.map(|all| all.iter().map(|one| reading.identified(one)).collect()).transpose()?;
        // There is one account, and one class of groups.
        let others = reading.body.boolean("includeLinkedAccounts")?;
        let class = reading.body.text("logGroupClass")?;
        let paging = reading.paging(50, 50)?;
        reading.finish("DescribeLogGroups")?;
        if prefix.is_some() && pattern.is_some() {
            return refuse("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
        }
        if others == Some(true) || class.is_some_and(|class| class != "STANDARD") {
            return refuse("includeLinkedAccounts and classes other than STANDARD are not supported yet");
        }
        Ok(Self { prefix, pattern, names, paging })
    }
}

impl DescribeStreams {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let group = reading.group_or_identifier()?;
        let prefix = reading.stream_name("logStreamNamePrefix")?;
        let order = reading.body.text("orderBy")?;
        reading.violations.one_of("orderBy", order.as_ref(), &["LogStreamName", "LastEventTime"]);
        let descending = reading.body.boolean("descending")?.unwrap_or(false);
        let paging = reading.paging(50, 50)?;
        reading.finish("DescribeLogStreams")?;
        let by_time = order.as_deref() == Some("LastEventTime");
        if by_time && prefix.is_some() {
            return refuse("Cannot order by LastEventTime with a logStreamNamePrefix.");
        }
        Ok(Self { group, prefix, by_time, descending, paging })
    }
}

impl GetEvents {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let (group, stream) = (reading.group_or_identifier()?, reading.stream()?);
        let (start_ms, end_ms) = (reading.time("startTime")?, reading.time("endTime")?);
        let from_head = reading.body.boolean("startFromHead")?.unwrap_or(false);
        // Nothing is masked.
        reading.body.boolean("unmask")?;
        let paging = reading.paging(10_000, 10_000)?;
        reading.finish("GetLogEvents")?;
        Ok(Self { group, stream, start_ms, end_ms, from_head, paging })
    }
}

impl FilterEvents {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let group = reading.group_or_identifier()?;
        let (names, prefix) = (reading.streams("logStreamNames")?, reading.stream_name("logStreamNamePrefix")?);
        let (start_ms, end_ms) = (reading.time("startTime")?, reading.time("endTime")?);
        let pattern = reading.pattern("filterPattern")?;
        // Lines of all streams stand together anyway, and nothing is masked.
        reading.body.boolean("interleaved")?;
        reading.body.boolean("unmask")?;
        if reading.body.boolean("startFromHead")? == Some(false) {
            return refuse("startFromHead false is not supported yet: lines are found from the first on");
        }
        let paging = reading.paging(10_000, 10_000)?;
        reading.finish("FilterLogEvents")?;
        if names.is_some() && prefix.is_some() {
            return refuse("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.");
        }
        if start_ms.zip(end_ms).is_some_and(|(start, end)| start > end) {
            return refuse("End time should not be less than the start time.");
        }
        Ok(Self { group, names, prefix, start_ms, end_ms, pattern, paging })
    }
}

/// The group of CreateLogGroup, DeleteLogGroup and DeleteRetentionPolicy.
pub fn group(body: &[u8], owner: &Owner, operation: &str) -> Result<String, Invalid> {
    let mut reading = Reading::of(body, owner)?;
    let group = reading.group()?;
    if operation == "CreateLogGroup" {
        let class = reading.body.text("logGroupClass")?;
        reading.violations.one_of("logGroupClass", class.as_ref(), &["STANDARD"]);
        if reading.body.boolean("deletionProtectionEnabled")? == Some(true) {
            return refuse("deletionProtectionEnabled is not supported yet");
        }
    }
    reading.finish(operation)?;
    Ok(group)
}

/// The group and the stream of CreateLogStream and DeleteLogStream.
pub fn stream(body: &[u8], owner: &Owner, operation: &str) -> Result<(String, String), Invalid> {
    let mut reading = Reading::of(body, owner)?;
    let named = (reading.group()?, reading.stream()?);
    reading.finish(operation)?;
    Ok(named)
}

/// The group and the days of PutRetentionPolicy.
pub fn retention(body: &[u8], owner: &Owner) -> Result<(String, u32), Invalid> {
    let mut reading = Reading::of(body, owner)?;
    let group = reading.group()?;
    let days = reading.body.integer("retentionInDays")?;
    reading.violations.required("retentionInDays", days.as_ref());
    if let Some(days) = days.filter(|days| !RETENTION_DAYS.contains(days)) {
        let allowed: Vec<String> = RETENTION_DAYS.iter().map(i64::to_string).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        reading.violations.add("retentionInDays", &days.to_string(), &enum_constraint(&allowed));
    }
    reading.finish("PutRetentionPolicy")?;
    Ok((group, days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default()))
}

impl PutEvents {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let (group, stream) = (reading.group()?, reading.stream()?);
        // Not needed for years, and sent by old clients.
        reading.body.text("sequenceToken")?;
        let given: Option<Vec<InputEvent>> = reading.body.value("logEvents")?;
        reading.violations.required("logEvents", given.as_ref());
        let mut events = Vec::new();
        for (at, event) in given.into_iter().flatten().enumerate() {
            let path = format!("logEvents.{}.member", at + 1);
            if at >= BATCH_EVENTS_MAX {
                let constraint = format!("Member must have length less than or equal to {BATCH_EVENTS_MAX}");
                reading.violations.add("logEvents", "[...]", &constraint);
                break;
            }
            reading.violations.required(&format!("{path}.timestamp"), event.timestamp.as_ref());
            reading.violations.range(&format!("{path}.timestamp"), event.timestamp, 0..=i64::MAX / 1_000);
            reading.violations.required(&format!("{path}.message"), event.message.as_ref());
            reading.violations.length(&format!("{path}.message"), event.message.as_ref(), 1..=usize::MAX);
            let time = event.timestamp.and_then(|time| u64::try_from(time).ok());
            events.extend(time.zip(event.message));
        }
        reading.finish("PutLogEvents")?;
        check_batch(&events)?;
        Ok(Self { group, stream, events })
    }
}

fn check_batch(events: &[(u64, String)]) -> Result<(), Invalid> {
    let bytes: usize = events.iter().map(|(_, message)| message.len() + EVENT_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return refuse(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}"));
    }
    if events.windows(2).any(|pair| matches!(pair, [(one, _), (next, _)] if next < one)) {
        return refuse("Log events in a single PutLogEvents request must be in chronological order.");
    }
    match (events.first(), events.last()) {
        (Some((first, _)), Some((last, _))) if last - first > BATCH_SPAN_MS_MAX => {
            refuse("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
        }
        (None, _) => refuse("logEvents must have at least one event."),
        _ => Ok(()),
    }
}

impl LiveTail {
    /// Reads a request.
    pub fn read(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut reading = Reading::of(body, owner)?;
        let identifiers = reading.body.texts("logGroupIdentifiers")?;
        reading.violations.required("logGroupIdentifiers", identifiers.as_ref());
        reading.violations.count("logGroupIdentifiers", identifiers.as_ref(), 10);
        let identifiers = identifiers.unwrap_or_default();
        let groups: Vec<String> = identifiers.iter().map(|one| reading.identified(one)).collect::<Result<_, _>>()?;
        let (names, prefixes) = (reading.streams("logStreamNames")?, reading.streams("logStreamNamePrefixes")?);
        let pattern = reading.pattern("logEventFilterPattern")?;
        reading.finish("StartLiveTail")?;
        if groups.is_empty() {
            return refuse("logGroupIdentifiers must have at least one log group.");
        }
        if names.is_some() && prefixes.is_some() {
            return refuse("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.");
        }
        if (names.is_some() || prefixes.is_some()) && groups.len() > 1 {
            return refuse("logStreamNames and logStreamNamePrefixes take one log group.");
        }
        Ok(Self { groups, identifiers, names, prefixes, pattern })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn owner() -> Owner {
        Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() }
    }

    fn text(error: Invalid) -> String {
        error.to_string()
    }

    #[test]
    fn a_group_is_named_or_identified() {
        let read = |body: Value| {
            let body = body.to_string();
            FilterEvents::read(body.as_bytes(), &owner()).map(|read| read.group).map_err(text)
        };
        assert_eq!(read(json!({"logGroupName": "/aws/lambda/f"})).unwrap(), "/aws/lambda/f");
        for identifier in [
            "g",
            "arn:aws:logs:us-east-1:000000000000:log-group:g",
            "arn:aws:logs:us-east-1:000000000000:log-group:g:*",
        ] {
            assert_eq!(read(json!({"logGroupIdentifier": identifier})).unwrap(), "g");
        }
        for (body, expect) in [
            (json!({}), "Either logGroupName or"),
            (json!({"logGroupName": "g", "logGroupIdentifier": "g"}), "Only one of"),
            (
                json!({"logGroupIdentifier": "arn:aws:logs:eu-west-1:000000000000:log-group:g"}),
                "arn:aws:logs:eu-west-1:000000000000:log-group:g is no log group of",
            ),
            (json!({"logGroupName": "a b"}), "1 validation error detected: Value 'a b' at 'logGroupName' failed"),
            (json!({"logGroupName": "g", "limit": 0}), "1 validation error detected: Value '0' at 'limit'"),
            (
                json!({"logGroupName": "g", "logStreamNames": ["a*"]}),
                "1 validation error detected: Value '[a*]' at 'logStreamNames'",
            ),
            (
                json!({"logGroupName": "g", "logStreamNames": ["a"], "logStreamNamePrefix": "a"}),
                "logStreamNamePrefix and logStreamNames",
            ),
            (json!({"logGroupName": "g", "startTime": 2, "endTime": 1}), "End time should not"),
            (json!({"logGroupName": "g", "extra": 1}), "extra is not supported yet"),
            (json!({"logGroupName": 1}), "logGroupName has the wrong type"),
        ] {
            let error = read(body.clone()).unwrap_err();
            assert!(error.starts_with(expect), "{body}: {error}");
        }
    }

    #[test]
    fn batches_are_within_their_bounds() {
        let read = |events: Value| {
            let body = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events}).to_string();
            PutEvents::read(body.as_bytes(), &owner()).map(|read| read.events.len()).map_err(text)
        };
        let event = |time: u64, message: &str| json!({"timestamp": time, "message": message});
        assert_eq!(read(json!([event(1, "a"), event(1, "b")])), Ok(2));
        let many = vec![event(1, "a"); BATCH_EVENTS_MAX + 1];
        for (events, expect) in [
            (json!([]), "logEvents must have at least one event."),
            (json!([event(1, "")]), "1 validation error detected: Value '' at 'logEvents.1.member.message'"),
            (json!([{"message": "a"}]), "1 validation error detected: Value null at 'logEvents.1.member.timestamp'"),
            (json!([event(2, "a"), event(1, "b")]), "Log events in a single PutLogEvents request must be in chrono"),
            (json!([event(0, "a"), event(86_400_001, "b")]), "The batch of log events"),
            (
                json!([event(0, &"x".repeat(BATCH_BYTES_MAX))]),
                "Upload too large: 1048602 bytes exceeds limit of 1048576",
            ),
            (json!(many), "1 validation error detected: Value '[...]' at 'logEvents'"),
        ] {
            let error = read(events).unwrap_err();
            assert!(error.starts_with(expect), "{error}");
        }
    }

    #[test]
    fn days_are_those_of_the_list() {
        let read = |days: Value| {
            retention(json!({"logGroupName": "g", "retentionInDays": days}).to_string().as_bytes(), &owner())
                .map_err(text)
        };
        assert_eq!(read(json!(7)), Ok(("g".into(), 7)));
        let error = read(json!(2)).unwrap_err();
        assert!(error.contains("Value '2' at 'retentionInDays'") && error.contains("[1, 3, 5, 7, "), "{error}");
        assert!(read(Value::Null).unwrap_err().contains("Value null at 'retentionInDays'"));
    }

    #[test]
    fn a_tail_is_of_some_groups() {
        let read = |body: Value| LiveTail::read(body.to_string().as_bytes(), &owner()).map_err(text);
        let tail = read(json!({"logGroupIdentifiers": ["arn:aws:logs:us-east-1:000000000000:log-group:g"]})).unwrap();
        assert_eq!(tail.groups, ["g"]);
        assert!(read(json!({"logGroupIdentifiers": []})).is_err());
        assert!(read(json!({"logGroupIdentifiers": ["a", "b"], "logStreamNames": ["s"]})).is_err());
    }
}

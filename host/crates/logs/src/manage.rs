//! Groups and streams as such.

use std::sync::Arc;

use lamina_types::Timestamp;

use crate::error::Error;
use crate::store::{LogStore, ROUNDS_MAX};

/// What is known of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub name: Arc<str>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Days that lines are kept; for ever when there is none.
    pub retention_days: Option<u32>,
    /// Its bytes on the disk.
    pub stored_bytes: u64,
}

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: Arc<str>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// The least and the greatest time of a line.
    pub lines: Option<(Timestamp, Timestamp)>,
    /// When a line was kept last.
    pub last_taken: Option<Timestamp>,
}

/// Lines of a stream are put so many at a time, so that they fit into memory.
const PUT_LINES: usize = 256;
/// As [`PUT_LINES`], in bytes.
const PUT_BYTES: usize = 1 << 20;

impl LogStore {
    /// Every group, by name. One whose first lines are in memory still is there too.
    pub fn groups(&self) -> Vec<GroupInfo> {
        self.drain();
        let info = |group: Arc<crate::group::Group>| {
            let state = group.lock();
            GroupInfo {
                name: group.name.clone(),
                created_ms: state.meta.created_ms,
                retention_days: state.meta.retention_days,
                stored_bytes: state.bytes,
            }
        };
        self.shared.groups().into_iter().map(info).collect()
    }

    /// Every stream of a group, by name.
    pub fn streams(&self, group: &str) -> Result<Vec<StreamInfo>, Error> {
        let group = self.group(group)?;
        self.drain();
        let state = group.lock();
        let info = |(name, summary): (Arc<str>, Option<crate::segment::Summary>)| StreamInfo {
            created_ms: match (state.meta.streams.get(&*name), summary) {
                (Some(created_ms), _) => *created_ms,
                (None, Some(summary)) => Timestamp(summary.first_time).millis(),
                (None, None) => state.meta.created_ms,
            },
            lines: summary.map(|summary| (Timestamp(summary.first_time), Timestamp(summary.last_time))),
            last_taken: summary.map(|summary| Timestamp(summary.last_taken)),
            name,
        };
        Ok(state.streams().into_iter().map(info).collect())
    }

    /// Makes an empty group.
    pub fn create_group(&self, name: &str) -> Result<(), Error> {
        let shared = &self.shared;
        // One that has lines in memory is there.
        if self.group(name).is_ok() {
            return Err(Error::GroupExists(name.to_owned()));
        }
        let _changing = shared.changing();
        if shared.known(name).is_some() {
            return Err(Error::GroupExists(name.to_owned()));
        }
        let most = shared.config.groups_max;
        if shared.groups().len() >= most {
            return Err(Error::Limit { what: "log groups", most });
        }
        shared.make(name).map(drop).map_err(Error::io(format!("making the log group {name}")))
    }

    /// Removes a group with its lines. Who goes on writing to it makes it again.
    pub fn delete_group(&self, name: &str) -> Result<(), Error> {
        let group = self.group(name)?;
        let _changing = self.shared.changing();
        self.shared.remove(&group).map_err(Error::io(format!("removing the log group {name}")))
    }

    /// Changes how long lines are kept; `None` is for ever.
    pub fn set_retention(&self, name: &str, days: Option<u32>) -> Result<(), Error> {
        let group = self.group(name)?;
        let failed = || format!("changing the log group {name}");
        {
            let mut state = group.lock();
            let before = std::mem::replace(&mut state.meta.retention_days, days);
            if let Err(source) = state.meta.write(&group.folder) {
                state.meta.retention_days = before;
                return Err(Error::Io { what: failed(), source });
            }
        }
        group.expire(self.shared.now()).map_err(Error::io(failed()))
    }

    /// Makes an empty stream.
    pub fn create_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let group = self.group(group)?;
        self.drain();
        let now = self.shared.now();
        let mut state = group.lock();
        if state.streams().contains_key(stream) {
            return Err(Error::StreamExists(stream.to_owned()));
        }
        let most = self.shared.config.streams_max;
        if state.meta.streams.len() >= most {
            return Err(Error::Limit { what: "log streams of this group", most });
        }
        state.meta.streams.insert(stream.to_owned(), now.millis());
        state.meta.write(&group.folder).map_err(|source| {
            state.meta.streams.remove(stream);
            Error::Io { what: format!("making the log stream {stream}"), source }
        })
    }

    /// Removes a stream: its lines so far are not read again, and go from the disk
    /// with those around them.
    pub fn delete_stream(&self, group: &str, stream: &str) -> Result<(), Error> {
        let group = self.group(group)?;
        self.drain();
        let mut state = group.lock();
        if !state.streams().contains_key(stream) {
            return Err(Error::NoStream(stream.to_owned()));
        }
        let before = state.meta.clone();
        state.meta.streams.remove(stream);
        let through = state.last_sequence;
        state.meta.deleted.insert(stream.to_owned(), through);
        state.meta.write(&group.folder).map_err(|source| {
            state.meta = before;
            Error::Io { what: format!("removing the log stream {stream}"), source }
        })
    }

    /// Appends lines, each with its time, to a stream that is there. They are kept
    /// when this returns.
    pub fn put(&self, group: &str, stream: &str, lines: &[(Timestamp, String)]) -> Result<(), Error> {
        let known = self.group(group)?;
        if !known.lock().streams().contains_key(stream) {
            self.drain();
            if !known.lock().streams().contains_key(stream) {
                return Err(Error::NoStream(stream.to_owned()));
            }
        }
        let stream: Arc<str> = stream.into();
        let mut rest = lines;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |(_, text): &&(Timestamp, String)| {
                bytes += text.len();
                bytes <= PUT_BYTES
            };
            let count = rest.iter().take(PUT_LINES).take_while(fits).count().max(1);
            let (now, later) = rest.split_at(count.min(rest.len()));
            self.shared.logs.append(group, &stream, now.iter().map(|(time, text)| (*time, text.as_str())));
            for _ in 0..ROUNDS_MAX {
                if !self.shared.try_keep(group).map_err(Error::io(format!("keeping lines of {group}")))? {
                    break;
                }
            }
            rest = later;
        }
        Ok(())
    }
}

//! Figures of a platform that runs.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lamina_disk::Folder;
use lamina_types::Digest;
use serde::Serialize;

use crate::error::Error;
use crate::place::{AUDIT, LOGS};
use crate::upkeep::Upkeep;

/// See `GET /lamina/v1/stats` in `host/ARCHITECTURE.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stats {
    /// The last transaction.
    pub sequence: u64,
    /// Every table that has records, by its name.
    pub tables: BTreeMap<String, Table>,
    /// The journal.
    pub journal: Usage,
    /// The index of the records.
    pub index: Usage,
    /// All records as they once were.
    pub exports: Usage,
    /// What was uploaded, and the components in it.
    pub artifacts: Usage,
    /// Compiled images.
    pub derived: Usage,
    /// The audit log, with its heads.
    pub audit: Usage,
    /// Functions' logs.
    pub logs: Usage,
    /// The last look at all artifacts; nothing before the first has ended.
    pub scrub: Option<Scrub>,
}

/// Records of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Table {
    /// How many.
    pub records: u64,
    /// Of keys and values.
    pub bytes: u64,
}

/// Files, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Usage {
    /// How many.
    pub files: u64,
    /// Their lengths together.
    pub bytes: u64,
}

/// A look at every artifact that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scrub {
    /// When it ended, in milliseconds since the Unix epoch.
    pub ended: u64,
    /// Artifacts read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts whose bytes are not theirs any more.
    pub rotten: Vec<Unsound>,
    /// Artifacts that a version needs and that are not there.
    pub missing: Vec<Unsound>,
}

/// An artifact that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unsound {
    /// Its digest.
    pub digest: Digest,
    /// What needs it, as `NAME` or `NAME:VERSION`: deploy that again.
    pub functions: Vec<String>,
}

impl From<lamina_kv::Usage> for Usage {
    fn from(usage: lamina_kv::Usage) -> Self {
        Self { files: usage.files, bytes: usage.bytes }
    }
}

impl From<(u64, u64)> for Usage {
    fn from((files, bytes): (u64, u64)) -> Self {
        Self { files, bytes }
    }
}

impl Upkeep {
    /// Counts what there is. Reads no file, but looks at each.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let usage = self.deps.artifacts.usage().await?;
        let this = self.clone();
        let counted = tokio::task::spawn_blocking(move || {
            let records = this.deps.store.stats()?;
            let audit = audit(&this.deps.data).map_err(Error::file(Path::new(AUDIT)))?;
            let logs = logs(&this.deps.data).map_err(Error::file(Path::new(LOGS)))?;
            Ok::<_, Error>((records, audit, logs))
        });
        let (records, audit, logs) = counted.await??;
        let table = |(records, bytes): (u64, u64)| Table { records, bytes };
        Ok(Stats {
            sequence: records.sequence,
            tables: records.tables.into_iter().map(|(name, counts)| (name, table(counts))).collect(),
            journal: records.journal.into(),
            index: records.index.into(),
            exports: records.exports.into(),
            artifacts: usage.artifacts.into(),
            derived: usage.derived.into(),
            audit,
            logs,
            scrub: self.last_scrub(),
        })
    }
}

fn audit(data: &Folder) -> io::Result<Usage> {
    counted(data, AUDIT)
}

/// A folder for each log group.
fn logs(data: &Folder) -> io::Result<Usage> {
    let mut usage = Usage::default();
    for group in data.names(LOGS)? {
        let Usage { files, bytes } = counted(data, &format!("{LOGS}/{group}"))?;
        usage.files += files;
        usage.bytes += bytes;
    }
    Ok(usage)
}

/// The files of one folder. One that goes meanwhile counts no bytes.
fn counted(data: &Folder, folder: &str) -> io::Result<Usage> {
    let mut usage = Usage::default();
    for name in data.names(folder)? {
        let metadata = data.metadata(&format!("{folder}/{name}"))?;
        usage.files += 1;
        usage.bytes += metadata.map_or(0, |metadata| metadata.len());
    }
    Ok(usage)
}

//! The journal's files as a backup reads them, and figures of what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::disk::JOURNAL;
use crate::error::Error;
use crate::index;
use crate::journal::{Listing, export_name, journal_name};
use crate::position::Position;
use crate::spare;
use crate::store::Store;

/// A file, as far as it belongs to a sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Its path in the data directory.
    pub name: String,
    /// How many bytes of it count.
    pub bytes: u64,
    /// The number in its name.
    pub first: u64,
}

/// The files that hold all records as they were at one moment; none of them is
/// removed while this lives.
pub struct Files {
    /// The last transaction in them.
    pub sequence: u64,
    /// The newest export, if there is one and it is needed.
    pub export: Option<FilePart>,
    /// The journal, in order.
    pub journal: Vec<FilePart>,
    position: Arc<Position>,
}

impl Drop for Files {
    fn drop(&mut self) {
        self.position.release();
    }
}

/// Files and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many.
    pub files: u64,
    /// How large together.
    pub bytes: u64,
}

/// Figures of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// The last transaction.
    pub sequence: u64,
    /// Records and bytes of keys and values, by table.
    pub tables: BTreeMap<String, (u64, u64)>,
    /// The journal.
    pub journal: Usage,
    /// The exports.
    pub exports: Usage,
    /// sled's files.
    pub index: Usage,
}

impl Store {
    /// The files with everything.
    pub fn files(&self) -> Result<Files, Error> {
        self.parts(None)
    }

    /// The files with what came after this transaction; with everything when that is
    /// no longer in the journal.
    pub fn files_since(&self, sequence: u64) -> Result<Files, Error> {
        self.parts(Some(sequence))
    }

    fn parts(&self, since: Option<u64>) -> Result<Files, Error> {
        let position = self.shared.position.clone();
        position.hold();
        let mut files = Files { sequence: 0, export: None, journal: Vec::new(), position };
        let storage = |error: std::io::Error| Error::storage("listing the journal", error);
        let mut listing = Listing::of(&self.shared.journal).map_err(storage)?;
        // After the exports are listed: one may hold transactions that were made while
        // it was, and those must be in the journal's part.
        let now = self.shared.position.now();
        files.sequence = now.sequence;
        if listing.journals.last().is_some_and(|last| *last < now.first) {
            listing.journals = Listing::of(&self.shared.journal).map_err(storage)?.journals;
        }
        let length =
            |name: &str| Ok::<_, Error>(self.shared.journal.metadata(name).map_err(storage)?.map_or(0, |it| it.len()));
        let export = listing.exports.last().copied();
        // The file that holds the transaction after `since`, if it is still there.
        let reaches = since.and_then(|since| listing.journals.iter().rev().find(|first| **first <= since + 1).copied());
        let from = match reaches {
            Some(first) => first,
            None => {
                if let Some(sequence) = export {
                    let name = export_name(sequence);
                    let bytes = length(&name)?;
                    files.export = Some(FilePart { name: format!("{JOURNAL}/{name}"), bytes, first: sequence });
                }
                export.unwrap_or(0) + 1
            }
        };
        for first in listing.journals.into_iter().filter(|first| (from..=now.first).contains(first)) {
            let name = journal_name(first);
            // Of the last one more may be there already, which is nobody's yet.
            let bytes = if first == now.first { now.at } else { length(&name)? };
            files.journal.push(FilePart { name: format!("{JOURNAL}/{name}"), bytes, first });
        }
        Ok(files)
    }

    /// Figures. Reads all records.
    pub fn stats(&self) -> Result<Stats, Error> {
        self.shared.pending.settle();
        let mut stats = Stats { sequence: self.sequence(), ..Stats::default() };
        for entry in index::records(&self.shared.db) {
            let (key, value) = entry.map_err(|error| Error::storage("reading records", error))?;
            let table = key.split(|byte| *byte == 0).next().unwrap_or_default();
            let table = stats.tables.entry(String::from_utf8_lossy(table).into_owned()).or_default();
            *table = (table.0 + 1, table.1 + (key.len() + value.len()) as u64);
        }
        let storage = |error: std::io::Error| Error::storage("listing the journal", error);
        for name in self.shared.journal.names(".").map_err(storage)? {
            let Some(metadata) = self.shared.journal.metadata(&name).map_err(storage)? else { continue };
            let is_journal = name.ends_with(".journal") || spare::is_spare(&name);
            let usage = if is_journal { &mut stats.journal } else { &mut stats.exports };
            *usage = Usage { files: usage.files + 1, bytes: usage.bytes + metadata.len() };
        }
        stats.index = usage(&self.shared.engine).map_err(|error| Error::storage("listing the index", error))?;
        Ok(stats)
    }
}

fn usage(folder: &std::path::Path) -> std::io::Result<Usage> {
    let mut sum = Usage::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let own = if metadata.is_dir() { usage(&entry.path())? } else { Usage { files: 1, bytes: metadata.len() } };
        sum = Usage { files: sum.files + own.files, bytes: sum.bytes + own.bytes };
    }
    Ok(sum)
}

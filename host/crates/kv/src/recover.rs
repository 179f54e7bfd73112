//! From the newest export and the journal after it to what the records are.

use std::collections::HashSet;

use lamina_disk::Folder;

use crate::error::Error;
use crate::export::{self, State, TEMPORARY};
use crate::frame::{END, Group, Mac, MacKey};
use crate::journal::{
    EMPTY_BYTES, FILE_BYTES_MAX, HEADER_BYTES, Header, Listing, Tail, damaged, export_name, journal_name,
};
use crate::spare;

/// What the journal says.
pub(crate) struct Recovered {
    pub(crate) state: State,
    /// Keys that the journal after the export writes: the index may be behind in them.
    pub(crate) touched: HashSet<Vec<u8>>,
    pub(crate) tail: Tail,
    /// Transactions after the export.
    pub(crate) replayed: u64,
    /// Bytes of a write that was cut off.
    pub(crate) torn_bytes: u64,
    /// Bytes of the export and of the journal after it.
    pub(crate) export_bytes: u64,
    pub(crate) journal_bytes: u64,
}

/// Reads everything. With `mend` what was cut off is cut away, and the last group is
/// synced, so that all that is answered is on the disk; without, nothing is changed.
pub(crate) fn recover(folder: &Folder, key: &MacKey, mend: bool) -> Result<Recovered, Error> {
    let listing = Listing::of(folder).map_err(|error| Error::storage("listing the journal", error))?;
    if mend {
        let removed = folder.remove(TEMPORARY).and_then(|_| spare::remove_all(folder));
        removed.map_err(|error| Error::storage("removing a file that was not ended", error))?;
    }
    let (start, export_bytes) = newest_export(folder, key, &listing)?;
    let Start { sequence, chain, state } = start;
    let mut reading = Reading { folder, key, mend, sequence, mac: chain, state, touched: HashSet::new() };
    let from = sequence + 1;
    let files: Vec<u64> = listing.journals.iter().copied().filter(|first| *first >= from).collect();
    if files.first() != Some(&from) {
        return Err(damaged(&journal_name(from), 0, "it is missing: the journal must go on here"));
    }
    let (mut torn_bytes, mut journal_bytes, mut last) = (0, 0, None);
    for (at, first) in files.iter().enumerate() {
        let is_last = at + 1 == files.len();
        match reading.file(*first, is_last)? {
            Read::File { at, torn } => {
                torn_bytes += torn;
                journal_bytes += at;
                last = Some((*first, at));
            }
            // Begun and not finished: nothing was ever appended to it.
            Read::Unbegun => {}
        }
    }
    let Some((first, at)) = last else {
        return Err(damaged(&journal_name(from), 0, "its head is not there"));
    };
    let Reading { sequence, mac, state, touched, .. } = reading;
    let file = folder.edit(&journal_name(first)).map_err(|error| Error::storage("opening the journal", error))?;
    let length = file.len().map_err(|error| Error::storage("opening the journal", error))?;
    let tail = Tail { file, through: None, first, at, length, sequence, mac };
    if mend {
        // A group that nobody was told of may be here by luck alone.
        let synced = tail.file.sync().and_then(|()| folder.sync_dir("."));
        synced.map_err(|error| Error::storage("syncing the journal", error))?;
    }
    Ok(Recovered { state, touched, tail, replayed: sequence + 1 - from, torn_bytes, export_bytes, journal_bytes })
}

struct Start {
    sequence: u64,
    chain: Mac,
    state: State,
}

fn newest_export(folder: &Folder, key: &MacKey, listing: &Listing) -> Result<(Start, u64), Error> {
    let Some(sequence) = listing.exports.last() else {
        return Ok((Start { sequence: 0, chain: Mac::default(), state: State::new() }, 0));
    };
    let name = export_name(*sequence);
    let bytes = folder.read(&name, export::BYTES_MAX).map_err(|error| Error::storage("reading an export", error))?;
    let bytes = bytes.ok_or_else(|| damaged(&name, 0, "it is gone"))?;
    let export = export::read(&bytes, key).map_err(|broken| damaged(&name, 0, broken.0))?;
    if export.sequence != *sequence {
        return Err(damaged(&name, 8, "its number is not its name's"));
    }
    let start = Start { sequence: export.sequence, chain: export.chain, state: export.state };
    Ok((start, bytes.len() as u64))
}

struct Reading<'a> {
    folder: &'a Folder,
    key: &'a MacKey,
    mend: bool,
    sequence: u64,
    mac: Mac,
    state: State,
    touched: HashSet<Vec<u8>>,
}

enum Read {
    /// Where its groups end, and how many bytes after that were cut off.
    File {
        at: u64,
        torn: u64,
    },
    Unbegun,
}

impl Reading<'_> {
    fn file(&mut self, first: u64, is_last: bool) -> Result<Read, Error> {
        let name = journal_name(first);
        let read = self.folder.read(&name, FILE_BYTES_MAX);
        let bytes = read.map_err(|error| Error::storage("reading the journal", error))?.unwrap_or_default();
        let header = Header::parse(&bytes).filter(|header| header.first == first);
        let Some(header) = header else {
            // The head is synced before anything follows it.
            if is_last && bytes.len() as u64 <= EMPTY_BYTES && first == self.sequence + 1 && self.sequence > 0 {
                return self.unbegun(&name);
            }
            return Err(damaged(&name, 0, "its head is not a journal's"));
        };
        if first != self.sequence + 1 {
            return Err(damaged(&name, 8, format!("transaction {} is missing", self.sequence + 1)));
        }
        if header.before != self.mac {
            return Err(damaged(&name, 16, "it does not go on from what is before it"));
        }
        let mut at = HEADER_BYTES;
        loop {
            let rest = bytes.get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or_default();
            if rest.iter().take(END.len()).all(|byte| *byte == 0) {
                return match goes_on(written(rest), self.sequence + 1) {
                    // Room to be written over: zeros, or what an older file had there.
                    false => Ok(Read::File { at, torn: 0 }),
                    true => Err(damaged(&name, at, "the head of a group is gone")),
                };
            }
            match Group::parse(rest) {
                // Of an older file: the end before it was in a sector that was not written.
                Ok(group) if is_last && group.last() <= self.sequence => return Ok(Read::File { at, torn: 0 }),
                Ok(group) => at += self.group(&name, at, &group)?,
                Err(_) if is_last && !goes_on(written(rest), self.sequence + 1) => {
                    self.cut(&name, at)?;
                    return Ok(Read::File { at, torn: written(rest).len() as u64 });
                }
                Err(broken) => return Err(damaged(&name, at, broken.0)),
            }
        }
    }

    fn unbegun(&self, name: &str) -> Result<Read, Error> {
        if self.mend {
            self.folder.remove(name).map_err(|error| Error::storage("removing a journal file", error))?;
        }
        Ok(Read::Unbegun)
    }

    fn group(&mut self, name: &str, at: u64, group: &Group<'_>) -> Result<u64, Error> {
        if group.first != self.sequence + 1 {
            let expected = self.sequence + 1;
            return Err(damaged(name, at, format!("transaction {expected} is missing, {} comes", group.first)));
        }
        let mac = group.verify(self.key, &self.mac);
        self.mac = mac.ok_or_else(|| damaged(name, at, "it is not what this platform has written"))?;
        let (state, touched) = (&mut self.state, &mut self.touched);
        let applied = group.each(|_, writes| {
            for (key, value) in writes {
                if !touched.contains(key) {
                    touched.insert(key.to_vec());
                }
                match value {
                    Some(value) => state.insert(key.to_vec(), value.to_vec()),
                    None => state.remove(key),
                };
            }
        });
        applied.map_err(|broken| damaged(name, at, broken.0))?;
        self.sequence = group.last();
        Ok(group.bytes() as u64)
    }

    fn cut(&self, name: &str, at: u64) -> Result<(), Error> {
        if !self.mend {
            return Ok(());
        }
        let cut = self.folder.edit(name).and_then(|file| file.set_len(at).and_then(|()| file.sync()));
        cut.map_err(|error| Error::storage("cutting off a write that did not end", error))
    }
}

/// These bytes without the zeros at their end, of which there may be megabytes.
fn written(mut bytes: &[u8]) -> &[u8] {
    const ZEROS: [u8; 4 << 10] = [0; 4 << 10];
    while let Some(rest) = bytes.strip_suffix(&ZEROS) {
        bytes = rest;
    }
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..length]
}

/// Whether a valid group of this number or a later one begins somewhere in these bytes:
/// then what is broken was whole once. What an older file left has lower numbers.
fn goes_on(bytes: &[u8], from: u64) -> bool {
    (1..bytes.len()).any(|at| {
        let rest = &bytes[at..];
        Group::is_plausible(rest, from) && Group::parse(rest).is_ok()
    })
}

//! The log as the platform writes it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ed25519_dalek::SigningKey;
use lamina_disk::Folder;

use crate::appender::{Appender, Current};
use crate::chain::Chain;
use crate::end::{self, End};
use crate::entry::{Entry, LINE_BYTES_MAX};
use crate::error::{Broken, Error};
use crate::files::{HEADS, Lines, Stop, file_name, log_files, shown};
use crate::head::{HEAD_BYTES_MAX, Head};

/// The longest file, in bytes.
pub const FILE_BYTES_MAX: u64 = 16 << 20;
/// What is read at a time, in bytes, if it is more than one line.
pub const READ_BYTES_MAX: usize = 16 << 20;
/// What is written and synced at a time, if it is more than one line.
pub(crate) const WRITE_BYTES_MAX: usize = 1 << 20;

/// An open log. One at a time may be open for a directory; the data directory's
/// lock sees to that.
pub struct Log {
    folder: Folder,
    key: SigningKey,
    /// After the last entry that was acknowledged. Never held while the disk works.
    chain: Mutex<Chain>,
    entries: Mutex<Appender>,
    heads: Mutex<Heads>,
}

/// The file of heads.
struct Heads {
    file: Appender,
    /// The entry that the last one is of; 0 when there is none.
    last: u64,
}

/// Lines on their way to the disk.
struct Piece {
    /// The entry that they begin with.
    first: u64,
    text: String,
    /// After them.
    chain: Chain,
}

impl Log {
    /// Opens the log in this folder, `audit` of the data directory. `key` is the
    /// secret seed of the ed25519 key that signs heads.
    ///
    /// The end is checked: of the last file as much as a few of the longest lines,
    /// and the last head. A last line that was not written to its end is cut away;
    /// nothing is changed when anything else is wrong, which is [`Error::Broken`].
    pub fn open(folder: Folder, key: &[u8; 32]) -> Result<Self, Error> {
        let key = SigningKey::from_bytes(key);
        let files = log_files(&folder)?;
        let (chain, entries) = end::last_file(&folder, &files)?;
        let (head, heads) = last_head(&folder, &key, &chain)?;
        for end in [&entries, &heads].into_iter().flatten() {
            end.settle()?;
        }
        if entries.is_some() || heads.is_some() {
            folder.sync_dir(".").map_err(Error::io("syncing", "audit"))?;
        }
        let appender =
            |end: Option<End>| Appender::new(folder.clone(), end.map(|End { file, len, .. }| Current { file, len }));
        let heads = Heads { file: appender(heads), last: head.map_or(0, |head| head.n) };
        let entries = Mutex::new(appender(entries));
        Ok(Self { key, chain: Mutex::new(chain), entries, heads: Mutex::new(heads), folder })
    }

    /// The number and the hash of the last entry; 0 and zeros when there is none.
    /// Does not wait for the disk.
    pub fn last(&self) -> (u64, String) {
        lock(&self.chain).last()
    }

    /// Appends entries, which are on the disk when this returns. Those that the log
    /// has by their number are passed over; the others must go on from the last one.
    /// After an error a first part of them may have been appended, which `last`
    /// tells. After a failed sync no more are taken until the log is opened again.
    pub fn append(&self, entries: &[Entry]) -> Result<(), Error> {
        let mut appender = lock(&self.entries);
        let start = lock(&self.chain).clone();
        let is_new = |entry: &&Entry| entry.n > start.n();
        let mut piece = Piece::new(start.clone());
        for entry in entries.iter().filter(is_new) {
            let expected = piece.chain.following();
            if entry.n != expected {
                return Err(Error::Gap { expected, found: entry.n });
            }
            let line = entry.line(piece.chain.hash())?;
            if !piece.text.is_empty() && !piece.takes(line.text.len(), &appender) {
                piece = self.put(&mut appender, piece)?;
            }
            piece.text.push_str(&line.text);
            piece.chain = Chain::after(entry.n, line.hash);
        }
        if !piece.text.is_empty() {
            self.put(&mut appender, piece)?;
        }
        Ok(())
    }

    /// Brings a piece to the disk, and gives the empty one after it.
    fn put(&self, appender: &mut Appender, piece: Piece) -> Result<Piece, Error> {
        if appender.len().is_none_or(|len| len.saturating_add(bytes(piece.text.len())) > FILE_BYTES_MAX) {
            appender.begin(&file_name(piece.first))?;
        }
        appender.append(piece.text.as_bytes())?;
        lock(&self.chain).clone_from(&piece.chain);
        Ok(Piece::new(piece.chain))
    }

    /// Signs the last entry's hash and this time, in milliseconds since the Unix
    /// epoch. The head is on the disk when this returns; one of an entry that has a
    /// head there already is given, but not kept, so that heads are no more than
    /// entries.
    pub fn sign(&self, at: u64) -> Result<Head, Error> {
        let mut heads = lock(&self.heads);
        let (n, hash) = self.last();
        if n == 0 {
            return Err(Error::Empty);
        }
        let head = Head::sign(&self.key, n, hash, at);
        if heads.last == n {
            return Ok(head);
        }
        if heads.file.len().is_none() {
            heads.file.begin(HEADS)?;
        }
        heads.file.append(format!("{head}\n").as_bytes())?;
        heads.last = n;
        Ok(head)
    }

    /// The lines after this entry as they stand in the files, without newlines: at
    /// most `limit`, and [`READ_BYTES_MAX`] bytes. Fewer than `limit` are not the end
    /// of the log; none are. They are not checked: who reads them does that.
    pub fn read(&self, after: u64, limit: usize) -> Result<Vec<String>, Error> {
        let (last, _) = self.last();
        let mut page = Page { next: after.saturating_add(1), last, limit, bytes: 0, lines: Vec::new() };
        if page.is_full(0) {
            return Ok(page.lines);
        }
        let files = log_files(&self.folder)?;
        let before = files.partition_point(|first| *first <= page.next).saturating_sub(1);
        for first in files.into_iter().skip(before) {
            if self.read_file(first, &mut page)? {
                break;
            }
        }
        Ok(page.lines)
    }

    /// Adds what this file has for a page. Whether the page is full.
    fn read_file(&self, first: u64, page: &mut Page) -> Result<bool, Error> {
        let name = file_name(first);
        let file = Lines::open(&self.folder, &name, LINE_BYTES_MAX).map_err(Error::io("opening", &shown(&name)))?;
        let mut file = file.ok_or_else(|| Broken::new(&shown(&name), 0, "it is gone"))?;
        let mut n = first;
        loop {
            let line = match file.next() {
                Ok(None) => return Ok(false),
                Ok(Some(line)) => String::from_utf8_lossy(line),
                Err(Stop::Io(error)) => return Err(Error::io("reading", &shown(&name))(error)),
                Err(stop) => return Err(stop.broken(&shown(&name), file.number()).into()),
            };
            if n >= page.next {
                if page.is_full(line.len()) {
                    return Ok(true);
                }
                page.push(line.into_owned());
                // What comes after the last entry is not acknowledged.
                if page.is_full(0) {
                    return Ok(true);
                }
            }
            n = n.saturating_add(1);
        }
    }

    /// The key that verifies heads.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

impl Piece {
    fn new(chain: Chain) -> Self {
        Self { first: chain.following(), text: String::new(), chain }
    }

    /// Whether so many bytes more can be written with it into one file.
    fn takes(&self, more: usize, appender: &Appender) -> bool {
        let all = self.text.len().saturating_add(more);
        let file_bytes = appender.len().unwrap_or(0).saturating_add(bytes(all));
        all <= WRITE_BYTES_MAX && file_bytes <= FILE_BYTES_MAX
    }
}

/// Lines that were read.
struct Page {
    /// The entry that is next.
    next: u64,
    /// The last one to be read.
    last: u64,
    limit: usize,
    bytes: usize,
    lines: Vec<String>,
}

impl Page {
    fn is_full(&self, more: usize) -> bool {
        let has_bytes = !self.lines.is_empty() && self.bytes.saturating_add(more) > READ_BYTES_MAX;
        self.next > self.last || self.lines.len() >= self.limit || has_bytes
    }

    fn push(&mut self, line: String) {
        self.bytes = self.bytes.saturating_add(line.len());
        self.next = self.next.saturating_add(1);
        self.lines.push(line);
    }
}

/// The last head and the end of its file. It must be signed by us, and of an entry
/// that the log has.
fn last_head(folder: &Folder, key: &SigningKey, chain: &Chain) -> Result<(Option<Head>, Option<End>), Error> {
    if folder.metadata(HEADS).map_err(Error::io("reading", &shown(HEADS)))?.is_none() {
        return Ok((None, None));
    }
    let end = end::open(folder, HEADS, HEAD_BYTES_MAX)?;
    let Some(line) = end.last() else { return Ok((None, Some(end))) };
    let head = Head::parse(line).and_then(|head| head.verify(&key.verifying_key().to_bytes()).map(|()| head));
    let head = head.map_err(|error| end.broken_last(error.to_string()))?;
    if head.n > chain.n() {
        return Err(end.broken_last(format!("it signs entry {}, and the log ends with {}", head.n, chain.n())));
    }
    if head.n == chain.n() && head.hash != chain.hash() {
        return Err(end.broken_last(format!("it signs another entry {} than the log has", head.n)));
    }
    Ok((Some(head), Some(end)))
}

/// A panic while it was held left nothing half-done: each is set in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

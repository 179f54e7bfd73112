//! The end of a file: what a start reads of a log, however long it is.

use lamina_disk::{File, Folder};

use crate::chain::{Chain, Fault};
use crate::entry::{LINE_BYTES_MAX, Links};
use crate::error::{Broken, Error};
use crate::files::file_name;
use crate::log::WRITE_BYTES_MAX;

/// How many of the longest lines are looked at: one that was cut into by the window's
/// beginning, one whole, one torn.
const WINDOW_LINES: usize = 3;
/// What a disk writes at once, at least.
const SECTOR_BYTES: u64 = 512;

/// A file that was opened to go on with, and its last lines.
pub(crate) struct End {
    pub(crate) file: File,
    /// The last whole lines, without newlines.
    lines: Vec<Vec<u8>>,
    /// Whether they are all that the file has.
    is_whole: bool,
    /// The bytes of all whole lines.
    pub(crate) len: u64,
    /// The bytes after them.
    pub(crate) torn: u64,
}

impl End {
    /// Reads the end of a file whose lines have at most so many bytes.
    pub(crate) fn read(file: File, line_bytes_max: usize) -> Result<Self, Error> {
        let failed = |error| Error::io("reading", file.path())(error);
        let all_bytes = file.len().map_err(failed)?;
        let file_bytes = unwritten(&file, all_bytes).map_err(failed)?.unwrap_or(all_bytes);
        let window = u64::try_from(line_bytes_max.saturating_mul(WINDOW_LINES)).unwrap_or(u64::MAX).min(file_bytes);
        let start = file_bytes.saturating_sub(window);
        let mut bytes = vec![0; usize::try_from(window).unwrap_or(0)];
        file.read_at(start, &mut bytes).map_err(failed)?;
        let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let torn = lines.pop().unwrap_or_default().len();
        let is_whole = start == 0;
        if !is_whole && !lines.is_empty() {
            lines.remove(0);
        }
        let len = file_bytes.saturating_sub(u64::try_from(torn).unwrap_or(u64::MAX));
        let end = Self { lines, is_whole, len, torn: all_bytes - len, file };
        // A torn line is the beginning of one that would have fitted.
        if torn >= line_bytes_max || !is_whole && end.lines.is_empty() {
            return Err(end.broken(end.lines.len(), Fault::TooLong.to_string()));
        }
        Ok(end)
    }

    /// What is wrong with the line of this index.
    fn broken(&self, index: usize, reason: String) -> Error {
        let after = u64::try_from(self.lines.len().saturating_sub(index)).unwrap_or(u64::MAX);
        match newlines(&self.file, self.len) {
            Ok(count) => Broken::new(self.file.path(), count.saturating_sub(after).saturating_add(1), reason).into(),
            Err(error) => Error::io("reading", self.file.path())(error),
        }
    }

    /// What is wrong with the last line.
    pub(crate) fn broken_last(&self, reason: String) -> Error {
        self.broken(self.lines.len().saturating_sub(1), reason)
    }

    /// The last whole line.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        self.lines.last().map(Vec::as_slice)
    }

    /// Checks the lines, and gives the chain after them. `before` gives it before the
    /// file's first line, when that is among them.
    pub(crate) fn chain(&self, before: impl FnOnce() -> Result<Chain, Error>) -> Result<Chain, Error> {
        let mut chain = if self.is_whole { before()? } else { self.trusted()? };
        for (index, line) in self.lines.iter().enumerate() {
            chain.take(line).map_err(|error| self.broken(index, error.fault.to_string()))?;
        }
        Ok(chain)
    }

    /// The chain before the lines, by what the first of them says.
    fn trusted(&self) -> Result<Chain, Error> {
        let line = self.lines.first().map(Vec::as_slice).unwrap_or_default();
        let links = Links::parse(line).map_err(|fault| self.broken(0, fault.to_string()))?;
        let n = links.n.checked_sub(1).ok_or_else(|| self.broken(0, Fault::Form.to_string()))?;
        Ok(Chain::after(n, links.prev))
    }

    /// Cuts the torn bytes away, and makes sure that what was read is on the disk:
    /// the process that wrote it may have died before its sync.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        if self.torn > 0 {
            self.file.set_len(self.len).map_err(Error::io("cutting", self.file.path()))?;
        }
        self.file.sync().map_err(Error::io("syncing", self.file.path()))
    }
}

/// Where the line begins in which the last append was not written: after a power cut
/// its sectors are there or not, each for itself, and those that are not read as
/// zeros, which no line has.
fn unwritten(file: &File, file_bytes: u64) -> std::io::Result<Option<u64>> {
    let window = (WRITE_BYTES_MAX + LINE_BYTES_MAX) as u64;
    let start = file_bytes.saturating_sub(window);
    let mut bytes = vec![0; usize::try_from(file_bytes - start).unwrap_or(0)];
    file.read_at(start, &mut bytes)?;
    let is_border = |at: usize| (start + at as u64).is_multiple_of(SECTOR_BYTES) || start + at as u64 == file_bytes;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == 0) {
        let from = at + found;
        let to = bytes[from..].iter().position(|byte| *byte != 0).map_or(bytes.len(), |length| from + length);
        let before = bytes[..from].iter().rposition(|byte| *byte == b'\n');
        // The append may have begun within a sector, after the line before it.
        let begins = is_border(from) || before == from.checked_sub(1);
        if begins && is_border(to) {
            return Ok(match before {
                Some(newline) => Some(start + newline as u64 + 1),
                None if start == 0 => Some(0),
                None => None,
            });
        }
        at = to;
    }
    Ok(None)
}

/// Whether a file's last append was cut short within this line: a start cuts it away.
pub(crate) fn is_torn_at(folder: &Folder, name: &str, line_bytes_max: usize, line: u64) -> bool {
    open(folder, name, line_bytes_max).is_ok_and(|end| {
        end.torn > 0 && newlines(&end.file, end.len).is_ok_and(|whole| whole.saturating_add(1) == line)
    })
}

/// How many there are in so many bytes of a file.
fn newlines(file: &File, len: u64) -> std::io::Result<u64> {
    let (mut offset, mut count) = (0, 0_u64);
    let mut block = vec![0; LINE_BYTES_MAX];
    while offset < len {
        let bytes = usize::try_from(len - offset).unwrap_or(usize::MAX).min(block.len());
        let block = &mut block[..bytes];
        file.read_at(offset, block)?;
        count += block.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        offset += u64::try_from(bytes).unwrap_or(u64::MAX);
    }
    Ok(count)
}

/// The end of the last of these log files, and the chain after it.
pub(crate) fn last_file(folder: &Folder, files: &[u64]) -> Result<(Chain, Option<End>), Error> {
    let Some((first, earlier)) = files.split_last() else { return Ok((Chain::new(), None)) };
    let end = open(folder, &file_name(*first), LINE_BYTES_MAX)?;
    let chain = end.chain(|| before(folder, earlier, *first, end.file.path()))?;
    Ok((chain, Some(end)))
}

/// The chain before the file that begins with entry `first`.
fn before(folder: &Folder, earlier: &[u64], first: u64, path: &str) -> Result<Chain, Error> {
    let chain = match earlier.last() {
        None => Chain::new(),
        Some(number) => {
            let end = open(folder, &file_name(*number), LINE_BYTES_MAX)?;
            if end.torn > 0 || end.lines.is_empty() {
                return Err(Broken::new(end.file.path(), 0, "it does not end with a whole line").into());
            }
            end.chain(|| end.trusted())?
        }
    };
    match chain.following() {
        next if next == first => Ok(chain),
        next => Err(Broken::new(path, 0, format!("entry {next} is the next one, and no file begins with it")).into()),
    }
}

/// The end of a file that is there.
pub(crate) fn open(folder: &Folder, name: &str, line_bytes_max: usize) -> Result<End, Error> {
    let file = folder.edit(name).map_err(Error::io("opening", &crate::files::shown(name)))?;
    End::read(file, line_bytes_max)
}

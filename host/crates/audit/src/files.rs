//! The names of the log's files, and their lines as a stream.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use lamina_disk::Folder;

use crate::chain::Fault;
use crate::error::Broken;

/// The file of signed heads.
pub(crate) const HEADS: &str = "heads";

const DIGITS: usize = 20;
const EXTENSION: &str = ".log";

/// The name of the file that begins with this entry.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:0DIGITS$}{EXTENSION}")
}

/// How messages name a file.
pub(crate) fn shown(name: &str) -> String {
    format!("audit/{name}")
}

/// The first entries of the log's files, ascending. A name that ends like one of
/// theirs and is none is refused; others are passed over.
pub(crate) fn log_files(folder: &Folder) -> Result<Vec<u64>, Broken> {
    let names = folder.names(".").map_err(|error| Broken::read("audit", &error))?;
    let names = names.iter().filter(|name| name.ends_with(EXTENSION));
    names.map(|name| first_entry(name).ok_or_else(|| Broken::new(&shown(name), 0, "no file has such a name"))).collect()
}

fn first_entry(name: &str) -> Option<u64> {
    let number = name.strip_suffix(EXTENSION)?.parse().ok()?;
    // Digits only, and as many as there must be.
    (file_name(number) == name).then_some(number)
}

/// What ends a stream of lines early.
pub(crate) enum Stop {
    /// Bytes without a newline at the file's end.
    Torn,
    /// A line longer than there can be.
    TooLong,
    /// Reading failed.
    Io(io::Error),
}

impl Stop {
    /// As what is wrong with this line of a file.
    pub(crate) fn broken(self, file: &str, line: u64) -> Broken {
        match self {
            Self::Torn => Broken::torn(file, line),
            Self::TooLong => Broken::new(file, line, Fault::TooLong.to_string()),
            Self::Io(error) => Broken::read(file, &error),
        }
    }
}

/// The lines of a file, one in memory at a time.
pub(crate) struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    bytes_max: usize,
}

impl Lines {
    /// Of lines of at most so many bytes, newline included; `None` when there is no
    /// such file.
    pub(crate) fn open(folder: &Folder, name: &str, bytes_max: usize) -> io::Result<Option<Self>> {
        match folder.dir().open(name) {
            Ok(file) => {
                let reader = BufReader::with_capacity(64 << 10, file.into_std());
                Ok(Some(Self { reader, line: Vec::new(), number: 0, bytes_max }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of the line that was read last, or could not be.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without its newline; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Stop> {
        self.line.clear();
        let bytes_max = u64::try_from(self.bytes_max).unwrap_or(u64::MAX);
        self.reader.by_ref().take(bytes_max).read_until(b'\n', &mut self.line).map_err(Stop::Io)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        match self.line.split_last() {
            Some((b'\n', line)) => Ok(Some(line)),
            _ if self.line.len() >= self.bytes_max => Err(Stop::TooLong),
            _ => Err(Stop::Torn),
        }
    }
}

//! The one form of a tar file that a backup has: plain files, POSIX's `ustar`
//! header, nothing in it that does not follow from name and size.
//!
//! Any tar reads it. Ours takes nothing else, so that no byte of a backup can be
//! another without that being seen, those outside the files included.

use std::io::{self, Read, Seek};

use crate::error::Refusal;

/// The unit of the format.
pub(crate) const BLOCK: usize = 512;
/// What ends a file: two blocks of zeros.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
const NAME_BYTES_MAX: usize = 100;
/// Eleven octal digits.
const OCTAL_MAX: u64 = 1 << 33;

/// The header of a file, which its owner alone may read. Names are of ASCII and of
/// at most 100 bytes: those of a data directory are.
pub(crate) fn header(name: &str, bytes: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    put(&mut header, 0, name.as_bytes().get(..NAME_BYTES_MAX).unwrap_or(name.as_bytes()));
    put(&mut header, 100, b"0000600\x000000000\x000000000\0");
    if bytes < OCTAL_MAX {
        put(&mut header, 124, format!("{bytes:011o}\0").as_bytes());
    } else {
        // GNU's form for what does not fit: the first bit, and a big-endian number.
        put(&mut header, 124, &[0x80, 0, 0, 0]);
        put(&mut header, 128, &bytes.to_be_bytes());
    }
    put(&mut header, 136, b"00000000000\0");
    put(&mut header, 148, b"        ");
    put(&mut header, 156, b"0");
    put(&mut header, 257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut header, 148, format!("{sum:06o}\0 ").as_bytes());
    header
}

fn put(header: &mut [u8; BLOCK], at: usize, text: &[u8]) {
    for (to, from) in header.iter_mut().skip(at).zip(text) {
        *to = *from;
    }
}

/// Zeros after so many bytes of a file.
pub(crate) fn padding(bytes: u64) -> usize {
    const UNIT: u64 = BLOCK as u64;
    usize::try_from((UNIT - bytes % UNIT) % UNIT).unwrap_or_default()
}

/// What a file of this size takes, with its header.
pub(crate) fn entry_bytes(bytes: u64) -> u64 {
    (BLOCK as u64).saturating_add(bytes).saturating_add(padding(bytes) as u64)
}

/// Reads such a file from its beginning to its end.
pub(crate) struct Reader<R> {
    source: R,
    /// Bytes of the entry that were not read.
    left: u64,
    padding: usize,
}

/// An entry: its name, and the size of its file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

fn cut(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::Cut,
        _ => Refusal::Io(error),
    }
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0 }
    }

    /// The next entry; what was not read of the one before is passed over. `None`
    /// at the end, after which nothing may follow.
    pub(crate) fn next(&mut self) -> Result<Option<Head>, Refusal> {
        let mut buffer = vec![0; 64 << 10];
        while self.read(&mut buffer)? > 0 {}
        let mut block = [0; BLOCK];
        self.source.read_exact(&mut block).map_err(cut)?;
        if block == [0; BLOCK] {
            return self.end().map(|()| None);
        }
        let head = parse(&block).ok_or(Refusal::Header)?;
        (self.left, self.padding) = (head.bytes, padding(head.bytes));
        Ok(Some(head))
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let mut block = [0; BLOCK];
        self.source.read_exact(&mut block).map_err(cut)?;
        let after = self.source.read(&mut [0]).map_err(Refusal::Io)?;
        if block == [0; BLOCK] && after == 0 { Ok(()) } else { Err(Refusal::Header) }
    }

    /// Some bytes of the entry's file; 0 when it was read whole.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            if self.left == 0 {
                self.pass_padding()?;
            }
            return Ok(0);
        }
        let read = self.source.read(buffer.get_mut(..most).unwrap_or_default()).map_err(cut)?;
        if read == 0 {
            return Err(Refusal::Cut);
        }
        self.left -= read as u64;
        Ok(read)
    }

    /// The entry's file, which is at most so long.
    pub(crate) fn whole(&mut self, bytes_max: u64) -> Result<Vec<u8>, Refusal> {
        if self.left > bytes_max {
            return Err(Refusal::TooLong(bytes_max));
        }
        let mut bytes = vec![0; usize::try_from(self.left).unwrap_or_default()];
        self.source.read_exact(&mut bytes).map_err(cut)?;
        self.left = 0;
        self.pass_padding()?;
        Ok(bytes)
    }

    /// Passes over the rest of the entry's file without reading it.
    pub(crate) fn skip(&mut self) -> Result<(), Refusal>
    where
        R: Seek,
    {
        // What is beyond the end is seen when the next header is read.
        let left = i64::try_from(std::mem::take(&mut self.left)).map_err(|_| Refusal::Cut)?;
        self.source.seek_relative(left).map_err(Refusal::Io)?;
        self.pass_padding()
    }

    fn pass_padding(&mut self) -> Result<(), Refusal> {
        let mut block = [0; BLOCK];
        let zeros = block.get_mut(..std::mem::take(&mut self.padding)).unwrap_or_default();
        self.source.read_exact(zeros).map_err(cut)?;
        if zeros.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(Refusal::Header) }
    }
}

/// Reads a header, which must be the one that we would write.
fn parse(block: &[u8; BLOCK]) -> Option<Head> {
    let name = block.get(..NAME_BYTES_MAX)?;
    let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let name = std::str::from_utf8(name.get(..length)?).ok()?;
    let bytes = if *block.get(124)? == 0x80 {
        u64::from_be_bytes(block.get(128..136)?.try_into().ok()?)
    } else {
        u64::from_str_radix(std::str::from_utf8(block.get(124..135)?).ok()?, 8).ok()?
    };
    (header(name, bytes) == *block).then(|| Head { name: name.to_owned(), bytes })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, bytes) in files {
            let before = tar.len() as u64;
            tar.extend_from_slice(&header(name, bytes.len() as u64));
            tar.extend_from_slice(bytes);
            tar.extend(std::iter::repeat_n(0, padding(bytes.len() as u64)));
            assert_eq!(tar.len() as u64 - before, entry_bytes(bytes.len() as u64));
        }
        tar.extend_from_slice(&END);
        tar
    }

    fn read(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
        let mut reader = Reader::new(tar);
        let mut files = Vec::new();
        while let Some(head) = reader.next()? {
            files.push((head.name, reader.whole(1 << 20)?));
        }
        Ok(files)
    }

    #[test]
    fn what_is_written_is_read() {
        let long = vec![7; 1_500];
        let name = "x".repeat(100);
        let files: &[(&str, &[u8])] = &[("a", b""), ("b/c", b"abc"), (&name, &long), ("d", &[1; 512])];
        let read = read(&tar(files)).unwrap();
        let expect = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect::<Vec<_>>();
        assert_eq!(read, expect);
        for bytes in [0, 8, OCTAL_MAX - 1, OCTAL_MAX, u64::MAX / 2] {
            assert_eq!(parse(&header("a", bytes)), Some(Head { name: "a".into(), bytes }));
        }
    }

    #[test]
    fn other_tars_read_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.tar"), tar(&[("a", b"1"), ("b/c", b"22")])).unwrap();
        let path = dir.path().join("x.tar");
        let listed = std::process::Command::new("tar").arg("tf").arg(path).output().unwrap();
        assert_eq!(String::from_utf8(listed.stdout).unwrap(), "a\nb/c\n");
    }

    #[test]
    fn every_byte_outside_the_files_counts() {
        let tar = tar(&[("a", b"abc"), ("b", b"")]);
        let data = BLOCK..BLOCK + 3;
        for at in (0..tar.len()).filter(|at| !data.contains(at)) {
            for bit in [1, 0x20, 0x80] {
                let mut changed = tar.clone();
                changed[at] ^= bit;
                assert!(read(&changed).is_err(), "{at}");
            }
        }
        for length in 0..tar.len() {
            assert!(read(&tar[..length]).is_err(), "{length}");
        }
        assert!(read(&[&tar[..], b"x"].concat()).is_err());
        assert!(matches!(read(&tar[..tar.len() - 1]), Err(Refusal::Cut)));
    }
}

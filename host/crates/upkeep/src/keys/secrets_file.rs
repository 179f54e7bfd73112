//! `secrets.key`: the keys that seal secrets, one a line, each 32 bytes in base64.
//! The first seals, all of them open.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lamina_disk::Folder;
use lamina_kv::Keyring;
use zeroize::{Zeroize as _, Zeroizing};

/// The file's name in the data directory.
pub const NAME: &str = "secrets.key";
/// Keys in a ring at most.
pub const KEYS_MAX: usize = 16;
/// 16 lines of 44 characters, and room for white space.
const BYTES_MAX: u64 = 4 << 10;
const TEMPORARY: &str = "secrets.key.new";

/// Why keys cannot be read or kept. Never holds any of the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line is no key.
    #[error("line {0} is not 32 bytes in base64")]
    Line(usize),
    /// The same key stands there twice.
    #[error("line {0} holds a key that is there already")]
    Twice(usize),
    /// No key at all.
    #[error("there is no key")]
    Empty,
    /// Too many keys.
    #[error(
        "there are more than {KEYS_MAX} keys: take the last ones out of {NAME} while the platform is stopped, once \
         everything has been sealed again"
    )]
    Full,
    /// The file.
    #[error("{NAME}: {0}")]
    Io(#[from] io::Error),
}

type Keys = Zeroizing<Vec<[u8; 32]>>;

/// The ring of these lines.
pub fn parse(text: &str) -> Result<Keyring, Error> {
    ring(&lines(text)?)
}

fn ring(keys: &Keys) -> Result<Keyring, Error> {
    let (current, older) = keys.split_first().ok_or(Error::Empty)?;
    Ok(Keyring::new(*current, older.to_vec()))
}

fn lines(text: &str) -> Result<Keys, Error> {
    // Room for all at once: what is a secret is not left behind by growing.
    let mut keys: Keys = Zeroizing::new(Vec::with_capacity(KEYS_MAX));
    for (at, line) in text.lines().enumerate() {
        let mut bytes = Zeroizing::new(STANDARD.decode(line).map_err(|_| Error::Line(at + 1))?);
        let mut key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| Error::Line(at + 1))?;
        bytes.zeroize();
        if keys.contains(&key) {
            return Err(Error::Twice(at + 1));
        }
        if keys.len() == KEYS_MAX {
            return Err(Error::Full);
        }
        keys.push(key);
        key.zeroize();
    }
    if keys.is_empty() { Err(Error::Empty) } else { Ok(keys) }
}

/// The ring of a data directory; `None` when the file is not there. Blocks.
pub fn read(folder: &Folder) -> Result<Option<Keyring>, Error> {
    read_keys(folder)?.as_ref().map(ring).transpose()
}

fn read_keys(folder: &Folder) -> Result<Option<Keys>, Error> {
    let Some(bytes) = folder.read(NAME, BYTES_MAX)?.map(Zeroizing::new) else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        Error::Line(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    })?;
    lines(text).map(Some)
}

/// Writes these keys in place of the file or of none; the first is the current
/// one. On the disk, and readable by its owner alone, when it returns; when it
/// fails the file is as before, or, when the last sync failed, the new one is there
/// and not known to stay. Blocks.
pub fn write(folder: &Folder, keys: &[[u8; 32]]) -> Result<(), Error> {
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 45));
    for key in keys {
        let line = Zeroizing::new(STANDARD.encode(key));
        text.push_str(&line);
        text.push('\n');
    }
    // Nothing is written that would not be read again.
    lines(&text)?;
    // Left by a write that was cut off.
    folder.remove(TEMPORARY)?;
    Ok(folder.replace(TEMPORARY, NAME, text.as_bytes())?)
}

/// Puts a key before all others. As [`write`]; refused when there are as many as
/// there may be. Blocks.
pub fn add(folder: &Folder, key: [u8; 32]) -> Result<(), Error> {
    let older = read_keys(folder)?.ok_or(Error::Empty)?;
    let mut keys: Keys = Zeroizing::new(Vec::with_capacity(older.len() + 1));
    keys.push(key);
    keys.extend_from_slice(&older);
    write(folder, &keys)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use lamina_disk::System;

    use super::*;

    fn key(number: u8) -> String {
        STANDARD.encode([number; 32])
    }

    #[test]
    fn what_is_no_ring_is_named_by_its_line() {
        let many = |count: u8| (0..count).map(key).collect::<Vec<_>>().join("\n");
        let check = |text: &str, expect: &str| match parse(text) {
            Ok(ring) => assert_eq!(expect, "", "{ring:?}"),
            Err(error) => assert!(error.to_string().starts_with(expect) && !expect.is_empty(), "{error}"),
        };
        check(&key(1), "");
        check(&format!("{}\n{}\n", key(1), key(2)), "");
        check(&many(16), "");
        check(&many(17), "there are more than 16 keys");
        check("", "there is no key");
        check(&format!("{}\n\n{}", key(1), key(2)), "line 2 is not");
        check(&format!("{}\n{}", key(1), &key(2)[1..]), "line 2 is not");
        check(&format!(" {}", key(1)), "line 1 is not");
        check(&STANDARD.encode([7; 31]), "line 1 is not");
        check(&format!("{}\n{}\n{}", key(1), key(2), key(1)), "line 3 holds");
    }

    #[test]
    fn a_file_is_private_and_its_first_line_is_the_current_key() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), Arc::new(System)).unwrap();
        assert!(read(&folder).unwrap().is_none());
        assert!(matches!(add(&folder, [1; 32]), Err(Error::Empty)));
        write(&folder, &[[1; 32]]).unwrap();
        // A write that was cut off is not in the way.
        std::fs::write(dir.path().join(TEMPORARY), "x").unwrap();
        for number in 2..=16 {
            add(&folder, [number; 32]).unwrap();
            let ring = read(&folder).unwrap().unwrap();
            assert_eq!(ring.current_id(), Keyring::new([number; 32], Vec::new()).current_id());
        }
        assert!(matches!(add(&folder, [17; 32]), Err(Error::Full)));
        assert!(matches!(add(&folder, [3; 32]), Err(Error::Twice(_))));
        let path = dir.path().join(NAME);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(first, key(16));
        std::fs::write(&path, [key(1).as_bytes(), b"\n\xff"].concat()).unwrap();
        assert!(matches!(read(&folder), Err(Error::Line(2))));
    }
}

//! Names of entries: which may be, and which may be together.

use std::collections::HashSet;

use crate::error::{Fault, ZipError};
use crate::package::Entry;
use crate::record::{DEPTH_MAX, NAME_BYTES_MAX, PART_BYTES_MAX};

/// The name as text, without a folder's slash, and whether it is a folder's.
///
/// Names are told apart by their bytes, as on the guests' systems: two that differ
/// in case or in Unicode's normal form are two files.
pub(crate) fn checked(bytes: &[u8]) -> Result<(&str, bool), Fault> {
    if bytes.is_empty() {
        return Err(Fault::NoName);
    }
    if bytes.len() > NAME_BYTES_MAX {
        return Err(Fault::LongName);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
    if text.contains(char::is_control) {
        return Err(Fault::Control);
    }
    if text.contains('\\') {
        return Err(Fault::Backslash);
    }
    let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
    if text.starts_with('/') || drive {
        return Err(Fault::Absolute);
    }
    let (path, is_folder) = text.strip_suffix('/').map_or((text, false), |path| (path, true));
    for (depth, part) in path.split('/').enumerate() {
        match part {
            ".." => return Err(Fault::Upwards),
            "" | "." => return Err(Fault::Dots),
            part if part.len() > PART_BYTES_MAX || depth >= DEPTH_MAX => return Err(Fault::LongName),
            _ => {}
        }
    }
    Ok((path, is_folder))
}

/// The folders that a path lies in.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// Refuses a name that is there twice, and one that is a file and a folder.
pub(crate) fn distinct(entries: &[Entry<'_>]) -> Result<(), ZipError> {
    let mut names = HashSet::with_capacity(entries.len());
    let mut files = HashSet::with_capacity(entries.len());
    for entry in entries {
        let fault = |fault| ZipError::of(entry.name.as_bytes(), fault);
        if !names.insert((entry.name, entry.is_folder)) {
            return Err(fault(Fault::Twice));
        }
        if !entry.is_folder {
            files.insert(entry.name);
        }
    }
    for entry in entries {
        let own = entry.is_folder.then_some(entry.name);
        if let Some(both) = folders(entry.name).chain(own).find(|folder| files.contains(folder)) {
            return Err(ZipError::of(both.as_bytes(), Fault::FileAndFolder));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, expect: Result<(&str, bool), Fault>| {
            assert_eq!(checked(name.as_bytes()), expect, "{name:?}");
        };
        check("a", Ok(("a", false)));
        check("a/b.js", Ok(("a/b.js", false)));
        check("a/", Ok(("a", true)));
        check("...", Ok(("...", false)));
        check("ab:c", Ok(("ab:c", false)));
        check("caf\u{e9}", Ok(("caf\u{e9}", false)));
        check("", Err(Fault::NoName));
        check("/", Err(Fault::Absolute));
        check("/etc/passwd", Err(Fault::Absolute));
        check("c:/x", Err(Fault::Absolute));
        check("C:x", Err(Fault::Absolute));
        check("a\\b", Err(Fault::Backslash));
        check("..", Err(Fault::Upwards));
        check("a/../b", Err(Fault::Upwards));
        check("a/..", Err(Fault::Upwards));
        check("../", Err(Fault::Upwards));
        check("./a", Err(Fault::Dots));
        check("a//b", Err(Fault::Dots));
        check("a//", Err(Fault::Dots));
        check("a/./b", Err(Fault::Dots));
        check("a\0b", Err(Fault::Control));
        check("a\nb", Err(Fault::Control));
        check("a\u{7f}", Err(Fault::Control));
        check("a\u{85}", Err(Fault::Control));
        check(&"x".repeat(255), Ok((&"x".repeat(255), false)));
        check(&"x".repeat(256), Err(Fault::LongName));
        let deep = ["d"; DEPTH_MAX].join("/");
        check(&deep, Ok((&deep, false)));
        check(&format!("{deep}/d"), Err(Fault::LongName));
        check(&format!("{deep}/"), Ok((&deep, true)));
        check(&["x".repeat(250).as_str(); 5].join("/"), Err(Fault::LongName));
        assert_eq!(checked(b"a\xff"), Err(Fault::NotUtf8));
        assert_eq!(checked(b"\xc0\xae\xc0\xae/x"), Err(Fault::NotUtf8));
    }
}

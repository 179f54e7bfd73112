//! Symbolic links between files of a package, as `zip -y` keeps those of `node_modules/.bin`.
//! Each becomes a copy of the file that it leads to: nothing that is unpacked is a link.

use std::collections::HashMap;

use crate::error::{Fault, ZipError};
use crate::package::Entry;
use crate::record::NAME_BYTES_MAX;

/// Links that lead to links: as many as Linux follows.
const HOPS_MAX: usize = 40;

/// Makes copies of all links. Refused by its own name is one that leads out of the
/// package, to a folder, to nothing, or to itself, and a signature that is one.
pub(crate) fn follow(entries: &mut [Entry<'_>]) -> Result<(), ZipError> {
    let links: Vec<usize> =
        (0..entries.len()).filter(|at| entries.get(*at).is_some_and(|entry| entry.is_link)).collect();
    if links.is_empty() {
        return Ok(());
    }
    let files: HashMap<&str, usize> =
        entries.iter().enumerate().filter(|(_, entry)| !entry.is_folder).map(|(at, entry)| (entry.name, at)).collect();
    let mut targets = Vec::with_capacity(links.len());
    for at in &links {
        let Some(link) = entries.get(*at) else { continue };
        let fault = |fault| ZipError::of(link.name.as_bytes(), fault);
        let target = target(entries, &files, link).map_err(fault)?;
        if link.is_signature() {
            return Err(fault(Fault::Link));
        }
        targets.push(target.clone());
    }
    for (at, target) in links.into_iter().zip(targets) {
        if let Some(entry) = entries.get_mut(at) {
            entry.copy(&target);
        }
    }
    Ok(())
}

/// The file that a link leads to in the end.
fn target<'e, 'a>(
    entries: &'e [Entry<'a>],
    files: &HashMap<&str, usize>,
    link: &'e Entry<'a>,
) -> Result<&'e Entry<'a>, Fault> {
    let mut now = link;
    for _ in 0..HOPS_MAX {
        if !now.is_link {
            return Ok(now);
        }
        if now.bytes > NAME_BYTES_MAX {
            return Err(Fault::Link);
        }
        let content = now.content().map_err(|error| error.fault)?;
        let said = std::str::from_utf8(&content).map_err(|_| Fault::NotUtf8)?;
        let path = joined(now.name, said).ok_or(Fault::LinkOut)?;
        now = files.get(path.as_str()).and_then(|at| entries.get(*at)).ok_or(Fault::Link)?;
    }
    Err(Fault::Link)
}

/// The path in a package that `said` means in the folder where `file` lies: without `.`,
/// `..` and empty parts. `None` where it is absolute or leads out of the package.
pub fn joined(file: &str, said: &str) -> Option<String> {
    if said.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in said.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

//! Every artifact's bytes, and what writes that were cut off have left.

use std::io::{self, Read as _};
use std::path::Path;

use lamina_disk::Folder;
use lamina_types::Digest;
use sha2::{Digest as _, Sha256};

use super::{Finding, Report};
use crate::error::Error;
use crate::place::{CONTENT, Place};

const TMP: &str = "artifacts/tmp";

/// Everything in the store of artifacts.
pub(super) fn check(
    folder: &Folder,
    repair: bool,
    progress: &mut dyn FnMut(u64, u64),
    report: &mut Report,
) -> Result<(), Error> {
    leftovers(folder, repair, report).map_err(Error::file(Path::new(TMP)))?;
    let (there, others) = list(folder).map_err(Error::file(Path::new(CONTENT)))?;
    for name in others {
        report.notes.push(format!("{name} is no artifact"));
    }
    let total = there.iter().map(|(_, bytes)| bytes).sum();
    for (digest, _) in &there {
        let name = crate::place::artifact(digest);
        let next = "deploy the code again that needs it, or restore the directory from a backup";
        match hash(folder, &name, &mut |bytes| progress(bytes, total)) {
            Ok((found, bytes)) => {
                report.artifacts += 1;
                report.artifact_bytes += bytes;
                if found != *digest {
                    let what = "its bytes are not those that were put there";
                    report.findings.push(Finding::lasting(name, what, next));
                }
            }
            Err(error) => report.findings.push(Finding::lasting(name, format!("it cannot be read: {error}"), next)),
        }
    }
    Ok(())
}

fn leftovers(folder: &Folder, repair: bool, report: &mut Report) -> io::Result<()> {
    for name in folder.names(TMP)? {
        let path = format!("{TMP}/{name}");
        let is_dir = folder.dir().symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let remove = || if is_dir { folder.remove_all(&path) } else { folder.remove(&path).map(|_| ()) };
        let mended = repair.then(|| remove().map_err(|error| error.to_string()));
        let what = "a write that was cut off has left it";
        report.findings.push(Finding::mendable(&path, what, "removes it, as the next start does", mended));
    }
    Ok(())
}

/// What a folder of artifacts holds: digests with their sizes, and other names.
type Listed = (Vec<(Digest, u64)>, Vec<String>);

/// All artifacts, and the names beside them that are none.
pub(super) fn list(folder: &Folder) -> io::Result<Listed> {
    let (mut there, mut others) = (Vec::new(), Vec::new());
    for head in folder.names(CONTENT)? {
        for rest in folder.names(&format!("{CONTENT}/{head}"))? {
            let name = format!("{CONTENT}/{head}/{rest}");
            match Place::of(&name) {
                Some(Place::Artifact(digest)) => {
                    there.push((digest, folder.metadata(&name)?.map_or(0, |metadata| metadata.len())));
                }
                _ => others.push(name),
            }
        }
    }
    Ok((there, others))
}

fn hash(folder: &Folder, name: &str, progress: &mut dyn FnMut(u64)) -> io::Result<(Digest, u64)> {
    let mut file = folder.dir().open(name)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((Digest::from_bytes(hash.finalize().into()), bytes));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
        progress(read as u64);
    }
}

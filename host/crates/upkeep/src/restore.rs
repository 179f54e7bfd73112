//! A data directory made from a whole backup and those that follow it.

mod taking;

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lamina_disk::{Folder, System};
use lamina_kv::{Keyring, Keys};

use self::taking::Taking;
use crate::error::{Error, Refusal};
use crate::fsck::references;
use crate::keys::{journal_key, secrets_file};
use crate::place::{ARTIFACTS, AUDIT, FORMAT, HOST_KEY, JOURNAL, SECRETS_KEY};

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The last transaction.
    pub sequence: u64,
    /// The records there are.
    pub records: u64,
    /// Files of the directory.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the keys of secrets were in the backup; else the operator has them.
    pub has_secrets_key: bool,
}

/// Makes the directory `data` from these backups: a whole one, then any that follow
/// it, in their order. `progress` is told of bytes that were read. Blocks.
///
/// Everything is checked: signatures, digests, the journal's chain, and that no
/// record refers to an artifact that is not there (the last only when the keys of
/// secrets are in the backup). `data` is there, whole and synced, or not at all;
/// the work is done beside it, in `data` with `.new` appended, which a run that was
/// killed leaves and the next one removes.
pub fn restore(files: &[PathBuf], data: &Path, mut progress: impl FnMut(u64)) -> Result<Restored, Error> {
    refuse_taken(data)?;
    let new = beside(data, ".new")?;
    make(&new)?;
    let restored = fill(files, &new, &mut progress).and_then(|restored| {
        fs::rename(&new, data).map_err(Error::file(data))?;
        File::open(parent(data)).and_then(|parent| parent.sync_all()).map_err(Error::file(parent(data)))?;
        Ok(restored)
    });
    if restored.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_dir_all(&new);
    }
    restored
}

fn fill(files: &[PathBuf], new: &Path, progress: &mut dyn FnMut(u64)) -> Result<Restored, Error> {
    let folder = Folder::open(new, Arc::new(System)).map_err(Error::file(new))?;
    let mut taking = Taking::new(&folder);
    for file in files {
        taking.take(file, progress)?;
    }
    let (sequence, host_key) = taking.end()?;
    let ring = secrets_file::read(&folder)?;
    let has_secrets_key = ring.is_some();
    // With keys that open nothing the journal's chain is checked all the same.
    let secrets = ring.unwrap_or_else(|| Keyring::new([0; 32], Vec::new()));
    let keys = Keys { journal: journal_key(&host_key), secrets };
    let checked = lamina_kv::check(&folder, new, &keys, false)?;
    if let Some(finding) = checked.findings.first() {
        return Err(Error::Unsound(format!("{}: {}", finding.place, finding.what)));
    }
    if checked.sequence != Some(sequence) {
        let found = checked.sequence.unwrap_or_default();
        return Err(Error::Unsound(format!("the records end with transaction {found}, not {sequence}")));
    }
    if has_secrets_key {
        whole(&folder, new, &host_key, keys)?;
    }
    let (files, bytes) = count(new).map_err(Error::file(new))?;
    Ok(Restored { sequence, records: checked.records.unwrap_or_default(), files, bytes, has_secrets_key })
}

/// Whether everything that the records refer to is there.
fn whole(folder: &Folder, new: &Path, host_key: &[u8; 32], keys: Keys) -> Result<(), Error> {
    for (digest, users) in references(folder, new, host_key, keys)? {
        if !folder.dir().exists(crate::place::artifact(&digest)) {
            let users = users.join(", ");
            return Err(Error::Unsound(format!("artifact {digest}, which {users} needs, is in none of the files")));
        }
    }
    Ok(())
}

fn refuse_taken(data: &Path) -> Result<(), Error> {
    match fs::read_dir(data) {
        Ok(mut entries) => entries.next().map_or(Ok(()), |_| Err(Error::Exists(data.to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Err(Error::Exists(data.to_owned())),
        Err(error) => Err(Error::file(data)(error)),
    }
}

/// The path with more at its end, in the same directory.
pub(crate) fn beside(data: &Path, more: &str) -> Result<PathBuf, Error> {
    let mut name = data.file_name().ok_or_else(|| Error::Exists(data.to_owned()))?.to_owned();
    name.push(more);
    Ok(data.with_file_name(name))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the directory to work in; one that was left behind is removed, as far as
/// it holds what we write and nothing else.
pub(crate) fn make(new: &Path) -> Result<(), Error> {
    const OURS: &[&str] = &[FORMAT, HOST_KEY, SECRETS_KEY, JOURNAL, AUDIT, ARTIFACTS, "lock", "sled"];
    let failed = |error| Error::file(new)(error);
    match fs::read_dir(new) {
        Ok(entries) => {
            for entry in entries {
                let name = entry.map_err(failed)?.file_name();
                if !name.to_str().is_some_and(|name| OURS.contains(&name)) {
                    return Err(Error::Exists(new.to_owned()));
                }
            }
            fs::remove_dir_all(new).map_err(failed)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    fs::create_dir_all(parent(new)).map_err(Error::file(parent(new)))?;
    DirBuilder::new().mode(0o700).create(new).map_err(failed)
}

fn count(folder: &Path) -> io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let (more, longer) = if metadata.is_dir() { count(&entry.path())? } else { (1, metadata.len()) };
        files += more;
        bytes += longer;
    }
    Ok((files, bytes))
}

impl Refusal {
    /// Whether a backup of these numbers follows those that reach so far.
    pub(crate) fn unless_next(reached: Option<u64>, since: u64, sequence: u64) -> Result<(), Self> {
        match reached {
            None if since == 0 => Ok(()),
            None => Err(Self::Increment(since)),
            Some(_) if since == 0 => Err(Self::Whole),
            Some(reached) if since > reached => Err(Self::Gap { since, reached }),
            Some(reached) if sequence < reached => Err(Self::Order { sequence, reached }),
            Some(_) => Ok(()),
        }
    }
}

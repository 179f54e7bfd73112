//! Looking at a data directory that no platform has open, and mending what can be.

mod artifacts;
mod keys;
mod references;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_kv::{Keyring, Keys};
use serde::Serialize;

use crate::error::Error;
use crate::keys::{audit_key, journal_key};
use crate::manifest::signing_key;
use crate::place::{AUDIT, FORMAT, JOURNAL};

pub(crate) use self::references::references;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Fsck {
    /// The data directory.
    pub data: PathBuf,
    /// The operator's keys of secrets; otherwise they are in the directory.
    pub secrets: Option<Keyring>,
    /// Whether what can be mended is.
    pub repair: bool,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// In which file, or of which artifact.
    #[serde(rename = "Where")]
    pub place: String,
    /// What a repair does, or has done; `None` when it can do nothing.
    pub repair: Option<String>,
    /// What can be done otherwise.
    pub next: Option<String>,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Report {
    /// What is wrong, or was.
    pub findings: Vec<Finding>,
    /// What is worth knowing, and not wrong.
    pub notes: Vec<String>,
    /// The last transaction, when the journal can be read.
    pub sequence: Option<u64>,
    /// The records there are, when the journal can be read.
    pub records: Option<u64>,
    /// Artifacts whose bytes were read.
    pub artifacts: u64,
    /// Their bytes.
    pub artifact_bytes: u64,
    /// Entries of the audit log.
    pub audit_entries: u64,
}

const RESTORE: &str = "restore the directory from a backup: lamina restore FILE... --data DIR";

impl Finding {
    /// One that nothing here can mend.
    fn lasting(place: impl Into<String>, what: impl Into<String>, next: impl Into<String>) -> Self {
        let (place, what, next) = (place.into(), what.into(), Some(next.into()));
        Self { what, place, repair: None, next, repaired: false }
    }

    /// One that a repair mends; it has when `mended` is there and went well.
    fn mendable(
        place: impl Into<String>,
        what: impl Into<String>,
        repair: impl Into<String>,
        mended: Option<Result<(), String>>,
    ) -> Self {
        let repaired = matches!(mended, Some(Ok(())));
        let next = match mended {
            Some(Err(error)) => Some(format!("it could not be mended: {error}")),
            _ => None,
        };
        Self { what: what.into(), place: place.into(), repair: Some(repair.into()), next, repaired }
    }
}

impl Report {
    /// Whether nothing is wrong, or no longer.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.repaired)
    }
}

/// Looks at everything: keys, the records' journal and index, the audit log, every
/// artifact's bytes, and whether the records refer to what is there. `progress` is
/// told of artifacts' bytes that were read and of how many there are. Blocks.
///
/// Refuses a directory that is in use. Without `repair` nothing is changed in the
/// directory; a copy of the records is opened beside it and removed again.
pub fn fsck(asked: &Fsck, mut progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
    let Fsck { data, secrets, repair } = asked;
    if !data.join(FORMAT).exists() && !data.join("journal").exists() && !data.join("sled").exists() {
        return Err(Error::NoDirectory(data.clone()));
    }
    // With a name, so that there is a place beside it.
    let data = &data.canonicalize().map_err(Error::file(data))?;
    let folder = Folder::open(data, Arc::new(System)).map_err(Error::file(data))?;
    // Before anything is mended: nobody may have it open.
    drop(lock(data)?);
    let mut report = Report::default();
    let host_key = keys::host(&folder, *repair, &mut report);
    let secrets = keys::secrets(&folder, secrets.as_ref(), *repair, &mut report);
    if let Some(host_key) = host_key {
        let keys = secrets.map(|secrets| Keys { journal: journal_key(&host_key), secrets });
        // It takes the lock itself.
        records(&folder, data, keys.as_ref(), *repair, &mut report)?;
        let _lock = lock(data)?;
        audit(&folder, &host_key, *repair, &mut report)?;
        artifacts::check(&folder, *repair, &mut progress, &mut report)?;
        // A journal that cannot be read cannot be asked.
        if let Some(keys) = keys.filter(|_| report.sequence.is_some()) {
            references::check(&folder, data, &host_key, keys, &mut report);
        }
    } else {
        artifacts::check(&folder, *repair, &mut progress, &mut report)?;
    }
    Ok(report)
}

/// Takes the directory for this process.
fn lock(data: &Path) -> Result<Option<File>, Error> {
    let path = data.join("lock");
    if !path.exists() {
        return Ok(None);
    }
    let file = File::open(&path).map_err(Error::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(lamina_kv::Error::InUse(data.display().to_string()).into()),
        Err(TryLockError::Error(error)) => Err(Error::file(&path)(error)),
    }
}

fn records(folder: &Folder, data: &Path, keys: Option<&Keys>, repair: bool, report: &mut Report) -> Result<(), Error> {
    let Some(keys) = keys else { return Ok(()) };
    let checked = match lamina_kv::check(folder, data, keys, repair) {
        Ok(checked) => checked,
        Err(error @ (lamina_kv::Error::InUse(_) | lamina_kv::Error::Newer { .. })) => return Err(error.into()),
        Err(error) => {
            report.findings.push(Finding::lasting(JOURNAL, error.to_string(), RESTORE));
            return Ok(());
        }
    };
    (report.sequence, report.records) = (checked.sequence, checked.records);
    for found in checked.findings {
        if found.place == FORMAT {
            report.notes.push(found.what);
            continue;
        }
        let next = (!found.repaired && found.repair.is_none()).then(|| RESTORE.to_owned());
        report.findings.push(Finding {
            what: found.what,
            place: found.place,
            repair: found.repair,
            next,
            repaired: found.repaired,
        });
    }
    Ok(())
}

fn audit(folder: &Folder, host_key: &[u8; 32], repair: bool, report: &mut Report) -> Result<(), Error> {
    if !folder.dir().exists(AUDIT) {
        return Ok(());
    }
    let audit = folder.folder(AUDIT).map_err(Error::file(Path::new(AUDIT)))?;
    let public_key = signing_key(host_key).verifying_key().to_bytes();
    let broken = match lamina_audit::verify(&audit, &public_key, None) {
        Ok(verified) => {
            report.audit_entries = verified.entries;
            return Ok(());
        }
        Err(broken) => broken,
    };
    let place = if broken.line == 0 { broken.file } else { format!("{}, line {}", broken.file, broken.line) };
    if !broken.torn {
        let next = "what is before it holds; compare it with a backup, or with a head that was kept elsewhere";
        report.findings.push(Finding::lasting(place, broken.reason, next));
        return Ok(());
    }
    let mend = || {
        Log::open(audit.clone(), &audit_key(host_key)).map_err(|error| error.to_string())?;
        let verified = lamina_audit::verify(&audit, &public_key, None).map_err(|error| error.to_string())?;
        report.audit_entries = verified.entries;
        Ok(())
    };
    let mended = repair.then(mend);
    let what = "the last line is torn: a write that was cut off";
    report.findings.push(Finding::mendable(place, what, "cuts it away, as the next start does", mended));
    Ok(())
}

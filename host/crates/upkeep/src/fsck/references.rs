//! What the records refer to: read from a copy of them, so that nothing in the
//! directory is changed by opening them.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_kit::{RandomIds, SystemClock};
use lamina_kv::{Keys, Store};
use lamina_registry::Registry;
use lamina_types::{AccountId, Digest, Region};

use super::{Finding, Report};
use crate::error::Error;
use crate::keys::audit_key;
use crate::place::{AUDIT, FORMAT, JOURNAL, Place};
use crate::restore::{beside, make};
use crate::tasks::users;

/// Every artifact that the records need, and what needs it. Blocks.
pub(crate) fn references(
    folder: &Folder,
    data: &Path,
    host_key: &[u8; 32],
    keys: Keys,
) -> Result<BTreeMap<Digest, Vec<String>>, Error> {
    let copy = Copy::of(folder, data)?;
    let copied = Folder::open(&copy.path, Arc::new(System)).map_err(Error::file(&copy.path))?;
    let (store, _) = Store::open(&copied, &copy.path, keys, lamina_kv::Config::default())?;
    let log = copied.folder(AUDIT).map_err(Error::file(&copy.path))?;
    let log = Log::open(log, &audit_key(host_key)).map_err(lamina_registry::Error::from)?;
    // Of no consequence: they are parts of names that are not looked at.
    let unnamed = |text: &str| Error::Unsound(format!("{text} is no name"));
    let region: Region = "us-east-1".parse().map_err(|_| unnamed("us-east-1"))?;
    let account: AccountId = "000000000000".parse().map_err(|_| unnamed("000000000000"))?;
    let config = lamina_registry::Config::new(region, account);
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(RandomIds));
    let registry = Registry::open(store.clone(), Arc::new(log), config, clock, ids)?;
    let referenced: HashSet<Digest> = registry.referenced();
    let references = referenced.into_iter().map(|digest| (digest, users(&registry, &digest))).collect();
    store.close();
    Ok(references)
}

/// What the records refer to against what is there.
pub(super) fn check(folder: &Folder, data: &Path, host_key: &[u8; 32], keys: Keys, report: &mut Report) {
    let there = super::artifacts::list(folder).map(|(there, _)| there).unwrap_or_default();
    let there: BTreeMap<Digest, u64> = there.into_iter().collect();
    let references = match references(folder, data, host_key, keys) {
        Ok(references) => references,
        Err(error) => {
            let what = format!("the records cannot be read: {error}");
            return report.findings.push(Finding::lasting(JOURNAL, what, super::RESTORE));
        }
    };
    for (digest, users) in &references {
        if !there.contains_key(digest) {
            let what = format!("it is missing, and {} needs it", users.join(", "));
            let next = "deploy that code again, or restore the directory from a backup";
            report.findings.push(Finding::lasting(crate::place::artifact(digest), what, next));
        }
    }
    let unneeded: Vec<u64> =
        there.iter().filter(|(digest, _)| !references.contains_key(digest)).map(|(_, bytes)| *bytes).collect();
    if !unneeded.is_empty() {
        let (files, bytes) = (unneeded.len(), unneeded.iter().sum::<u64>());
        report.notes.push(format!(
            "{files} artifacts of {bytes} bytes are needed by nothing: a platform that runs removes them when they \
             are an hour old"
        ));
    }
}

/// The files of the records, copied; removed when it is dropped.
struct Copy {
    path: PathBuf,
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It is in nobody's way; the next look removes it.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Copy {
    fn of(folder: &Folder, data: &Path) -> Result<Self, Error> {
        let path = beside(data, ".fsck")?;
        let path = match make(&path) {
            Ok(()) => path,
            // A directory that is a disk of its own may have no place beside it.
            Err(Error::File { .. }) => {
                let path = std::env::temp_dir().join(format!("lamina-{}.fsck", std::process::id()));
                make(&path)?;
                path
            }
            Err(error) => return Err(error),
        };
        let copy = Self { path };
        copy.fill(folder, data).map_err(Error::file(&copy.path))?;
        Ok(copy)
    }

    fn fill(&self, folder: &Folder, data: &Path) -> io::Result<()> {
        let copy = |name: &str| fs::copy(data.join(name), self.path.join(name)).map(|_| ());
        // Not linked: what is opened is written to.
        copy(FORMAT)?;
        for name in [JOURNAL, AUDIT] {
            fs::create_dir(self.path.join(name))?;
        }
        for name in folder.names(JOURNAL)?.iter().map(|name| format!("{JOURNAL}/{name}")) {
            if Place::of(&name).is_some() {
                copy(&name)?;
            }
        }
        // Opening the log takes its end.
        let mut logs = folder.names(AUDIT)?.into_iter().map(|name| format!("{AUDIT}/{name}"));
        match logs.rfind(|name| Place::of(name) == Some(Place::AuditLog)) {
            Some(last) => copy(&last),
            None => Ok(()),
        }
    }
}

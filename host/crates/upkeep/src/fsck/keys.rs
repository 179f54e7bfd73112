//! Whether the keys are there, and nobody else's to read.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use lamina_disk::Folder;
use lamina_kv::Keyring;

use super::{Finding, Report};
use crate::keys::secrets_file;
use crate::place::{HOST_KEY, SECRETS_KEY};

/// What only its owner may read and write.
const MODE: u32 = 0o600;

/// This host's key.
pub(super) fn host(folder: &Folder, repair: bool, report: &mut Report) -> Option<[u8; 32]> {
    let lasting = |what: String| {
        let next = "restore this file from a backup: without it the records and the audit log cannot be checked";
        Finding::lasting(HOST_KEY, what, next)
    };
    mode(folder, HOST_KEY, repair, report);
    let found = match folder.read(HOST_KEY, 64) {
        Ok(Some(bytes)) => match bytes.try_into() {
            Ok(key) => return Some(key),
            Err(bytes) => lasting(format!("it has {} bytes and not 32", Vec::len(&bytes))),
        },
        Ok(None) => lasting("it is missing".to_owned()),
        Err(error) => lasting(format!("it cannot be read: {error}")),
    };
    report.findings.push(found);
    None
}

/// The keys of secrets: the operator's, or those of the directory.
pub(super) fn secrets(folder: &Folder, given: Option<&Keyring>, repair: bool, report: &mut Report) -> Option<Keyring> {
    mode(folder, SECRETS_KEY, repair, report);
    if let Some(given) = given {
        return Some(given.clone());
    }
    let next = "restore this file from a backup, or give the keys that the operator has: --secrets-key-file FILE";
    let found = match secrets_file::read(folder) {
        Ok(Some(ring)) => return Some(ring),
        Ok(None) => Finding::lasting(SECRETS_KEY, "it is missing", next),
        Err(error) => Finding::lasting(SECRETS_KEY, error.to_string(), next),
    };
    report.findings.push(found);
    None
}

fn mode(folder: &Folder, name: &str, repair: bool, report: &mut Report) {
    let Ok(file) = folder.dir().open(name).map(|file| file.into_std()) else { return };
    let Ok(found) = file.metadata().map(|metadata| metadata.permissions().mode() & 0o7777) else { return };
    if found == MODE {
        return;
    }
    let mend = || -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    };
    let mended = repair.then(|| mend().map_err(|error| error.to_string()));
    let what = format!("its mode is {found:o}: others than its owner may reach it");
    report.findings.push(Finding::mendable(name, what, format!("sets it to {MODE:o}"), mended));
}

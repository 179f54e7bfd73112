//! The secrets of a data directory: the host's key and the first credential.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use lamina_kit::Ids;
use lamina_types::Timestamp;
use lamina_types::records::Credential;

use super::Error;

/// This host's own secret: it authenticates compiled images.
pub(super) fn host_key(path: &Path, ids: &dyn Ids) -> Result<[u8; 32], Error> {
    let file = |source| Error::File { path: path.to_owned(), source };
    let mut key = [0; 32];
    match File::open(path) {
        Ok(opened) => {
            let mut bytes = Vec::new();
            opened.take(64).read_to_end(&mut bytes).map_err(file)?;
            key = bytes.try_into().map_err(|_| Error::HostKey(path.to_owned()))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            ids.fill(&mut key);
            // Another process that starts here at the same time must not replace it.
            return match new_private_file(path, &key) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => host_key(path, ids),
                made => made.map(|()| key).map_err(file),
            };
        }
        Err(error) => return Err(file(error)),
    }
    Ok(key)
}

/// Whether the file holds one of these credentials.
pub(super) fn is_of<'a>(path: &Path, mut credentials: impl Iterator<Item = &'a Credential>) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return false };
    let is = |member: &str, text: &str| value.get(member).and_then(serde_json::Value::as_str) == Some(text);
    credentials.any(|one| is("AccessKeyId", &one.access_key_id) && is("SecretAccessKey", &one.secret_access_key))
}

/// As [`private_file`], but an error when the name is taken.
fn new_private_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    write_private(&temporary, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Left by a run that was cut off, or somebody's link: never written through.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn private_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    write_private(&temporary, bytes)?;
    fs::rename(&temporary, path)
}

/// An access key in the shape that AWS's clients check.
pub(super) fn new_credential(ids: &dyn Ids, created: Timestamp) -> Credential {
    const ID: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = [0; 56];
    ids.fill(&mut random);
    let (id, secret) = random.split_at(16);
    let text = |bytes: &[u8], letters: &[u8]| -> String {
        bytes.iter().map(|byte| char::from(letters[usize::from(*byte) % letters.len()])).collect()
    };
    Credential { access_key_id: format!("AKIA{}", text(id, ID)), secret_access_key: text(secret, SECRET), created }
}

#[cfg(test)]
mod tests {
    use lamina_kit::RandomIds;

    use super::*;

    #[test]
    fn credentials_have_the_shape_clients_check() {
        let credential = new_credential(&RandomIds, Timestamp(0));
        assert_eq!((credential.access_key_id.len(), credential.secret_access_key.len()), (20, 40));
        assert!(credential.access_key_id.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)));
    }
}

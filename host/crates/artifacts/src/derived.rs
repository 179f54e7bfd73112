//! Files that can be made again, by kind and name; unchecked, so that whoever
//! derives them authenticates them.

use std::io::ErrorKind;

use bytes::Bytes;

use crate::error::{Error, io};
use crate::store::{Artifacts, DERIVED};

const NAME_BYTES_MAX: usize = 200;

fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(Error::Name(name.chars().take(NAME_BYTES_MAX).collect()));
    }
    Ok(())
}

fn path(kind: &str, name: &str) -> Result<String, Error> {
    check_name(kind)?;
    check_name(name)?;
    Ok(format!("{DERIVED}/{kind}/{name}"))
}

impl Artifacts {
    /// Stores a derived file in place of an older one. Dropped half-way, the
    /// write runs on; a reader sees the old file or the new one.
    pub async fn put_derived(&self, kind: &str, name: &str, bytes: Bytes) -> Result<(), Error> {
        let (path, folder) = (path(kind, name)?, format!("{DERIVED}/{kind}"));
        self.blocking(move |this| {
            this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
            this.replace(&folder, &path, &bytes)
        })
        .await
    }

    /// A derived file's bytes, unchecked; `None` when there is none.
    pub async fn get_derived(&self, kind: &str, name: &str) -> Result<Option<Bytes>, Error> {
        let path = path(kind, name)?;
        self.blocking(move |this| match this.dir.read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { doing: format!("reading {path}"), source }),
        })
        .await
    }

    /// Forgets a derived file, if it is there.
    pub async fn remove_derived(&self, kind: &str, name: &str) -> Result<(), Error> {
        let path = path(kind, name)?;
        self.blocking(move |this| match this.dir.remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::Io { doing: format!("removing {path}"), source: error })
            }
            _ => Ok(()),
        })
        .await
    }

    /// The names of a kind's files, in order.
    pub async fn list_derived(&self, kind: &str) -> Result<Vec<String>, Error> {
        check_name(kind)?;
        let folder = format!("{DERIVED}/{kind}");
        self.blocking(move |this| {
            let mut names = this.names(&folder)?;
            names.sort_unstable();
            Ok(names)
        })
        .await
    }
}

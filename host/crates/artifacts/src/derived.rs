//! Files that can be made again, by kind and name; unchecked, so that whoever
//! derives them authenticates them.

use std::time::SystemTime;

use bytes::Bytes;

use crate::error::{Error, io};
use crate::store::{Artifacts, DERIVED};

const NAME_BYTES_MAX: usize = 200;

/// A derived file, as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedFile {
    /// Its name within its kind.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was last put or got.
    pub modified: SystemTime,
}

/// What was evicted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Files.
    pub removed: usize,
    /// Their bytes.
    pub bytes: u64,
}

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
            this.folder.make(&folder).map_err(io(format!("making {folder}")))?;
            this.replace(&folder, &path, &bytes)
        })
        .await
    }

    /// A derived file's bytes, unchecked; `None` when there is none. It counts as
    /// used now. Dropped half-way, it may count as used.
    pub async fn get_derived(&self, kind: &str, name: &str) -> Result<Option<Bytes>, Error> {
        let path = path(kind, name)?;
        self.blocking(move |this| {
            let bytes = this.folder.read(&path, u64::MAX).map_err(io(format!("reading {path}")))?;
            if bytes.is_some() {
                // Not being able to is no reason not to use it.
                let _ = this.folder.touch(&path, this.now());
            }
            Ok(bytes.map(Bytes::from))
        })
        .await
    }

    /// Forgets a derived file, if it is there.
    pub async fn remove_derived(&self, kind: &str, name: &str) -> Result<(), Error> {
        let path = path(kind, name)?;
        self.blocking(move |this| {
            this.folder.remove(&path).map_err(io(format!("removing {path}")))?;
            Ok(())
        })
        .await
    }

    /// The names of a kind's files, in order.
    pub async fn list_derived(&self, kind: &str) -> Result<Vec<String>, Error> {
        check_name(kind)?;
        let folder = format!("{DERIVED}/{kind}");
        self.blocking(move |this| this.names(&folder)).await
    }

    /// A kind's files with their sizes and ages, in the order of their names.
    pub async fn list_derived_with(&self, kind: &str) -> Result<Vec<DerivedFile>, Error> {
        check_name(kind)?;
        let folder = format!("{DERIVED}/{kind}");
        self.blocking(move |this| this.derived(&folder)).await
    }

    /// Removes files of a kind, the one that was unused for longest first, until
    /// the rest has at most `bytes_max` bytes, and no more. One that is used
    /// meanwhile stays. Dropped half-way, it runs on.
    pub async fn evict(&self, kind: &str, bytes_max: u64) -> Result<Evicted, Error> {
        check_name(kind)?;
        let folder = format!("{DERIVED}/{kind}");
        self.blocking(move |this| {
            let mut files = this.derived(&folder)?;
            files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
            let mut left: u64 = files.iter().map(|file| file.bytes).sum();
            let mut evicted = Evicted::default();
            for file in files {
                if left <= bytes_max {
                    break;
                }
                let path = format!("{folder}/{}", file.name);
                if this.folder.modified(&path).map_err(io(format!("looking at {path}")))? > Some(file.modified) {
                    continue;
                }
                left -= file.bytes;
                if this.folder.remove(&path).map_err(io(format!("removing {path}")))? {
                    evicted.removed += 1;
                    evicted.bytes += file.bytes;
                }
            }
            Ok(evicted)
        })
        .await
    }

    fn derived(&self, folder: &str) -> Result<Vec<DerivedFile>, Error> {
        let mut files = Vec::new();
        for name in self.names(folder)? {
            let path = format!("{folder}/{name}");
            let known = || Ok((self.folder.metadata(&path)?, self.folder.modified(&path)?));
            // One that was removed since it was listed is not there.
            if let (Some(metadata), Some(modified)) = known().map_err(io(format!("looking at {path}")))? {
                files.push(DerivedFile { name, bytes: metadata.len(), modified });
            }
        }
        Ok(files)
    }
}
